// Functions that give an array other axes: what they return has the same elements.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import {
  broadcastShapes,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  resolveReshape,
  type Shape,
} from "../core/shape.ts";
import type { AxesOption } from "../methods/movement.ts";
import type { Value } from "../ir/value.ts";
import * as movement from "../ops/movement.ts";
import { lifted, liftedList } from "./lift.ts";

/** Runs a function of one array, whatever stands for it. */
function moved(what: string, x: ArrayLike, move: (array: NDArray) => Value): NDArray {
  return lifted(what, () => move(asArray(x, what)), x);
}

/**
 * The same elements in row-major order under another shape. One extent may be -1: it is inferred from the
 * size. A single number makes one axis.
 *
 * @throws {RangeError} if the sizes do not match.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * console.log(jnp.reshape(jnp.arange(6), [2, -1]).shape); // [2, 3]
 * ```
 */
export function reshape(x: ArrayLike, shape: Shape | number): NDArray {
  return moved("reshape", x, (array) => {
    const wanted = typeof shape === "number" ? [shape] : shape;
    const resolved = resolveReshape("reshape", array.shape, wanted);
    return movement.reshape(array, resolved);
  });
}

/** The elements in row-major order along one axis. */
export function ravel(x: ArrayLike): NDArray {
  return flattened(x, "ravel");
}

/** The elements in row-major order along one axis, as {@linkcode ravel}. */
export function flatten(x: ArrayLike): NDArray {
  return flattened(x, "flatten");
}

function flattened(x: ArrayLike, what: string): NDArray {
  return moved(what, x, (array) => movement.reshape(array, [array.size]));
}

/**
 * Permutes the axes: axis i of the result is axis `axes[i]` of `x`. Without `axes` their order is reversed.
 *
 * @throws {RangeError} if `axes` does not name every axis once.
 */
export function transpose(x: ArrayLike, axes?: readonly number[]): NDArray {
  return moved("transpose", x, (array) => {
    const order = axes === undefined ? reversedAxes(array.ndim) : permutation(axes, array);
    return movement.transpose(array, order);
  });
}

function reversedAxes(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => rank - 1 - i);
}

function permutation(axes: readonly number[], { shape, ndim }: NDArray): number[] {
  if (!Array.isArray(axes)) {
    throw new TypeError(
      `Cannot transpose: axes must be an array of integers, got ${describe(axes)}`,
    );
  }
  const order = axes.map((axis) => normalizeAxis("transpose", axis, ndim));
  if (order.length === ndim && new Set(order).size === ndim) return order;
  throw new RangeError(
    `Cannot transpose: axes must name each of the ${ndim} axes of shape ${
      showShape(shape)
    } once, got ${describe(axes)}`,
  );
}

/** Exchanges two axes. */
export function swapaxes(x: ArrayLike, axis1: number, axis2: number): NDArray {
  return moved("swapaxes", x, (array) => {
    const one = normalizeAxis("swapaxes", axis1, array.ndim);
    const other = normalizeAxis("swapaxes", axis2, array.ndim);
    const axes = array.shape.map((_, axis) => axis === one ? other : axis === other ? one : axis);
    return movement.transpose(array, axes);
  });
}

/** Axes that a caller names one by one, in the order named. */
function namedAxes(axes: number | readonly number[], rank: number, what: string): number[] {
  // Checks the types and that none is there twice, but sorts.
  normalizeAxes(what, axes, rank);
  return [axes].flat().map((axis) => normalizeAxis(what, axis, rank));
}

/**
 * Moves axes to other places; the rest keep their order.
 *
 * @throws {RangeError} if there are not as many destinations as sources.
 */
export function moveaxis(
  x: ArrayLike,
  source: number | readonly number[],
  destination: number | readonly number[],
): NDArray {
  return moved("moveaxis", x, (array) => {
    const from = namedAxes(source, array.ndim, "moveaxis");
    const to = namedAxes(destination, array.ndim, "moveaxis");
    if (from.length !== to.length) {
      throw new RangeError(
        `Cannot moveaxis: as many destinations as sources are required, got ${
          describe(source)
        } and ${describe(destination)}`,
      );
    }
    const rest = array.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
    const axes = array.shape.map((_, axis) => {
      const moved = to.indexOf(axis);
      return moved < 0 ? rest.shift()! : from[moved]!;
    });
    return movement.transpose(array, axes);
  });
}

/** Inserts axes of extent 1; `axis` says where they are in the result. */
export function expandDims(x: ArrayLike, axis: number | readonly number[]): NDArray {
  return moved("expandDims", x, (array) => {
    const added = Array.isArray(axis) ? axis.length : 1;
    const axes = namedAxes(axis, array.ndim + added, "expandDims");
    const rest = [...array.shape];
    const shape = Array.from(
      { length: array.ndim + added },
      (_, i) => axes.includes(i) ? 1 : rest.shift()!,
    );
    return movement.reshape(array, shape);
  });
}

/**
 * Drops axes of extent 1; without `axis` all of them.
 *
 * @throws {RangeError} if an axis named has another extent.
 */
export function squeeze(x: ArrayLike, options: AxesOption = {}): NDArray {
  checkOptions("squeeze", options, ["axis"]);
  return moved("squeeze", x, (array) => {
    const axes = options.axis === undefined
      ? array.shape.flatMap((extent, axis) => extent === 1 ? [axis] : [])
      : normalizeAxes("squeeze", options.axis, array.ndim);
    for (const axis of axes) {
      if (array.shape[axis] === 1) continue;
      throw new RangeError(
        `Cannot squeeze: the extent of axis ${axis} must be 1, got shape ${showShape(array.shape)}`,
      );
    }
    return movement.reshape(array, array.shape.filter((_, axis) => !axes.includes(axis)));
  });
}

/**
 * Stretches axes of extent 1, and adds leading ones, up to a shape.
 *
 * @throws {RangeError} if the array's shape does not broadcast to it.
 */
export function broadcastTo(x: ArrayLike, shape: Shape): NDArray {
  return moved("broadcastTo", x, (array) => {
    const wanted = checkShape("broadcastTo", shape);
    checkStretch(array.shape, wanted, "broadcastTo");
    return movement.broadcastTo(array, wanted);
  });
}

/** Throws unless `shape` stretches to `wanted`. */
export function checkStretch(shape: Shape, wanted: Shape, what: string): void {
  const fits = shape.length <= wanted.length && shape.every((extent, axis) => {
    return extent === 1 || extent === wanted[axis + wanted.length - shape.length];
  });
  if (fits) return;
  throw new RangeError(
    `Cannot ${what}: every extent must be 1 or match the one it is stretched to, got ${
      showShape(shape)
    } and ${showShape(wanted)}`,
  );
}

/** The arrays stretched to the shape that all of them broadcast to. */
export function broadcastArrays(...arrays: readonly ArrayLike[]): NDArray[] {
  return liftedList("broadcastArrays", () => {
    const values = arrays.map((x) => asArray(x, "broadcastArrays"));
    const shape = broadcastShapes("broadcastArrays", ...values.map((v) => v.shape));
    return values.map((v) => movement.broadcastTo(v, shape));
  }, ...arrays);
}

/** The array itself, or a scalar as `[1]`. */
export function atleast1d(x: ArrayLike): NDArray {
  return moved("atleast1d", x, (array) => {
    return movement.reshape(array, array.ndim > 0 ? array.shape : [1]);
  });
}

/** The array itself, or `[n]` as `[1, n]`. */
export function atleast2d(x: ArrayLike): NDArray {
  return moved("atleast2d", x, (array) => {
    return movement.reshape(array, array.ndim > 1 ? array.shape : [1, array.size]);
  });
}

/** The array itself, `[m, n]` as `[m, n, 1]`, or `[n]` as `[1, n, 1]`. */
export function atleast3d(x: ArrayLike): NDArray {
  return moved("atleast3d", x, (array) => {
    if (array.ndim > 2) return array;
    return movement.reshape(array, array.ndim === 2 ? [...array.shape, 1] : [1, array.size, 1]);
  });
}
