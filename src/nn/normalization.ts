// Functions of whole rows: softmax and its kin, normalisation, and classes as rows. Whatever the input's type,
// they compute in float32 and round once, to that type.

import { type ArrayLike, asArray, dtypeOption, type NDArray } from "../array.ts";
import { type DType, isFloating } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { normalizeAxes, normalizeAxis, sameShape, sizeOf } from "../core/shape.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { logSoftmaxRows, overLastAxis, type RowFunction, softmaxRows } from "../numpy/last_axis.ts";
import { lifted } from "../numpy/lift.ts";
import { astype } from "../ops/cast.ts";
import { equal } from "../ops/comparison.ts";
import { iota } from "../ops/constant.ts";
import { reshape } from "../ops/movement.ts";
import { layerNormOperation, type NormParams, rmsNormOperation } from "../ops/rows.ts";

export { logsumexp } from "../numpy/reduction.ts";

/** Along which axes a row lies. */
export interface RowOptions {
  /** One axis or several; by default the last. */
  readonly axis?: number | readonly number[];
}

/** An array as floats: what has no meaning for whole numbers is computed in float32. */
function floatArray(x: ArrayLike, what: string): Value {
  const array = asArray(x, what);
  return isFloating(array.dtype) ? array : astype(array, "float32");
}

function rowFunction(what: string, x: ArrayLike, options: RowOptions, fn: RowFunction): NDArray {
  checkOptions(what, options, ["axis"]);
  return lifted(what, () => {
    const value = floatArray(x, what);
    return overLastAxis(
      value,
      normalizeAxes(what, options.axis ?? -1, value.aval.shape.length),
      fn,
    );
  });
}

/**
 * e^x over its sum along an axis, computed from the distance to the maximum so that nothing overflows.
 *
 * @example
 * ```ts
 * import { init, nn } from "@zenith/jax";
 *
 * await init();
 * console.log(await nn.softmax([1000, 1001, 1002]).toList()); // [0.09, 0.24, 0.67]
 * ```
 */
export function softmax(x: ArrayLike, options: RowOptions = {}): NDArray {
  return rowFunction("softmax", x, options, softmaxRows);
}

/** The logarithm of {@linkcode softmax}, in which nothing cancels. */
export function logSoftmax(x: ArrayLike, options: RowOptions = {}): NDArray {
  return rowFunction("logSoftmax", x, options, logSoftmaxRows);
}

/** Options of {@linkcode rmsNorm}. */
export interface RmsNormOptions extends RowOptions {
  /** What the result is multiplied by: an array with the extents of the normalized axes. */
  readonly scale?: ArrayLike;
  /** What is added to the variance, or to the mean square, before the root; by default 1e-6. */
  readonly eps?: number;
}

/** Options of {@linkcode layerNorm}. */
export interface LayerNormOptions extends RmsNormOptions {
  /** What is added to the result: an array with the extents of the normalized axes. */
  readonly bias?: ArrayLike;
}

/**
 * Layer normalisation (Ba, Kiros and Hinton, 2016): along the axes x less its mean, over the root of its variance
 * and eps, times `scale`, plus `bias`. The statistics are float32 whatever the type of x is.
 *
 * @throws {RangeError} if scale or bias do not have the extents of the axes.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[-800, 800]], { dtype: "float16" });
 * console.log(await nn.layerNorm(x, { scale: jnp.ones([2]) }).toList()); // [[-1, 1]]
 * ```
 */
export function layerNorm(x: ArrayLike, options: LayerNormOptions = {}): NDArray {
  checkOptions("layerNorm", options, ["axis", "scale", "bias", "eps"]);
  return normalize("layerNorm", layerNormOperation, x, options);
}

/**
 * Root mean square normalisation (Zhang and Sennrich, 2019): along the axes x over the root of its mean square
 * and eps, times `scale`.
 *
 * @throws {RangeError} if scale does not have the extents of the axes.
 */
export function rmsNorm(x: ArrayLike, options: RmsNormOptions = {}): NDArray {
  checkOptions("rmsNorm", options, ["axis", "scale", "eps"]);
  return normalize("rmsNorm", rmsNormOperation, x, options);
}

function normalize(
  what: string,
  operation: typeof layerNormOperation,
  x: ArrayLike,
  { axis = -1, scale, bias, eps = 1e-6 }: LayerNormOptions,
): NDArray {
  if (typeof eps !== "number" || !(eps >= 0)) {
    throw new TypeError(`Cannot ${what}: eps must be a number from 0 on, got ${describe(eps)}`);
  }
  return lifted(what, () => {
    const value = floatArray(x, what);
    const { shape } = value.aval;
    const axes = normalizeAxes(what, axis, shape.length);
    const extents = axes.map((a) => shape[a]!);
    const vectors = [scale, bias].flatMap((v) => v === undefined ? [] : [row(what, v, extents)]);
    const params: NormParams = {
      eps,
      hasScale: scale !== undefined,
      hasBias: bias !== undefined,
    };
    return overLastAxis(value, axes, (rows) => bind1(operation, params, rows, ...vectors));
  });
}

/** A scale or a bias as one row. */
function row(what: string, x: ArrayLike, extents: readonly number[]): Value {
  const value = floatArray(x, what);
  if (!sameShape(value.aval.shape, extents)) {
    throw new RangeError(
      `Cannot ${what}: scale and bias must have the shape ${
        showShape(extents)
      } of the normalized axes, got ${showShape(value.aval.shape)}`,
    );
  }
  return reshape(value, [sizeOf(extents)]);
}

/** Options of {@linkcode oneHot}. */
export interface OneHotOptions {
  /** By default float32. */
  readonly dtype?: DType;
  /** Where the axis of classes is put; by default last. */
  readonly axis?: number;
}

/**
 * A new axis of `numClasses` elements with a 1 at each index and zeros elsewhere; all zeros where an index is
 * out of range.
 *
 * @throws {RangeError} if `numClasses` is not a whole number.
 */
export function oneHot(
  indices: ArrayLike,
  numClasses: number,
  options: OneHotOptions = {},
): NDArray {
  checkOptions("oneHot", options, ["dtype", "axis"]);
  const dtype = dtypeOption(options.dtype, "oneHot") ?? "float32";
  if (!Number.isInteger(numClasses) || numClasses < 0) {
    throw new RangeError(
      `Cannot oneHot: numClasses must be a whole number, got ${describe(numClasses)}`,
    );
  }
  return lifted("oneHot", () => {
    const value = asArray(indices, "oneHot");
    const axis = normalizeAxis("oneHot", options.axis ?? -1, value.ndim + 1);
    const type = isFloating(value.dtype) ? "float32" : "int32";
    const classes = iota(value.shape.toSpliced(axis, 0, numClasses), axis, type);
    const placed = reshape(astype(value, type), value.shape.toSpliced(axis, 0, 1));
    return astype(equal(placed, classes), dtype);
  });
}
