// Sorts are stable, order as numpy does, and move the very bits of the operand.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { SortOutputs } from "../../../kernels/sort/emit.ts";
import { sortSteps, topKSteps } from "../../../kernels/sort/sort.ts";
import type { KernelSequence } from "../../../kernels/sequence.ts";
import type { StorageFormat } from "../../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../../kernels/target.ts";
import { webgpuTest } from "../../webgpu_test.ts";
import {
  type BitArray,
  bytesOf,
  firstDifference,
  randomSource,
  tiedBits,
  toBits,
  toNumbers,
} from "../random_elements.ts";
import { openKernelDevice } from "../run_kernel.ts";
import { encode, formatsOf, runSequence } from "../run_sequence.ts";

/** Numbers ascending, NaN after all of them; 0 where neither comes first. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first `columns` positions of every row in order; `Array.prototype.sort` is stable. */
function reference(
  format: StorageFormat,
  operand: BitArray,
  length: number,
  columns: number,
  descending: boolean,
): { values: BitArray; positions: Int32Array } {
  const numbers = toNumbers(format, operand);
  const rows = numbers.length / length;
  const positions = new Int32Array(rows * columns);
  const values = new (operand.constructor as new (size: number) => BitArray)(rows * columns);
  for (let r = 0; r < rows; r++) {
    const order = Array.from({ length }, (_, i) => i).sort((a, b) => {
      const sign = compare(numbers[r * length + a], numbers[r * length + b]);
      return descending ? -sign : sign;
    });
    order.slice(0, columns).forEach((position, i) => {
      positions[r * columns + i] = position;
      values[r * columns + i] = operand[r * length + position];
    });
  }
  return { values, positions };
}

async function runSort(
  sequence: KernelSequence,
  format: StorageFormat,
  operand: BitArray,
  size: number,
  outputs: SortOutputs = "both",
): Promise<{ values?: BitArray; positions?: Int32Array }> {
  const results = [{ format, size }, { format: "int32", size } as const];
  const wanted = outputs === "both" ? results : outputs === "values" ? [results[0]] : [results[1]];
  const read = await runSequence(sequence, [bytesOf(operand)], wanted);
  const values = outputs === "positions" ? undefined : toBits(format, read[0]);
  const last = read[read.length - 1];
  return { values, positions: outputs === "values" ? undefined : new Int32Array(last.buffer) };
}

/** Sorts and compares both results with the reference, bit for bit. */
async function checkSort(
  format: StorageFormat,
  operand: BitArray,
  length: number,
  descending: boolean,
  target: Target,
): Promise<void> {
  const rows = operand.length / length;
  const sequence = sortSteps({ format, rows, length, descending, outputs: "both" }, target);
  const got = await runSort(sequence, format, operand, operand.length);
  const wanted = reference(format, operand, length, length, descending);
  const what = `${format} ${rows} x ${length} ${descending ? "descending" : ""}`;
  assertEquals(firstDifference(got.positions!, wanted.positions), null, `positions of ${what}`);
  assertEquals(firstDifference(got.values!, wanted.values), null, `values of ${what}`);
}

/** Needs no feature of any device; its tiles hold 256 pairs, so that short rows already take merges. */
const smallTarget: Target = { ...baselineTarget, maxInvocations: 32 };

const shapes = [[1, 1], [5, 2], [300, 7], [3, 100], [2, 256], [3, 257], [2, 1111], [1, 2048]];

webgpuTest("sort() is stable and bit-exact in every format and direction", async () => {
  const target = smallTarget;
  for (const format of formatsOf(target)) {
    for (const descending of [false, true]) {
      for (const [s, [rows, length]] of shapes.entries()) {
        await checkSort(format, tiedBits(format, rows * length, s), length, descending, target);
      }
    }
  }
});

webgpuTest("sort() orders every 16-bit pattern", async () => {
  const target = smallTarget;
  const patterns = new Uint16Array(65536).map((_, i) => Math.imul(i, 40503));
  for (const format of ["float16_packed", "bfloat16"] as const) {
    await checkSort(format, patterns, 65536, format === "bfloat16", target);
  }
});

webgpuTest("sort() orders float32 subnormals and neighbours of the largest number", async () => {
  const target = smallTarget;
  const next = randomSource(4);
  const ranges = [0x00000000, 0x80000000, 0x7f7fff00, 0xff7fff00, 0x3f800000];
  const bits = Uint32Array.from({ length: 3000 }, () => ranges[next() % 5] + next() % 512);
  await checkSort("float32", bits, 1000, false, target);
});

webgpuTest("sort() and argsort() place NaN and equal elements as JAX does", async () => {
  const target = smallTarget;
  const values = [0, -0, NaN, 1, -Infinity, Infinity, -0, 0, NaN, 1];
  const operand = toBits("float32", encode("float32", values));
  const description = { format: "float32", rows: 1, length: 10, outputs: "both" } as const;
  const sorted = async (descending: boolean) => {
    const got = await runSort(
      sortSteps({ ...description, descending }, target),
      "float32",
      operand,
      10,
    );
    return [toNumbers("float32", got.values!), [...got.positions!]];
  };
  assertEquals(await sorted(false), [
    [-Infinity, 0, -0, -0, 0, 1, 1, Infinity, NaN, NaN],
    [4, 0, 1, 6, 7, 3, 9, 5, 2, 8],
  ]);
  assertEquals(await sorted(true), [
    [NaN, NaN, Infinity, 1, 1, 0, -0, -0, 0, -Infinity],
    [2, 8, 5, 3, 9, 0, 1, 6, 7, 4],
  ]);
});

webgpuTest("sort() gives values alone and positions alone", async () => {
  const target = smallTarget;
  const operand = tiedBits("bfloat16", 3 * 77, 1);
  const wanted = reference("bfloat16", operand, 77, 77, false);
  for (const outputs of ["values", "positions"] as const) {
    const description = { format: "bfloat16", rows: 3, length: 77, descending: false } as const;
    const sequence = sortSteps({ ...description, outputs }, target);
    const got = await runSort(sequence, "bfloat16", operand, operand.length, outputs);
    assertEquals(got, { values: undefined, positions: undefined, [outputs]: wanted[outputs] });
  }
});

webgpuTest("sort() of a long row merges through many passes", async () => {
  const { target } = await openKernelDevice();
  const next = randomSource(2);
  const bits = Uint32Array.from({ length: 100003 }, () => next() % 5000);
  await checkSort("int32", bits, bits.length, false, target);
});

webgpuTest("sort() of more than 65,535 tiles is right", async () => {
  const tiny: Target = { ...(await openKernelDevice()).target, maxInvocations: 2 };
  const [rows, length] = [33000, 17];
  const sequence = sortSteps(
    { format: "uint32", rows, length, descending: false, outputs: "values" },
    tiny,
  );
  assert(sequence.steps.slice(0, 2).every(({ kernel }) => kernel.workgroups[1] > 1));
  const next = randomSource(3);
  const operand = Uint32Array.from({ length: rows * length }, () => next());
  const { values } = await runSort(sequence, "uint32", operand, operand.length, "values");
  for (let r = 0; r < rows; r++) operand.subarray(r * length, (r + 1) * length).sort();
  assertEquals(firstDifference(values!, operand), null);
});

webgpuTest("topK() gives the largest, equal ones by ascending position", async () => {
  const target = smallTarget;
  const cases = [[3, 10, 1], [2, 10, 10], [4, 700, 5], [1, 5000, 17], [2, 1000, 300], [
    2,
    257,
    128,
  ]];
  for (const format of ["float32", "bfloat16", "int32"] as const) {
    for (const [s, [rows, length, k]] of cases.entries()) {
      const operand = tiedBits(format, rows * length, s);
      const sequence = topKSteps({ format, rows, length, k, outputs: "both" }, target);
      const got = await runSort(sequence, format, operand, rows * k);
      const wanted = reference(format, operand, length, k, true);
      const what = `${format} ${rows} x ${length}, ${k}`;
      assertEquals(firstDifference(got.positions!, wanted.positions), null, what);
      assertEquals(firstDifference(got.values!, wanted.values), null, what);
    }
  }
});

webgpuTest("topK() of the smallest integers is not misled by padding", async () => {
  const { target } = await openKernelDevice();
  // The inverted keys of these are those of the padding behind the last element.
  const operand = new Uint32Array(1030).fill(0x80000000);
  const description = { format: "int32", rows: 1, length: 1030, k: 7, outputs: "both" } as const;
  const got = await runSort(topKSteps(description, target), "int32", operand, 7);
  assertEquals([...got.positions!], [0, 1, 2, 3, 4, 5, 6]);
  assertEquals([...got.values!], new Array(7).fill(0x80000000));
});

Deno.test("sorting nothing and the top 0 take no steps", () => {
  const empty = { format: "float32", descending: false, outputs: "both" } as const;
  assertEquals(sortSteps({ ...empty, rows: 0, length: 5 }, baselineTarget).steps, []);
  assertEquals(sortSteps({ ...empty, rows: 5, length: 0 }, baselineTarget).steps, []);
  assertEquals(topKSteps({ ...empty, rows: 5, length: 3, k: 0 }, baselineTarget).steps, []);
});

Deno.test("topK() of more than there are is an error", () => {
  assertThrows(
    () =>
      topKSteps({ format: "float32", rows: 1, length: 3, k: 4, outputs: "both" }, baselineTarget),
    RangeError,
    "Cannot topK: k must be at most the axis length 3, got 4",
  );
});

Deno.test("a sort's texts depend neither on its extents nor on its direction", () => {
  const texts = (rows: number, length: number, descending: boolean) =>
    new Set(
      sortSteps({ format: "float32", rows, length, descending, outputs: "both" }, baselineTarget)
        .steps.map(({ kernel }) => kernel.code),
    );
  assertEquals(texts(1, 5000, true), texts(300, 100000, false));
  assertEquals(texts(1, 5, true), texts(300, 1000, false));
});

Deno.test("a sort fits into the memory and the threads of the smallest target", () => {
  for (const maxWorkgroupStorage of [2048, 16384, 65536]) {
    const target = { ...baselineTarget, maxWorkgroupStorage };
    const { steps } = sortSteps(
      { format: "float32", rows: 1, length: 100000, descending: false, outputs: "values" },
      target,
    );
    for (const { kernel } of steps) {
      const pairs = Number(/tile: array<vec2u, (\d+)>/.exec(kernel.code)?.[1] ?? 0);
      assert(pairs * 8 + 8 <= maxWorkgroupStorage, `${pairs} pairs in ${maxWorkgroupStorage}`);
    }
  }
});
