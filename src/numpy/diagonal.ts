// Diagonals: read through a stride, nothing is gathered.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { normalizeAxis } from "../core/shape.ts";
import type { DiagonalPlace } from "../methods/linear_algebra.ts";
import { astype } from "../ops/cast.ts";
import { reshape, slice, transpose } from "../ops/movement.ts";
import { reduce, sumOperation } from "../ops/reduction.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "./lift.ts";

/** The diagonal of two axes, which become one at the end. */
export function diagonalOf(x: Value, rows: number, columns: number, offset = 0): Value {
  const { shape } = x.aval;
  const rest = shape.map((_, axis) => axis).filter((axis) => axis !== rows && axis !== columns);
  const kept = rest.map((axis) => shape[axis]!);
  const [height, width] = [shape[rows]!, shape[columns]!];
  const [top, left] = [Math.max(-offset, 0), Math.max(offset, 0)];
  const count = Math.max(Math.min(height - top, width - left), 0);
  // In row-major order a step to the next of the diagonal is one row and one column.
  const flat = reshape(transpose(x, [...rest, rows, columns]), [...kept, height * width]);
  const start = count === 0 ? 0 : top * width + left;
  const ones = kept.map(() => 1);
  return slice(flat, [...kept.map(() => 0), start], [...ones, width + 1], [...kept, count]);
}

/** Checks what `diagonal` and `trace` share, and reads the diagonal. */
function readDiagonal(what: string, array: NDArray, options: DiagonalPlace): Value {
  const { offset = 0, axis1 = 0, axis2 = 1 } = options;
  if (!Number.isInteger(offset)) {
    throw new TypeError(`Cannot ${what}: offset must be an integer, got ${describe(offset)}`);
  }
  if (array.ndim < 2) {
    throw new RangeError(
      `Cannot ${what}: an array of at least two axes is required, got shape ${
        showShape(array.shape)
      }`,
    );
  }
  const rows = normalizeAxis(what, axis1, array.ndim);
  const columns = normalizeAxis(what, axis2, array.ndim);
  if (rows === columns) {
    throw new RangeError(`Cannot ${what}: axis1 and axis2 must differ, got ${axis1} and ${axis2}`);
  }
  return diagonalOf(array, rows, columns, offset);
}

/**
 * The elements of a diagonal, along a last axis that takes the place of the two: the main one of axes 0 and 1
 * unless options say otherwise.
 *
 * @throws {RangeError} if the array has fewer than two axes.
 */
export function diagonal(x: ArrayLike, options: DiagonalPlace = {}): NDArray {
  checkOptions("diagonal", options, ["offset", "axis1", "axis2"]);
  return lifted("diagonal", () => readDiagonal("diagonal", asArray(x, "diagonal"), options));
}

/**
 * The sum of a diagonal, in float32 and rounded once; booleans are counted.
 *
 * @throws {RangeError} if the array has fewer than two axes.
 */
export function trace(x: ArrayLike, options: DiagonalPlace = {}): NDArray {
  checkOptions("trace", options, ["offset", "axis1", "axis2"]);
  return lifted("trace", () => {
    const elements = readDiagonal("trace", asArray(x, "trace"), options);
    const numbers = elements.aval.dtype === "bool" ? astype(elements, "int32") : elements;
    return reduce(sumOperation, numbers, [numbers.aval.shape.length - 1]);
  });
}
