// The `lax` namespace: JAX's operations under their own names. What `numpy` has under the same name with the
// same meaning is the same function.

import { clip, where } from "./numpy/comparison.ts";
import { type LaxScan, laxScan } from "./numpy/accumulation.ts";
import { type ArrayLike, asArray, type NDArray } from "./array.ts";
import { showShape } from "./core/errors.ts";
import { sameShape } from "./core/shape.ts";
import { lift1 } from "./numpy/lift.ts";
import type { Unary } from "./numpy/arithmetic.ts";
import { sigmoid } from "./ops/activation.ts";
import * as scans from "./ops/scan.ts";

export { stopGradient } from "./transform/stop_gradient.ts";
export { cond } from "./transform/cond.ts";
export { foriLoop, scan, type ScanOptions } from "./transform/scan.ts";
export { whileLoop, type WhileOptions } from "./transform/while_loop.ts";
export * from "./lax/contraction.ts";
export {
  type ConvDimensionNumbers,
  convGeneralDilated,
  type ConvGeneralDilatedOptions,
  type WindowPadding,
} from "./lax/convolution.ts";
export * from "./lax/shape.ts";
export * from "./lax/window.ts";
export type { LaxScan, ScanAxisOptions } from "./numpy/accumulation.ts";
export {
  abs,
  add,
  div,
  fmod as rem,
  maximum as max,
  minimum as min,
  mul,
  neg,
  pow,
  reciprocal,
  sign,
  square,
  sub,
} from "./numpy/arithmetic.ts";
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cbrt,
  ceil,
  cos,
  cosh,
  erf,
  erfc,
  erfInv,
  exp,
  exp2,
  expm1,
  floor,
  log,
  log1p,
  round,
  rsqrt,
  sin,
  sinh,
  sqrt,
  tan,
  tanh,
} from "./numpy/elementary.ts";
export {
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  equal as eq,
  greater as gt,
  greaterEqual as ge,
  isfinite as isFinite,
  less as lt,
  lessEqual as le,
  notEqual as ne,
} from "./numpy/comparison.ts";
export { argmax, argmin } from "./numpy/reduction.ts";
export { expandDims, reshape, squeeze, transpose } from "./numpy/movement.ts";
export { dot } from "./numpy/linear_algebra.ts";
export { sort, topK } from "./numpy/sorting.ts";

/** The sums of all elements up to each, along axis 0 by default; with `reverse` from the last on. */
export const cumsum: LaxScan = laxScan("cumsum", scans.cumsumOperation);
/** The products of all elements up to each, along axis 0 by default; with `reverse` from the last on. */
export const cumprod: LaxScan = laxScan("cumprod", scans.cumprodOperation);
/** The largest element up to each, along axis 0 by default; with `reverse` from the last on. NaN stays. */
export const cummax: LaxScan = laxScan("cummax", scans.cummaxOperation);
/** The smallest element up to each, along axis 0 by default; with `reverse` from the last on. NaN stays. */
export const cummin: LaxScan = laxScan("cummin", scans.cumminOperation);

/** 1 / (1 + exp(-x)); `nn.sigmoid` by its name in `lax`. */
export const logistic: Unary = lift1("logistic", sigmoid);

/** Every element moved into `min`..`max`, which come before and after it as in JAX. */
export function clamp(min: ArrayLike, x: ArrayLike, max: ArrayLike): NDArray {
  return clip(x, min, max);
}

/**
 * The elements of `onTrue` where the boolean `predicate` is true, those of `onFalse` elsewhere. As in JAX the
 * two have one shape and type, and the predicate has their shape or is a scalar; `numpy.where` is looser.
 *
 * @throws {RangeError} if the shapes differ.
 * @throws {TypeError} if the types differ, or the predicate is not boolean.
 */
export function select(predicate: ArrayLike, onTrue: ArrayLike, onFalse: ArrayLike): NDArray {
  const [condition, x, y] = [predicate, onTrue, onFalse].map((v) => asArray(v, "select")) as [
    NDArray,
    NDArray,
    NDArray,
  ];
  if (condition.dtype !== "bool" || x.dtype !== y.dtype) {
    throw new TypeError(
      `Cannot select: a boolean predicate and two arrays of one type are required, got ${
        [condition, x, y].map(({ dtype }) => dtype).join(", ")
      }; numpy.where converts`,
    );
  }
  if (
    !sameShape(x.shape, y.shape) || !(condition.ndim === 0 || sameShape(condition.shape, x.shape))
  ) {
    throw new RangeError(
      `Cannot select: shapes must match, got ${
        [condition, x, y].map(({ shape }) => showShape(shape)).join(", ")
      }; numpy.where broadcasts`,
    );
  }
  return where(condition, x, y);
}
