// Functions of `lax` whose places are found while the program runs: windows and scattered updates.

import { type ArrayLike, asArray, NDArray } from "../array.ts";
import { isInteger } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { checkShape, normalizeAxis, type Shape } from "../core/shape.ts";
import type { AxisOption } from "../methods/movement.ts";
import { at, convertedUpdate } from "../numpy/index_update.ts";
import { indexOperand } from "../numpy/index_parts.ts";
import { lifted } from "../numpy/lift.ts";
import { asIntegers } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { reshape, slice } from "../ops/movement.ts";
import * as windows from "../ops/window.ts";
import type { Value } from "../ir/value.ts";

/** Where a window begins: a number or an integer scalar for each axis, or one integer array of them all. */
export type StartIndices = NDArray | readonly (number | NDArray)[];

/** The starts along some axes as scalars. */
function startValues(
  what: string,
  starts: StartIndices,
  shape: Shape,
  axes: readonly number[],
): Value[] {
  if (starts instanceof NDArray) {
    const all = startArray(what, starts, [shape.length], shape);
    return axes.map((axis) => reshape(slice(all, [axis], [1], [1]), []));
  }
  if (!Array.isArray(starts) || starts.length !== shape.length) {
    throw new RangeError(
      `Cannot ${what}: one start for each axis of shape ${showShape(shape)} is required, got ${
        describe(starts)
      }`,
    );
  }
  const scalars = starts.map((start: number | NDArray) => {
    if (start instanceof NDArray) return startArray(what, start, [], shape);
    if (!Number.isInteger(start)) {
      throw new TypeError(`Cannot ${what}: a start must be an integer, got ${describe(start)}`);
    }
    // Far outside is as far as outside: the start is moved inside in any case.
    return constant(Math.min(Math.max(start, -(2 ** 31)), 2 ** 31 - 1), "int32");
  });
  return axes.map((axis) => scalars[axis]!);
}

/** Starts as integers, which traced JavaScript integers become; throws where they are something else. */
function startArray(what: string, start: NDArray, wanted: Shape, shape: Shape): Value {
  const integers = isInteger(start.dtype) ? start : asIntegers(start, "int32");
  const fits = start.ndim === wanted.length && wanted.every((n, i) => start.shape[i] === n);
  if (integers && fits) return integers;
  const Wrong = integers ? RangeError : TypeError;
  throw new Wrong(
    `Cannot ${what}: starts must be integers, ${
      wanted.length === 0 ? "scalars" : `of shape ${showShape(wanted)}`
    } for shape ${showShape(shape)}, got ${start.dtype}${showShape(start.shape)}`,
  );
}

/**
 * A window of an array that begins at indices found while the program runs. Negative starts count from the
 * end; then the window is moved inside the array where it would reach beyond.
 *
 * @throws {RangeError} if the window is larger than the array.
 *
 * @example
 * ```ts
 * import { init, jit, lax, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const two = jit((x: NDArray, i: NDArray) => lax.dynamicSlice(x, [i], [2]));
 * const i = jnp.array(1, { dtype: "int32" });
 * console.log(await two(jnp.array([1, 2, 3, 4]), i).toList()); // [2, 3]
 * ```
 */
export function dynamicSlice(
  x: ArrayLike,
  starts: StartIndices,
  sizes: readonly number[],
): NDArray {
  const what = "dynamicSlice";
  return lifted(what, () => {
    const array = asArray(x, what);
    const { shape } = array;
    const counts = checkShape(what, sizes);
    if (counts.length !== shape.length || counts.some((count, axis) => count > shape[axis]!)) {
      throw new RangeError(
        `Cannot ${what}: the window must fit inside the array, got ${showShape(counts)} for shape ${
          showShape(shape)
        }`,
      );
    }
    const axes = axesThatDiffer(shape, counts);
    const values = startValues(what, starts, shape, axes);
    const known = staticStarts(starts);
    if (known) return staticWindow(array, known, counts);
    return windows.dynamicSlice(array, values, axes, axes.map((axis) => counts[axis]!));
  }, x);
}

function axesThatDiffer(a: Shape, b: Shape): number[] {
  return a.flatMap((extent, axis) => extent === b[axis] ? [] : [axis]);
}

/** The starts, if all of them are numbers. */
function staticStarts(starts: StartIndices): readonly number[] | undefined {
  if (starts instanceof NDArray) return undefined;
  return starts.every((start) => typeof start === "number") ? starts as number[] : undefined;
}

/** A start moved to where the window is inside the array. */
function movedInside(start: number, extent: number, size: number): number {
  return Math.min(Math.max(start < 0 ? start + extent : start, 0), extent - size);
}

function staticWindow(x: NDArray, starts: readonly number[], counts: Shape): Value {
  const inside = x.shape.map((extent, axis) => movedInside(starts[axis]!, extent, counts[axis]!));
  const whole = counts.every((count, axis) => count === x.shape[axis]);
  return whole ? x : slice(x, inside, counts.map(() => 1), counts);
}

/**
 * The array with an update in place of the window that begins at indices found while the program runs. The
 * starts are taken as by {@linkcode dynamicSlice}; the update becomes the array's type.
 *
 * @throws {RangeError} if the update is larger than the array.
 */
export function dynamicUpdateSlice(
  x: ArrayLike,
  update: ArrayLike,
  starts: StartIndices,
): NDArray {
  const what = "dynamicUpdateSlice";
  return lifted(
    what,
    () => {
      const array = asArray(x, what);
      const { shape } = array;
      const given = convertedUpdate(what, update, array.dtype);
      if (
        given.ndim !== shape.length || given.shape.some((extent, axis) => extent > shape[axis]!)
      ) {
        throw new RangeError(
          `Cannot ${what}: the update must fit inside the array, got ${
            showShape(given.shape)
          } for shape ${showShape(shape)}`,
        );
      }
      const axes = axesThatDiffer(shape, given.shape);
      const values = startValues(what, starts, shape, axes);
      if (given.size === 0) return array;
      const known = staticStarts(starts);
      if (!known) return windows.dynamicUpdateSlice(array, given, values, axes);
      return windows.updateSlice(array, given, {
        mode: "set",
        starts: known.map((start, axis) => movedInside(start, shape[axis]!, given.shape[axis]!)),
        steps: known.map(() => 1),
      });
    },
    x,
    update,
  );
}

/** A start along one axis and 0 along the others, where whole axes leave nothing to choose. */
function startsAlong(axis: number, start: number | NDArray, rank: number): (number | NDArray)[] {
  return Array.from({ length: rank }, (_, a) => a === axis ? start : 0);
}

/** As {@linkcode dynamicSlice}, along one axis, the first by default. */
export function dynamicSliceInDim(
  x: ArrayLike,
  start: number | NDArray,
  size: number,
  options: AxisOption = {},
): NDArray {
  checkOptions("dynamicSliceInDim", options, ["axis"]);
  return lifted("dynamicSliceInDim", () => {
    const array = asArray(x, "dynamicSliceInDim");
    const axis = normalizeAxis("dynamicSliceInDim", options.axis ?? 0, array.ndim);
    const sizes = array.shape.map((extent, a) => a === axis ? size : extent);
    return dynamicSlice(array, startsAlong(axis, start, array.ndim), sizes);
  });
}

/** As {@linkcode dynamicUpdateSlice}, along one axis, the first by default. */
export function dynamicUpdateSliceInDim(
  x: ArrayLike,
  update: ArrayLike,
  start: number | NDArray,
  options: AxisOption = {},
): NDArray {
  checkOptions("dynamicUpdateSliceInDim", options, ["axis"]);
  return lifted("dynamicUpdateSliceInDim", () => {
    const array = asArray(x, "dynamicUpdateSliceInDim");
    const axis = normalizeAxis("dynamicUpdateSliceInDim", options.axis ?? 0, array.ndim);
    return dynamicUpdateSlice(array, update, startsAlong(axis, start, array.ndim));
  });
}

/** One position of an axis (the first by default) found while the program runs; the axis is dropped. */
export function dynamicIndexInDim(
  x: ArrayLike,
  index: number | NDArray,
  options: AxisOption = {},
): NDArray {
  checkOptions("dynamicIndexInDim", options, ["axis"]);
  return lifted("dynamicIndexInDim", () => {
    const array = asArray(x, "dynamicIndexInDim");
    const axis = normalizeAxis("dynamicIndexInDim", options.axis ?? 0, array.ndim);
    const one = dynamicSliceInDim(array, index, 1, { axis });
    return reshape(one, array.shape.filter((_, a) => a !== axis));
  });
}

/**
 * Adds updates to the elements at `indices` along an axis, the first by default: the shape of the indices
 * takes the place of the axis in that of the updates. Indices out of range are left out; repeated ones all
 * count, in float32 and rounded once, with the same bits in every run.
 *
 * @throws {RangeError} if the updates do not broadcast to the places.
 */
export function scatterAdd(
  x: ArrayLike,
  indices: ArrayLike,
  updates: ArrayLike,
  options: AxisOption = {},
): NDArray {
  checkOptions("scatterAdd", options, ["axis"]);
  return lifted("scatterAdd", () => {
    const array = asArray(x, "scatterAdd");
    const axis = normalizeAxis("scatterAdd", options.axis ?? 0, array.ndim);
    const places = indexOperand("scatterAdd", indices, axis, array.shape);
    const whole = Array.from({ length: axis }, () => [] as const);
    return at(array, ...whole, places).add(updates);
  }, x);
}
