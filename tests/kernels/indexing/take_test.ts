// Gathers move the very bits of the rows and elements that the indices name.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  takeAlongAxisKernel,
  type TakeDescription,
  takeKernel,
} from "../../../kernels/indexing/take.ts";
import type { StorageFormat } from "../../../kernels/storage.ts";
import { baselineTarget } from "../../../kernels/target.ts";
import { webgpuTest } from "../../webgpu_test.ts";
import {
  type BitArray,
  bytesOf,
  firstDifference,
  randomBits,
  randomIndices,
  toBits,
} from "../random_elements.ts";
import { openKernelDevice } from "../run_kernel.ts";
import { formatsOf, runSequence, singleStep } from "../run_sequence.ts";

type Extents = readonly [outer: number, n: number, count: number, inner: number];

function describe(format: StorageFormat, [outer, n, count, inner]: Extents): TakeDescription {
  return { format, indexType: "int32", outer, n, count, inner };
}

/** What a gather must give: `indexAt` names the index that serves an element of the output. */
function reference(
  operand: BitArray,
  indices: ArrayLike<number>,
  [outer, n, count, inner]: Extents,
  indexAt: (o: number, c: number, i: number) => number,
): BitArray {
  const output = new (operand.constructor as new (size: number) => BitArray)(outer * count * inner);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < count; c++) {
      for (let i = 0; i < inner; i++) {
        const index = Math.min(Math.max(indices[indexAt(o, c, i)], 0), n - 1);
        output[at++] = operand[(o * n + index) * inner + i];
      }
    }
  }
  return output;
}

async function gather(
  kind: "rows" | "elements",
  description: TakeDescription,
  operand: BitArray,
  indices: Int32Array | Uint32Array,
): Promise<BitArray> {
  const { target } = await openKernelDevice();
  const { format, outer, count, inner } = description;
  const kernel = (kind === "rows" ? takeKernel : takeAlongAxisKernel)(description, target);
  const [bytes] = await runSequence(
    singleStep(kernel, 2),
    [bytesOf(operand), bytesOf(indices)],
    [{ format, size: outer * count * inner }],
  );
  return toBits(format, bytes);
}

const shapes: readonly Extents[] = [
  [1, 7, 5, 8],
  [3, 5, 9, 3],
  [2, 1, 4, 1],
  [1, 300, 1001, 1],
  [5, 4, 1, 6],
  [1, 2, 1, 1],
  [2, 33, 70, 12],
];

webgpuTest(
  "take() moves the rows that indices name, clamped, in every format and shape",
  async () => {
    const { target } = await openKernelDevice();
    for (const format of formatsOf(target)) {
      for (const [s, shape] of shapes.entries()) {
        const [outer, n, count, inner] = shape;
        const operand = randomBits(format, outer * n * inner, s);
        const indices = randomIndices(count, -3, n + 3, s + 100);
        const got = await gather("rows", describe(format, shape), operand, indices);
        const wanted = reference(operand, indices, shape, (_o, c) => c);
        assertEquals(firstDifference(got, wanted), null, `${format} ${shape}`);
      }
    }
  },
);

webgpuTest("takeAlongAxis() picks for every element by its own index, clamped", async () => {
  const { target } = await openKernelDevice();
  for (const format of formatsOf(target)) {
    for (const [s, shape] of shapes.entries()) {
      const [outer, n, count, inner] = shape;
      const operand = randomBits(format, outer * n * inner, s);
      const indices = randomIndices(outer * count * inner, -3, n + 3, s + 100);
      const got = await gather("elements", describe(format, shape), operand, indices);
      const at = (o: number, c: number, i: number) => (o * count + c) * inner + i;
      const wanted = reference(operand, indices, shape, at);
      assertEquals(firstDifference(got, wanted), null, `${format} ${shape}`);
    }
  }
});

webgpuTest("uint32 indices clamp too, from 2**31 on as well", async () => {
  const operand = randomBits("float32", 5, 1);
  const indices = Uint32Array.of(4, 5, 0, 0x80000000, 0xffffffff);
  const description: TakeDescription = {
    format: "float32",
    indexType: "uint32",
    outer: 1,
    n: 5,
    count: 5,
    inner: 1,
  };
  const wanted = [4, 4, 0, 4, 4].map((i) => operand[i]);
  for (const kind of ["rows", "elements"] as const) {
    const got = await gather(kind, description, operand, indices);
    assertEquals(firstDifference(got, wanted), null, kind);
  }
});

webgpuTest("take() writes more than 65,535 workgroups' worth of elements", async () => {
  const shape: Extents = [1, 600, 33000, 516];
  const operand = randomBits("bfloat16", 600 * 516, 1);
  const indices = randomIndices(33000, 0, 600, 2);
  const description = describe("bfloat16", shape);
  const { target } = await openKernelDevice();
  assert(takeKernel(description, target).workgroups[1] > 1);
  const got = await gather("rows", description, operand, indices);
  for (let c = 0; c < 33000; c++) {
    const row = got.subarray(c * 516, (c + 1) * 516);
    const wanted = operand.subarray(indices[c] * 516, (indices[c] + 1) * 516);
    if (row.some((bits, i) => bits !== wanted[i])) assertEquals([...row], [...wanted], `row ${c}`);
  }
});

Deno.test("a gather's text does not depend on its extents", () => {
  for (const make of [takeKernel, takeAlongAxisKernel]) {
    const texts = [[1, 7, 5, 8], [64, 9, 1000, 512]] as const;
    const codes = texts.map((shape) => make(describe("float32", shape), baselineTarget).code);
    assertEquals(codes[0], codes[1]);
  }
});

Deno.test("float16 and bfloat16 are gathered by one text", () => {
  const codes = (["float16_packed", "float16_native", "bfloat16"] as const).map((format) =>
    takeKernel(describe(format, [1, 7, 5, 3]), baselineTarget).code
  );
  assertEquals(new Set(codes).size, 1);
});

Deno.test("a gather from an empty axis is an error unless nothing is taken", () => {
  assertThrows(
    () => takeKernel(describe("float32", [2, 0, 3, 4]), baselineTarget),
    RangeError,
    "Cannot take: the operand's axis must not be empty where indices are given",
  );
  assertThrows(
    () => takeAlongAxisKernel(describe("float32", [2, 0, 3, 4]), baselineTarget),
    RangeError,
    "Cannot takeAlongAxis:",
  );
  const nothing = takeKernel(describe("float32", [2, 0, 0, 4]), baselineTarget);
  assertEquals(nothing.parameters.find(({ name }) => name === "vectors")?.value, 0);
});
