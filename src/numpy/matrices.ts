// Matrices that follow from positions: identities, triangles and diagonals, made on the device from coordinates.

import { type ArrayLike, asArray, dtypeOption, type NDArray } from "../array.ts";
import type { DType } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { checkShape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import type { DiagonalOption } from "../methods/elementwise.ts";
import { sub } from "../ops/arithmetic.ts";
import { promote } from "../ops/cast.ts";
import { equal, greaterEqual } from "../ops/comparison.ts";
import { constant, iota } from "../ops/constant.ts";
import { broadcastTo, pad, reshape, slice } from "../ops/movement.ts";
import { where } from "../ops/selection.ts";
import type { DTypeOption } from "./creation.ts";
import { lifted } from "./lift.ts";

/** Which diagonal, and the type of what is created. */
export interface DiagonalOptions extends DTypeOption, DiagonalOption {}

function checkDiagonal(what: string, k: number): number {
  if (Number.isInteger(k)) return k;
  throw new TypeError(`Cannot ${what}: k must be an integer, got ${describe(k)}`);
}

/** Column less row at every element of a matrix shape, as int32: 0 on the main diagonal. */
function diagonalNumber(shape: readonly number[]): Value {
  const rank = shape.length;
  return sub(iota(shape, rank - 1, "int32"), iota(shape, rank - 2, "int32"));
}

/** Splits `(n, m?, options?)`, where `m` may be left out. */
function matrixArguments(
  what: string,
  n: number,
  m: number | DiagonalOptions | undefined,
  options: DiagonalOptions,
): { shape: number[]; k: number; dtype: DType } {
  const given = typeof m === "object" ? m : options;
  checkOptions(what, given, ["k", "dtype"]);
  const shape = checkShape(what, [n, typeof m === "number" ? m : n]);
  const dtype = dtypeOption(given.dtype, what) ?? "float32";
  return { shape, k: checkDiagonal(what, given.k ?? 0), dtype };
}

/** A matrix of n rows and m columns (by default n) with ones on diagonal `k`, zeros elsewhere. */
export function eye(
  n: number,
  m?: number | DiagonalOptions,
  options: DiagonalOptions = {},
): NDArray {
  const { shape, k, dtype } = matrixArguments("eye", n, m, options);
  return lifted("eye", () => promote(equal(diagonalNumber(shape), k), dtype));
}

/** The identity matrix of n rows. */
export function identity(n: number, options: DTypeOption = {}): NDArray {
  checkOptions("identity", options, ["dtype"]);
  return eye(n, n, options);
}

/** A matrix with ones on and below diagonal `k`, zeros above. */
export function tri(
  n: number,
  m?: number | DiagonalOptions,
  options: DiagonalOptions = {},
): NDArray {
  const { shape, k, dtype } = matrixArguments("tri", n, m, options);
  return lifted("tri", () => promote(greaterEqual(k, diagonalNumber(shape)), dtype));
}

/** The lower triangle of matrices: zeros above diagonal `k`. */
export function tril(x: ArrayLike, options: DiagonalOption = {}): NDArray {
  return triangle("tril", x, options, (number, k) => greaterEqual(k, number));
}

/** The upper triangle of matrices: zeros below diagonal `k`. */
export function triu(x: ArrayLike, options: DiagonalOption = {}): NDArray {
  return triangle("triu", x, options, (number, k) => greaterEqual(number, k));
}

function triangle(
  what: string,
  x: ArrayLike,
  options: DiagonalOption,
  kept: (number: Value, k: number) => Value,
): NDArray {
  checkOptions(what, options, ["k"]);
  const k = checkDiagonal(what, options.k ?? 0);
  return lifted(what, () => {
    const matrix = asArray(x, what);
    if (matrix.ndim < 2) {
      throw new RangeError(
        `Cannot ${what}: at least two axes are required, got shape ${showShape(matrix.shape)}`,
      );
    }
    const mask = kept(diagonalNumber(matrix.shape.slice(-2)), k);
    return where(mask, matrix, constant(0, matrix.dtype));
  });
}

/**
 * The matrix with a vector on its diagonal `k`, zeros elsewhere; or the diagonal `k` of a matrix.
 *
 * @throws {RangeError} for an array of another rank.
 */
export function diag(x: ArrayLike, options: DiagonalOption = {}): NDArray {
  checkOptions("diag", options, ["k"]);
  const k = checkDiagonal("diag", options.k ?? 0);
  return lifted("diag", () => {
    const value = asArray(x, "diag");
    if (value.ndim === 1) return diagonalMatrix(value, k);
    if (value.ndim === 2) return diagonalOf(value, k);
    throw new RangeError(
      `Cannot diag: one or two axes are required, got shape ${showShape(value.shape)}`,
    );
  });
}

/** Diagonal k of an n by n matrix is the main one of it with |k| rows or columns more on one side. */
function diagonalMatrix(x: Value, k: number): Value {
  const [length] = x.aval.shape as [number];
  const zero = constant(0, x.aval.dtype);
  const onMain = equal(diagonalNumber([length, length]), 0);
  const square = where(onMain, broadcastTo(x, [length, length]), zero);
  if (k === 0) return square;
  const [right, down] = [Math.max(k, 0), Math.max(-k, 0)];
  return pad(square, zero, [down, right], [right, down]);
}

/** Neighbours on a diagonal are a row and an element apart. */
function diagonalOf(x: Value, k: number): Value {
  const [rows, columns] = x.aval.shape as [number, number];
  const [right, down] = [Math.max(k, 0), Math.max(-k, 0)];
  const length = Math.max(0, Math.min(rows - down, columns - right));
  const start = length > 0 ? down * columns + right : 0;
  return slice(reshape(x, [rows * columns]), [start], [columns + 1], [length]);
}
