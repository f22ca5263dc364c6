// Reductions of arrays over axes. Floats are joined in float32 and rounded once, so that the mean of 70,000
// halves does not overflow on the way; integers wrap in 32 bits.

import { type ArrayLike, asArray, dtypeOption, type NDArray } from "../array.ts";
import { type DType, isFloating } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { normalizeAxes, normalizeAxis, sizeOf } from "../core/shape.ts";
import type { Operation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import type {
  AccumulateOptions,
  ArgReduceOptions,
  ExtremeOptions,
  NormOptions,
  ReduceOptions,
  VarianceOptions,
} from "../methods/reduction.ts";
import { sub } from "../ops/arithmetic.ts";
import { astype, convert } from "../ops/cast.ts";
import { maximum, minimum } from "../ops/comparison.ts";
import { reshape } from "../ops/movement.ts";
import * as ops from "../ops/reduction.ts";
import { deviationOperation, normOperation, varianceOperation } from "../ops/statistics.ts";
import { logSumExp, overLastAxis } from "./last_axis.ts";
import { lifted } from "./lift.ts";

export type {
  AccumulateOptions,
  ArgReduceOptions,
  ExtremeOptions,
  NormOptions,
  ReduceOptions,
  VarianceOptions,
};

const reduceKeys = ["axis", "keepdims"] as const;

/** Reduces over the axes of the options, and puts them back with extent 1 where that is asked for. */
function reduceOver(
  what: string,
  x: ArrayLike,
  options: ReduceOptions,
  keys: readonly string[],
  reduce: (value: Value, axes: readonly number[]) => Value,
): NDArray {
  checkOptions(what, options, keys);
  return lifted(what, () => {
    const array = asArray(x, what);
    const axes = normalizeAxes(what, options.axis, array.ndim);
    return keepDims(reduce(array, axes), array, axes, options.keepdims);
  });
}

function keepDims(
  reduced: Value,
  { shape }: NDArray,
  axes: readonly number[],
  keep: boolean | undefined,
): Value {
  return keep ? reshape(reduced, shape.map((e, axis) => axes.includes(axis) ? 1 : e)) : reduced;
}

/** Booleans are counted as int32. */
const counted = (x: Value, dtype?: DType) =>
  dtype ? convert(x, dtype) : x.aval.dtype === "bool" ? astype(x, "int32") : x;

/** What has no meaning for whole numbers is computed in float32. */
const asFloat = (x: Value, dtype?: DType) =>
  dtype ? convert(x, dtype) : isFloating(x.aval.dtype) ? x : astype(x, "float32");

/**
 * The sum over axes. Booleans are counted as int32.
 *
 * @throws {RangeError} if there is no such axis.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[1, 2], [3, 4]]);
 * console.log(await jnp.sum(x, { axis: 0 }).toList()); // [4, 6]
 * console.log(x.mean({ axis: -1, keepdims: true }).shape); // [2, 1]
 * ```
 */
export function sum(x: ArrayLike, options: AccumulateOptions = {}): NDArray {
  const dtype = dtypeOption(options.dtype, "sum");
  return reduceOver(
    "sum",
    x,
    options,
    [...reduceKeys, "dtype"],
    (value, axes) => ops.reduce(ops.sumOperation, counted(value, dtype), axes),
  );
}

/** The product over axes; integers wrap, booleans are multiplied as int32. */
export function prod(x: ArrayLike, options: AccumulateOptions = {}): NDArray {
  const dtype = dtypeOption(options.dtype, "prod");
  return reduceOver(
    "prod",
    x,
    options,
    [...reduceKeys, "dtype"],
    (value, axes) => ops.reduce(ops.prodOperation, counted(value, dtype), axes),
  );
}

/** The mean over axes; of integers and booleans in float32. NaN where there are no elements. */
export function mean(x: ArrayLike, options: AccumulateOptions = {}): NDArray {
  const dtype = dtypeOption(options.dtype, "mean");
  return reduceOver("mean", x, options, [...reduceKeys, "dtype"], (value, axes) => {
    const mean = ops.reduce(ops.meanOperation, asFloat(value, floatOnly(dtype)), axes);
    return astype(mean, dtype ?? mean.aval.dtype);
  });
}

const floatOnly = (dtype: DType | undefined) =>
  dtype === undefined || isFloating(dtype) ? dtype : "float32";

/** The mean square of the distance to the mean, over axes; of integers and booleans in float32. */
function variance(x: ArrayLike, options: VarianceOptions = {}): NDArray {
  return spread("var", varianceOperation, x, options);
}

export { variance as var };

/** The square root of the variance, over axes. */
export function std(x: ArrayLike, options: VarianceOptions = {}): NDArray {
  return spread("std", deviationOperation, x, options);
}

function spread(
  what: string,
  operation: typeof varianceOperation,
  x: ArrayLike,
  options: VarianceOptions,
): NDArray {
  const { ddof, correction = ddof ?? 0 } = options;
  if (ddof !== undefined && options.correction !== undefined) {
    throw new TypeError(`Cannot ${what}: give ddof or correction, not both`);
  }
  if (typeof correction !== "number" || !Number.isFinite(correction)) {
    throw new TypeError(`Cannot ${what}: ddof must be a number, got ${describe(correction)}`);
  }
  return reduceOver(
    what,
    x,
    options,
    [...reduceKeys, "ddof", "correction"],
    (value, axes) => bind1(operation, { axes, correction }, asFloat(value)),
  );
}

/**
 * The maximum over axes; NaN wins.
 *
 * @throws {RangeError} where there are no elements and no `initial`.
 */
export function max(x: ArrayLike, options: ExtremeOptions = {}): NDArray {
  return extreme("max", ops.maxOperation, maximum, x, options);
}

/**
 * The minimum over axes; NaN wins.
 *
 * @throws {RangeError} where there are no elements and no `initial`.
 */
export function min(x: ArrayLike, options: ExtremeOptions = {}): NDArray {
  return extreme("min", ops.minOperation, minimum, x, options);
}

function extreme(
  what: string,
  operation: typeof ops.maxOperation,
  join: (x: Value, y: Value) => Value,
  x: ArrayLike,
  options: ExtremeOptions,
): NDArray {
  return reduceOver(what, x, options, [...reduceKeys, "initial"], (value, axes) => {
    const { initial } = options;
    if (initial === undefined) checkNotEmpty(what, value, axes);
    const reduced = ops.reduce(extremeOf(operation, value), value, axes);
    if (initial === undefined) return reduced;
    return join(reduced, astype(initial, value.aval.dtype));
  });
}

/** The greatest boolean is whether any is true. */
function extremeOf(operation: typeof ops.maxOperation, { aval }: Value): typeof ops.maxOperation {
  if (aval.dtype !== "bool") return operation;
  return operation === ops.maxOperation ? ops.anyOperation : ops.allOperation;
}

function checkNotEmpty(what: string, { aval: { shape } }: Value, axes: readonly number[]): void {
  if (axes.every((axis) => shape[axis] !== 0)) return;
  throw new RangeError(
    `Cannot ${what}: at least one element is required along the reduced axes, got shape ${
      showShape(shape)
    }; give an initial value`,
  );
}

/** The maximum less the minimum, over axes. */
export function ptp(x: ArrayLike, options: ReduceOptions = {}): NDArray {
  return reduceOver("ptp", x, options, reduceKeys, (value, axes) => {
    checkNotEmpty("ptp", value, axes);
    const [top, bottom] = [ops.maxOperation, ops.minOperation].map((o) =>
      ops.reduce(o, value, axes)
    );
    return sub(top!, bottom!);
  });
}

/** Whether any element is true, over axes; anything but 0 is. */
export function any(x: ArrayLike, options: ReduceOptions = {}): NDArray {
  return reduceOver(
    "any",
    x,
    options,
    reduceKeys,
    (value, axes) => ops.reduce(ops.anyOperation, astype(value, "bool"), axes),
  );
}

/** Whether all elements are true, over axes; anything but 0 is. */
export function all(x: ArrayLike, options: ReduceOptions = {}): NDArray {
  return reduceOver(
    "all",
    x,
    options,
    reduceKeys,
    (value, axes) => ops.reduce(ops.allOperation, astype(value, "bool"), axes),
  );
}

/** How many elements are not 0, over axes, as int32. */
export function countNonzero(x: ArrayLike, options: ReduceOptions = {}): NDArray {
  return reduceOver(
    "countNonzero",
    x,
    options,
    reduceKeys,
    (value, axes) => ops.reduce(ops.sumOperation, astype(astype(value, "bool"), "int32"), axes),
  );
}

/** The position of the first maximum along an axis, as int32; the first NaN wins. */
export function argmax(x: ArrayLike, options: ArgReduceOptions = {}): NDArray {
  return position("argmax", ops.argmaxOperation, x, options);
}

/** The position of the first minimum along an axis, as int32; the first NaN wins. */
export function argmin(x: ArrayLike, options: ArgReduceOptions = {}): NDArray {
  return position("argmin", ops.argminOperation, x, options);
}

function position(
  what: string,
  operation: Operation<{ axis: number }>,
  x: ArrayLike,
  options: ArgReduceOptions,
): NDArray {
  checkOptions(what, options, reduceKeys);
  return lifted(what, () => {
    const array = asArray(x, what);
    const whole = options.axis === undefined || options.axis === null;
    const value = whole ? reshape(array, [sizeOf(array.shape)]) : array;
    const axis = whole ? 0 : normalizeAxis(what, options.axis!, array.ndim);
    checkNotEmpty(what, value, [axis]);
    const axes = whole ? array.shape.map((_, i) => i) : [axis];
    return keepDims(bind1(operation, { axis }, value), array, axes, options.keepdims);
  });
}

/** log(sum(exp(x))) over axes, without overflow; of integers in float32. */
export function logsumexp(x: ArrayLike, options: ReduceOptions = {}): NDArray {
  return reduceOver(
    "logsumexp",
    x,
    options,
    reduceKeys,
    (value, axes) => overLastAxis(asFloat(value), axes, logSumExp),
  );
}

/**
 * The norm of the vectors along an axis. Without `ord`, or with `"fro"`, the root of the sum of all squares
 * over any axes.
 *
 * @throws {RangeError} for a numeric `ord` over any but one axis: matrices have other norms.
 */
export function norm(x: ArrayLike, options: NormOptions = {}): NDArray {
  const { ord = 2 } = options;
  if (ord !== "fro" && (typeof ord !== "number" || Number.isNaN(ord))) {
    throw new TypeError(`Cannot norm: ord must be a number or "fro", got ${describe(ord)}`);
  }
  const order = ord === Infinity ? "max" : ord === -Infinity ? "min" : ord === "fro" ? 2 : ord;
  return reduceOver("norm", x, options, [...reduceKeys, "ord"], (value, axes) => {
    if (typeof options.ord === "number" && axes.length !== 1) {
      throw new RangeError(
        `Cannot norm: a vector norm with ord ${ord} goes over one axis, got ${axes.length}; give axis, or flatten the array`,
      );
    }
    if (order === "max" || order === "min") checkNotEmpty("norm", value, axes);
    return bind1(normOperation, { axes, order }, asFloat(value));
  });
}
