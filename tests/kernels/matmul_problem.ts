// Matrix products as tests state them: operands with NaN between their lines, and sums in float64.

import { assertEquals } from "@std/assert";
import {
  type MatmulDescription,
  matmulKernel,
  type MatmulOperand,
  type MatmulTile,
} from "../../kernels/matmul/matmul.ts";
import type { StorageFormat } from "../../kernels/storage.ts";
import { roundToBfloat16, roundToFloat16 } from "../../src/core/half.ts";
import { decode, encode, type KernelDevice } from "./run_kernel.ts";

/** A product; operands lie densely in rows of float32 unless it says otherwise. */
export interface Problem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Batch axes, outermost first; an operand repeats along those where it is named. */
  readonly batch?: readonly { readonly extent: number; readonly repeats?: "a" | "b" }[];
  readonly a?: Partial<MatmulOperand>;
  readonly b?: Partial<MatmulOperand>;
  readonly output?: StorageFormat;
}

/** Numbers that are neither small integers nor all of one sign. */
export function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(seed + i * 12.9898) * 1.5);
}

function operand(rows: number, columns: number, given: Partial<MatmulOperand> = {}): MatmulOperand {
  const { format = "float32", layout = "rows" } = given;
  return { format, layout, stride: layout === "rows" ? columns : rows, offset: 0, ...given };
}

/** Elements from one of an operand's matrices to the next. */
function matrixSize(o: MatmulOperand, rows: number, columns: number): number {
  return o.stride * (o.layout === "rows" ? rows : columns);
}

/** The description of a problem. */
export function describe({ m, n, k, batch = [], a, b, output = "float32" }: Problem) {
  const [left, right] = [operand(m, k, a), operand(k, n, b)];
  let [aStride, bStride] = [matrixSize(left, m, k), matrixSize(right, k, n)];
  const axes: { extent: number; aStride: number; bStride: number }[] = [];
  for (const { extent, repeats } of batch.toReversed()) {
    axes.unshift({
      extent,
      aStride: repeats === "a" ? 0 : aStride,
      bStride: repeats === "b" ? 0 : bStride,
    });
    if (repeats !== "a") aStride *= extent;
    if (repeats !== "b") bStride *= extent;
  }
  return { m, n, k, batch: axes, a: left, b: right, outputs: [output] } satisfies MatmulDescription;
}

/** An operand's bytes, and its numbers as they are once stored and rounded. */
export interface StoredOperand {
  readonly bytes: Uint8Array;
  /** @param start the first element of the matrix. */
  at(start: number, row: number, column: number): number;
}

function isInteger(format: StorageFormat): boolean {
  return format === "int32" || format === "uint32" || format === "bool";
}

function sampleOf(format: StorageFormat, x: number): number {
  if (format === "bool") return x > 0 ? 1 : 0;
  if (format === "uint32") return Math.trunc(Math.abs(x) * 9);
  return format === "int32" ? Math.trunc(x * 9) : x;
}

/** Stores an operand's numbers: what is no part of it, before its offset and between lines, is NaN. */
export function storeOperand(
  o: MatmulOperand,
  rows: number,
  columns: number,
  matrices: number,
  seed: number,
): StoredOperand {
  const [lines, length] = o.layout === "rows" ? [rows, columns] : [columns, rows];
  const size = o.offset + matrices * lines * o.stride;
  const samples = numbers(size, seed);
  const elements = samples.map((x, i) => {
    const within = i >= o.offset && (i - o.offset) % o.stride < length;
    return within ? sampleOf(o.format, x) : isInteger(o.format) ? 77 : NaN;
  });
  const bytes = encode(o.format, elements);
  const stored = decode(o.format, bytes);
  const round = o.roundTo === "float16"
    ? roundToFloat16
    : o.roundTo === "bfloat16"
    ? roundToBfloat16
    : (x: number) => x;
  const at = (start: number, row: number, column: number) => {
    const [line, position] = o.layout === "rows" ? [row, column] : [column, row];
    return round(stored[start + line * o.stride + position]!);
  };
  return { bytes, at };
}

function count(problem: Problem, repeated: "a" | "b"): number {
  return (problem.batch ?? []).reduce(
    (size, { extent, repeats }) => size * (repeats === repeated ? 1 : extent),
    1,
  );
}

/** The operands of a problem, stored. */
export function storeOperands(
  problem: Problem,
  { m, n, k, a, b }: MatmulDescription,
): readonly [StoredOperand, StoredOperand] {
  return [
    storeOperand(a, m, k, count(problem, "a"), 1),
    storeOperand(b, k, n, count(problem, "b"), 2),
  ];
}

/** Visits every sum in the order of the result: its value in float64 and the sum of its terms' magnitudes. */
export function forEachSum(
  { m, n, k, batch, a: { offset: aOffset }, b: { offset: bOffset } }: MatmulDescription,
  [a, b]: readonly [StoredOperand, StoredOperand],
  visit: (index: number, exact: number, magnitude: number) => void,
): void {
  const matrices = batch.reduce((size, { extent }) => size * extent, 1);
  for (let matrix = 0, i = 0; matrix < matrices; matrix++) {
    let [aStart, bStart, rest] = [aOffset, bOffset, matrix];
    for (const { extent, aStride, bStride } of batch.toReversed()) {
      aStart += rest % extent * aStride;
      bStart += rest % extent * bStride;
      rest = Math.floor(rest / extent);
    }
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++, i++) {
        let [exact, magnitude] = [0, 0];
        for (let c = 0; c < k; c++) {
          const product = a.at(aStart, row, c) * b.at(bStart, c, column);
          exact += product;
          magnitude += Math.abs(product);
        }
        visit(i, exact, magnitude);
      }
    }
  }
}

/** How far a sum of float32 products, rounded to a format, may lie from the exact one. */
export function allowedError(
  format: StorageFormat,
  terms: number,
  exact: number,
  magnitude: number,
): number {
  if (isInteger(format)) return 0;
  const rounding = format === "float32" ? 0 : format === "bfloat16" ? 2 ** -8 : 2 ** -11;
  return magnitude * 2 ** -24 * (terms + 2) + Math.abs(exact) * rounding + 2 ** -24;
}

/** Computes a problem by a tile and compares every element. */
export async function checkProduct(
  device: KernelDevice,
  problem: Problem,
  tile: MatmulTile,
  target = device.target,
): Promise<void> {
  const description = describe(problem);
  const operands = storeOperands(problem, description);
  const { m, n, k, batch } = description;
  const [format] = description.outputs as [StorageFormat];
  const size = batch.reduce((product, { extent }) => product * extent, m * n);
  const kernel = matmulKernel(description, tile, target);
  const [got] = await device.run(kernel, operands.map(({ bytes }) => bytes), [{ format, size }]);
  forEachSum(description, operands, (i, exact, magnitude) => {
    if (Math.abs(got![i]! - exact) <= allowedError(format, k, exact, magnitude)) return;
    assertEquals(got![i], exact, JSON.stringify({ problem, tile, i }));
  });
}
