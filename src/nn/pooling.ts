// Pooling: the largest element or the mean of every window.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { resolvePadding, type WindowPadding } from "../lax/convolution.ts";
import { lifted } from "../numpy/lift.ts";
import { div } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { windowsOf } from "../ops/convolution.ts";
import { broadcastTo } from "../ops/movement.ts";
import { maxOperation, meanOperation } from "../ops/reduction.ts";
import { checkSpatial, spatialList } from "./conv.ts";

/** Options of {@linkcode maxPool}. */
export interface PoolOptions {
  /** How far apart windows begin: one number for all axes, or one each; by default 1. */
  readonly strides?: number | Shape;
  /** By default `"VALID"`. */
  readonly padding?: WindowPadding;
}

/** Options of {@linkcode avgPool}. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros of the window, as it does by default. */
  readonly countIncludePad?: boolean;
}

/** Reduces windows along their elements. */
type Reduction = (x: Value, axes: readonly number[]) => Value;

function pool(
  what: string,
  x: NDArray,
  windowShape: Shape,
  { strides = 1, padding = "VALID" }: PoolOptions,
  fill: number,
  reduce: Reduction,
): Value {
  if (!isFloating(x.dtype)) {
    throw new TypeError(`Cannot ${what}: x must be floating, got ${describe(x)}`);
  }
  if (!Array.isArray(windowShape)) {
    throw new TypeError(
      `Cannot ${what}: windowShape must be an array such as [2, 2], got ${describe(windowShape)}`,
    );
  }
  const rank = windowShape.length;
  checkSpatial(what, x, rank);
  const sizes = spatialList(what, "windowShape", windowShape, rank);
  const steps = spatialList(what, "strides", strides, rank);
  const windows = sizes.map((size, i) => ({ size, stride: steps[i]!, dilation: 1 }));
  const first = x.ndim - 1 - rank;
  const extents = x.shape.slice(first, first + rank);
  const around = resolvePadding(what, padding, extents, windows);
  const cut = windowsOf(x, first, windows, around, constant(fill, x.dtype));
  return reduce(cut, windows.map((_, i) => first + 2 * i));
}

/**
 * The largest element of every window of `[...batch, ...spatial, features]`, feature by feature, as Flax's
 * `max_pool`. Where several are the largest they share the gradient.
 *
 * @throws {RangeError} if the window, the strides or the padding do not fit the array.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.arange(16).astype("float32").reshape([1, 4, 4, 1]);
 * console.log(await nn.maxPool(x, [2, 2], { strides: 2 }).flatten().toList()); // [5, 7, 13, 15]
 * ```
 */
export function maxPool(x: ArrayLike, windowShape: Shape, options: PoolOptions = {}): NDArray {
  checkOptions("maxPool", options, ["strides", "padding"]);
  return lifted("maxPool", () => {
    const array = asArray(x, "maxPool");
    const largest: Reduction = (value, axes) => bind1(maxOperation, { axes }, value);
    return pool("maxPool", array, windowShape, options, -Infinity, largest);
  });
}

/**
 * The mean of every window of `[...batch, ...spatial, features]`, feature by feature, as Flax's `avg_pool`.
 *
 * @throws {RangeError} if the window, the strides or the padding do not fit the array.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.arange(16).astype("float32").reshape([1, 4, 4, 1]);
 * console.log(await nn.avgPool(x, [2, 2], { strides: 2 }).flatten().toList()); // [2.5, 4.5, 10.5, 12.5]
 * ```
 */
export function avgPool(x: ArrayLike, windowShape: Shape, options: AvgPoolOptions = {}): NDArray {
  checkOptions("avgPool", options, ["strides", "padding", "countIncludePad"]);
  const { countIncludePad = true } = options;
  return lifted("avgPool", () => {
    const array = asArray(x, "avgPool");
    const mean: Reduction = (value, axes) => bind1(meanOperation, { axes }, value);
    if (countIncludePad) return pool("avgPool", array, windowShape, options, 0, mean);
    const wide = isFloating(array.dtype) ? astype(array, "float32") as NDArray : array;
    const ones = broadcastTo(constant(1, "float32"), array.shape) as NDArray;
    const [means, shares] = [wide, ones].map((v) =>
      pool("avgPool", v, windowShape, options, 0, mean)
    );
    return astype(div(means!, shares!), array.dtype);
  });
}
