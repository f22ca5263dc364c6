// The training step of the benchmark: it learns what float64 learns, and says what memory it takes.

import { assert } from "@std/assert";
import { makeArguments } from "../../bench/host_data.ts";
import { PRECISIONS } from "../../bench/precision.ts";
import { PreparedTraining } from "../../bench/training/prepared.ts";
import { adamwTraining, sgdTraining } from "../../bench/training/program.ts";
import { referenceLoss } from "../../bench/training/reference.ts";
import { onBothBackends } from "../backends.ts";

const size = 16;
const tolerance = { float32: 1e-5, float16: 2e-3, bfloat16: 2e-2 };

for (const program of [sgdTraining, adamwTraining]) {
  onBothBackends(`${program.name}: the loss after three steps is float64's`, async () => {
    const host = makeArguments(program.arguments(size));
    for (const precision of PRECISIONS) {
      const prepared = new PreparedTraining(program, precision, host);
      await prepared.run(2);
      const error = await prepared.error();
      assert(error < tolerance[precision], `${precision}: ${error}`);
      const { peakBytes } = await prepared.memory();
      // Parameters, inputs and targets at the least.
      assert(peakBytes >= 4 * host.reduce((sum, { values }) => sum + values.length, 0));
      prepared.dispose();
    }
  });
}

Deno.test("the reference's gradients are the slopes of its loss", () => {
  const host = makeArguments(sgdTraining.arguments(8));
  const gradients: Float64Array[] = [];
  referenceLoss(host, 1, (_values, gradient) => void gradients.push(gradient));
  const step = 1e-4;
  for (const [parameter, gradient] of gradients.entries()) {
    const at = gradient.length >> 1;
    const lossAt = (moved: number) =>
      referenceLoss(host, 1, (values, _gradient, own) => {
        if (own === parameter) values[at] += moved;
      });
    const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
    assert(Math.abs(slope - gradient[at]) < 1e-7, `${parameter}: ${slope}, ${gradient[at]}`);
  }
});
