// Functions of whole rows: softmax and its kin, and classes as rows. Whatever the input's type, they compute in
// float32 and round once, to that type.

import { type ArrayLike, asArray, dtypeOption, type NDArray } from "../array.ts";
import { type DType, isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { normalizeAxes, normalizeAxis } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { logSoftmaxRows, overLastAxis, type RowFunction, softmaxRows } from "../numpy/last_axis.ts";
import { lifted } from "../numpy/lift.ts";
import { astype } from "../ops/cast.ts";
import { equal } from "../ops/comparison.ts";
import { iota } from "../ops/constant.ts";
import { reshape } from "../ops/movement.ts";

export { logsumexp } from "../numpy/reduction.ts";

/** Along which axes a row lies. */
export interface RowOptions {
  /** One axis or several; by default the last. */
  readonly axis?: number | readonly number[];
}

/** An array as floats: what has no meaning for whole numbers is computed in float32. */
export function floatArray(x: ArrayLike, what: string): Value {
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
