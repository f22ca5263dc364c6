// Long axes that are cut into pieces and reduced by two kernels.

import { assert, assertEquals } from "@std/assert";
import type { StorageFormat } from "../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../kernels/target.ts";
import {
  chooseSplit,
  type ReduceExtents,
  reduceIsAligned,
  reduceKernel,
} from "../../kernels/reduce/reduce.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { arrayFragment } from "./array_fragment.ts";
import { noise, reference } from "./reduce_oracle.ts";
import { decode, encode, openKernelDevice } from "./run_kernel.ts";

/** Reduces in two kernels, as the compiler does with a long axis. */
async function reduceInTwo(extents: ReduceExtents, split: number, format: StorageFormat) {
  const { run, target } = await openKernelDevice();
  const { outer, inner } = extents;
  const values = decode(format, encode(format, noise(outer * extents.length * inner)));
  const type = "vec4f";
  const first = reduceKernel({
    ...extents,
    combiner: "sum",
    type,
    split,
    input: arrayFragment({ format, aligned: reduceIsAligned(extents) }),
    outputs: ["float32"],
  }, target);
  const [partials] = await run(first, [encode(format, values)], [
    { format: "float32", size: outer * split * inner },
  ]);
  const rest = { outer, length: split, inner };
  const input = arrayFragment({ format: "float32", aligned: reduceIsAligned(rest) });
  const second = reduceKernel(
    { ...rest, combiner: "sum", type, input, outputs: ["float32"] },
    target,
  );
  const [result] = await run(second, [encode("float32", partials)], [
    { format: "float32", size: outer * inner },
  ]);
  const expected = reference("sum", extents, values);
  expected.forEach((v, i) =>
    assert(Math.abs(result[i] - v) < 1e-4, `${i}: ${result[i]} is not ${v}`)
  );
}

webgpuTest(
  "reduceKernel() cuts a long axis into pieces, of which some may be short or empty",
  async () => {
    await reduceInTwo({ outer: 1, length: 10001, inner: 1 }, 16, "bfloat16");
    await reduceInTwo({ outer: 3, length: 100, inner: 1 }, 32, "float32");
    await reduceInTwo({ outer: 3, length: 101, inner: 1 }, 4, "float16_packed");
    await reduceInTwo({ outer: 2, length: 100, inner: 8 }, 7, "float32");
    await reduceInTwo({ outer: 1, length: 100, inner: 10 }, 8, "float32");
    await reduceInTwo({ outer: 3, length: 50, inner: 3 }, 6, "bfloat16");
  },
);

Deno.test("chooseSplit() cuts where results are few and rows long, and nowhere else", () => {
  for (const kind of ["software", "integrated", "discrete"] as const) {
    const target: Target = { ...baselineTarget, kind, subgroupSize: 8 };
    const split = (outer: number, length: number, inner: number) =>
      chooseSplit({ outer, length, inner }, target);
    assert(split(1, 2 ** 22, 1) >= 32);
    assert(split(1, 2 ** 22, 1) % 4 === 0);
    assert(split(1, 2 ** 17, 8) > 1);
    assertEquals(split(2 ** 20, 64, 1), 1);
    assertEquals(split(1, 64, 2 ** 20), 1);
    assertEquals(split(1, 1000, 1), 1);
    assertEquals(split(0, 0, 0), 1);
  }
});
