// The gradient that is measured with and without checkpoints: it is float64's, in less memory.

import { assert, assertAlmostEquals } from "@std/assert";
import { checkpointedBlocks, keptBlocks } from "../../bench/checkpointing/programs.ts";
import { blocksGradientElement } from "../../bench/checkpointing/reference.ts";
import { makeArguments } from "../../bench/host_data.ts";
import { PRECISIONS } from "../../bench/precision.ts";
import { PreparedFunction } from "../../bench/run/prepared.ts";
import { init } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { webgpuTest } from "../webgpu_test.ts";

const tolerance = { float32: 1e-5, float16: 5e-3, bfloat16: 4e-2 };

const programs = [keptBlocks, checkpointedBlocks];
const host = makeArguments(keptBlocks.arguments(32));

onBothBackends("the blocks' gradient is float64's, checkpointed or not", async () => {
  for (const precision of PRECISIONS) {
    for (const program of programs) {
      const prepared = new PreparedFunction(program, precision, host);
      const error = await prepared.error();
      prepared.dispose();
      assert(error < tolerance[precision], `${program.name}, ${precision}: ${error}`);
    }
  }
});

webgpuTest("checkpointed blocks take less memory, in every precision", async () => {
  await init({ backend: "webgpu" });
  for (const precision of PRECISIONS) {
    const prepared = programs.map((program) => new PreparedFunction(program, precision, host));
    const [kept, again] = await Promise.all(prepared.map((own) => own.memory()));
    for (const own of prepared) own.dispose();
    assert(again.tempBytes < 0.6 * kept.tempBytes, `${precision}: ${again.tempBytes}`);
  }
});

Deno.test("the reference's gradient is the slope of its loss", () => {
  // One block on one row of one number: 0.5 (x + gelu(x u) d)^2.
  const of = (...values: number[]) => ({ shape: [1, 1], values: new Float32Array(values) });
  const [u, d] = [0.5, 0.25];
  const gelu = (x: number) =>
    0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const loss = (x: number) => 0.5 * (x + gelu(x * u) * d) ** 2;
  const slope = (loss(1.5 + 1e-5) - loss(1.5 - 1e-5)) / 2e-5;
  assertAlmostEquals(blocksGradientElement(1)([of(1.5), of(u), of(d)], 0), slope, 1e-8);
});
