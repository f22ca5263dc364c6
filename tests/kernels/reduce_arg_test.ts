// argmax and argmin on the adapter against a plain search.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { StorageFormat } from "../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../kernels/target.ts";
import { type ArgReduceDescription, argReduceKernel } from "../../kernels/reduce/arg_reduce.ts";
import type { ComputeType } from "../../kernels/reduce/combiner.ts";
import { type ReduceExtents, reduceIsAligned } from "../../kernels/reduce/description.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { arrayFragment, epilogueFragment } from "./array_fragment.ts";
import { encode, openKernelDevice } from "./run_kernel.ts";

type Numbers = ArrayLike<number>;

/** The first NaN, or the first of the greatest or least. */
function reference(combiner: "max" | "min", extents: ReduceExtents, values: Numbers): number[] {
  const { outer, length, inner } = extents;
  const better = (a: number, b: number) =>
    !Number.isNaN(b) && (Number.isNaN(a) || (combiner === "max" ? a > b : a < b));
  return Array.from({ length: outer * inner }, (_, at) => {
    const [o, i] = [Math.floor(at / inner), at % inner];
    const value = (k: number) => values[(o * length + k) * inner + i];
    let best = 0;
    for (let k = 1; k < length; k++) if (better(value(k), value(best))) best = k;
    return best;
  });
}

function describe(
  combiner: "max" | "min",
  extents: ReduceExtents,
  format: StorageFormat,
): ArgReduceDescription {
  const types: Record<string, ComputeType> = {
    int32: "vec4i",
    uint32: "vec4u",
    bool: "vec4<bool>",
  };
  const type = types[format] ?? "vec4f";
  const input = arrayFragment({ format, aligned: reduceIsAligned(extents) });
  return { ...extents, combiner, type, input, outputs: ["int32"] };
}

async function check(
  extents: ReduceExtents,
  format: StorageFormat,
  values: Numbers,
  other?: Target,
) {
  const { run, target } = await openKernelDevice();
  for (const combiner of ["max", "min"] as const) {
    const kernel = argReduceKernel(describe(combiner, extents, format), other ?? target);
    const size = extents.outer * extents.inner;
    const [result] = await run(kernel, [encode(format, values)], [{ format: "int32", size }]);
    assertEquals(Array.from(result), reference(combiner, extents, values), `${combiner} ${format}`);
  }
}

/** Small integers, so that ties abound. */
const ties = (size: number, most: number) =>
  Array.from({ length: size }, (_, i) => (Math.imul(i + 7, 2654435761) >>> 7) % most - (most >> 1));

const shapes: ReduceExtents[] = [
  { outer: 5, length: 1, inner: 1 },
  { outer: 6, length: 10, inner: 1 },
  { outer: 3, length: 64, inner: 1 },
  { outer: 2, length: 1021, inner: 1 },
  { outer: 2, length: 30, inner: 8 },
  { outer: 3, length: 7, inner: 5 },
  { outer: 1, length: 200, inner: 2 },
];

webgpuTest("argReduceKernel() finds the first of equals in rows and columns", async () => {
  for (const shape of shapes) {
    const values = ties(shape.outer * shape.length * shape.inner, 5);
    for (const format of ["float32", "bfloat16", "int32"] as const) {
      await check(shape, format, values);
    }
  }
});

webgpuTest("argReduceKernel() needs no subgroups, and shares columns on a GPU", async () => {
  const { target } = await openKernelDevice();
  const others: Target[] = [{ ...target, kind: "discrete" }, {
    ...baselineTarget,
    kind: "discrete",
  }];
  for (const other of others) {
    for (const shape of [shapes[2], shapes[3], shapes[6]]) {
      const values = ties(shape.outer * shape.length * shape.inner, 9);
      await check(shape, "float16_packed", values, other);
    }
  }
});

webgpuTest(
  "argReduceKernel() lets the first NaN win, takes -0 for 0 and finds infinities",
  async () => {
    const rows = [
      [1, NaN, NaN, 5],
      [-0, 0, -0, 0],
      [0, -0, 0, -0],
      [-Infinity, -Infinity, -Infinity, -Infinity],
      [Infinity, -Infinity, Infinity, NaN],
      [3e-45, -3e-45, 0, 3e-45],
    ];
    const extents = { outer: rows.length, length: 4, inner: 1 };
    await check(extents, "float32", rows.flat());
    const columns = { outer: 1, length: 4, inner: rows.length };
    await check(columns, "float32", [0, 1, 2, 3].flatMap((k) => rows.map((row) => row[k])));
  },
);

webgpuTest("argReduceKernel() compares integers and booleans exactly", async () => {
  const least = -(2 ** 31);
  const shape = { outer: 2, length: 5, inner: 1 };
  await check(shape, "int32", [least, least, least, least, least, 7, least, 2 ** 31 - 1, 7, least]);
  await check(shape, "int32", [2 ** 24 + 1, 2 ** 24, 2 ** 24 + 1, 5, 6, 3, 3, 3, 3, 3]);
  await check(shape, "uint32", [0, 2 ** 32 - 1, 2 ** 31, 1, 0, 0, 0, 0, 0, 0]);
  await check(shape, "bool", [0, 1, 0, 1, 0, 1, 1, 0, 0, 1]);
});

webgpuTest("argReduceKernel() passes positions to an expression", async () => {
  const { run, target } = await openKernelDevice();
  const extents = { outer: 1, length: 6, inner: 1 };
  const epilogue = epilogueFragment({ format: "int32", aligned: true, expression: "a * x" });
  const kernel = argReduceKernel({ ...describe("max", extents, "float32"), epilogue }, target);
  const inputs = [encode("float32", [1, 2, 9, 4, 9, 0]), encode("int32", [-10])];
  assertEquals(Array.from((await run(kernel, inputs, [{ format: "int32", size: 1 }]))[0]), [-20]);
});

webgpuTest("argReduceKernel() walks further than a software driver's loops go", async () => {
  // Mesa's driver leaves loops after 65,535 iterations: one thread could not see the end of a column.
  const extents = { outer: 1, length: 150_000, inner: 2 };
  const values = new Float32Array(2 * extents.length);
  values[2 * 149_999] = 1;
  values[2 * 140_001 + 1] = 2;
  await check(extents, "float32", values);
  const row = { outer: 1, length: 4_000_000, inner: 1 };
  const long = new Float32Array(row.length);
  long[3_999_998] = 1;
  await check(row, "float32", long);
});

Deno.test("argReduceKernel() refuses an aligned fragment for rows that are not whole vectors", () => {
  const description = describe("max", { outer: 2, length: 8, inner: 1 }, "float32");
  assertThrows(
    () => argReduceKernel({ ...description, length: 7 }, baselineTarget),
    RangeError,
    "Cannot argmax: rows of whole vectors are required",
  );
  assert(argReduceKernel(description, baselineTarget).code.includes("ordered_for_max"));
});
