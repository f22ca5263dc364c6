// Functions that put the elements of an array in other places, or repeat them.

import { type ArrayLike, asArray, fromHost, type NDArray } from "../array.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { checkShape, normalizeAxes, normalizeAxis, sizeOf } from "../core/shape.ts";
import type { AxesOption, AxisOption, Rot90Options } from "../methods/movement.ts";
import { take } from "../ops/indexing.ts";
import { broadcastTo, reshape, slice, transpose } from "../ops/movement.ts";
import { rearrange, type Run } from "../ops/rearrange.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "./lift.ts";

/** Reverses the order of the elements along axes; along all of them without `axis`. */
export function flip(x: ArrayLike, options: AxesOption = {}): NDArray {
  checkOptions("flip", options, ["axis"]);
  return lifted("flip", () => {
    const array = asArray(x, "flip");
    return flipped(array, normalizeAxes("flip", options.axis, array.ndim));
  }, x);
}

function flipped(x: Value, axes: readonly number[]): Value {
  const { shape } = x.aval;
  if (sizeOf(shape) === 0 || axes.length === 0) return x;
  const starts = shape.map((extent, axis) => axes.includes(axis) ? extent - 1 : 0);
  return slice(x, starts, shape.map((_, axis) => axes.includes(axis) ? -1 : 1), shape);
}

/** A list of integers as long as the axes, one given for all of them or one for each. */
function onePerAxis(
  what: string,
  name: string,
  given: number | readonly number[],
  axes: number,
): number[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const bad = list.find((n) => !Number.isInteger(n));
  if (bad !== undefined || list.length === 0) {
    throw new TypeError(
      `Cannot ${what}: ${name} must be an integer or an array of integers, got ${describe(given)}`,
    );
  }
  if (list.length === 1) return new Array<number>(axes).fill(list[0] as number);
  if (list.length === axes) return [...list] as number[];
  throw new RangeError(
    `Cannot ${what}: as many ${name}s as axes are required, got ${
      describe(given)
    } and ${axes} axes`,
  );
}

/**
 * Shifts elements along axes by whole places; what falls off one end enters at the other. Without `axis` the
 * array is shifted in row-major order. A shift for each axis may be given.
 */
export function roll(
  x: ArrayLike,
  shift: number | readonly number[],
  options: AxesOption = {},
): NDArray {
  checkOptions("roll", options, ["axis"]);
  return lifted("roll", () => {
    const array = asArray(x, "roll");
    if (options.axis === undefined) {
      const [by] = onePerAxis("roll", "shift", shift, 1) as [number];
      return reshape(rolled(reshape(array, [array.size]), [0], [by]), array.shape);
    }
    normalizeAxes("roll", options.axis, array.ndim);
    const axes = [options.axis].flat().map((axis) => normalizeAxis("roll", axis, array.ndim));
    return rolled(array, axes, onePerAxis("roll", "shift", shift, axes.length));
  }, x);
}

function rolled(x: Value, axes: readonly number[], shifts: readonly number[]): Value {
  const { shape } = x.aval;
  if (sizeOf(shape) === 0 || axes.length === 0) return x;
  const runs = axes.map((axis, i): Run[] => {
    const extent = shape[axis]!;
    const cut = ((-shifts[i]! % extent) + extent) % extent;
    const parts: Run[] = [
      { start: cut, step: 1, count: extent - cut },
      { start: 0, step: 1, count: cut },
    ];
    return parts.filter(({ count }) => count > 0);
  });
  return rearrange(x, { axes, runs });
}

/**
 * Repeats every element, along an axis or, without one, of the array in row-major order. An array of
 * `repeats` has one for each element.
 *
 * @throws {RangeError} if a number is negative or there are not as many as elements.
 */
export function repeat(
  x: ArrayLike,
  repeats: number | readonly number[],
  options: AxisOption = {},
): NDArray {
  checkOptions("repeat", options, ["axis"]);
  return lifted("repeat", () => {
    const given = asArray(x, "repeat");
    const array = options.axis === undefined ? reshape(given, [given.size]) : given;
    const { shape } = array.aval;
    const axis = normalizeAxis("repeat", options.axis ?? 0, shape.length);
    const counts = onePerAxis("repeat", "repeat", repeats, shape[axis]!);
    if (counts.some((count) => count < 0)) {
      throw new RangeError(
        `Cannot repeat: repeats must not be negative, got ${describe(repeats)}`,
      );
    }
    if (Array.isArray(repeats) && repeats.length > 1) {
      const indices = counts.flatMap((count, i) => new Array<number>(count).fill(i));
      return take(array, fromHost(indices, [indices.length], "int32"), axis);
    }
    return repeatedEach(array, counts[0] ?? 0, axis);
  }, x);
}

function repeatedEach(x: Value, count: number, axis: number): Value {
  const { shape } = x.aval;
  checkShape("repeat", shape.map((extent, a) => a === axis ? extent * count : extent));
  const [before, after] = [shape.slice(0, axis + 1), shape.slice(axis + 1)];
  const stretched = broadcastTo(reshape(x, [...before, 1, ...after]), [...before, count, ...after]);
  return reshape(stretched, [...shape.slice(0, axis), shape[axis]! * count, ...after]);
}

/**
 * Repeats the whole array: `reps[i]` times along axis i. If there are more `reps` than axes the array gets
 * leading ones; if fewer, they count for the last axes.
 *
 * @throws {RangeError} if a number is negative.
 */
export function tile(x: ArrayLike, reps: number | readonly number[]): NDArray {
  return lifted("tile", () => {
    const array = asArray(x, "tile");
    const list = Array.isArray(reps) ? reps : [reps as number];
    for (const count of list) {
      if (Number.isInteger(count) && count >= 0) continue;
      const Wrong = Number.isInteger(count) ? RangeError : TypeError;
      throw new Wrong(
        `Cannot tile: reps must be integers that are not negative, got ${describe(reps)}`,
      );
    }
    const rank = Math.max(array.ndim, list.length);
    const shape = [...new Array<number>(rank - array.ndim).fill(1), ...array.shape];
    const counts = [...new Array<number>(rank - list.length).fill(1), ...list];
    checkShape("tile", shape.map((extent, axis) => extent * counts[axis]!));
    const apart = shape.flatMap((extent) => [1, extent]);
    const stretched = shape.flatMap((extent, axis) => [counts[axis]!, extent]);
    const whole = broadcastTo(reshape(array, apart), stretched);
    return reshape(whole, shape.map((extent, axis) => extent * counts[axis]!));
  }, x);
}

/**
 * Turns the plane of two axes by `k` times 90 degrees, from the first axis towards the second.
 *
 * @throws {RangeError} if the axes are the same or not two.
 */
export function rot90(x: ArrayLike, options: Rot90Options = {}): NDArray {
  checkOptions("rot90", options, ["k", "axes"]);
  const { k = 1, axes = [0, 1] } = options;
  if (!Number.isInteger(k)) {
    throw new TypeError(`Cannot rot90: k must be an integer, got ${describe(k)}`);
  }
  return lifted("rot90", () => {
    const array = asArray(x, "rot90");
    if (normalizeAxes("rot90", axes, array.ndim).length !== 2) {
      throw new RangeError(`Cannot rot90: two axes are required, got ${describe(axes)}`);
    }
    const [one, other] = axes.map((axis) => normalizeAxis("rot90", axis, array.ndim)) as [
      number,
      number,
    ];
    const turns = ((k % 4) + 4) % 4;
    if (turns === 0) return array;
    if (turns === 2) return flipped(array, [one, other]);
    const order = array.shape.map((_, a) => a === one ? other : a === other ? one : a);
    return turns === 1
      ? transpose(flipped(array, [other]), order)
      : flipped(transpose(array, order), [other]);
  }, x);
}
