// Functions that join arrays into one and cut one into several.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { normalizeAxis, sameShape } from "../core/shape.ts";
import type { AxisOption } from "../methods/movement.ts";
import { concatenate as join } from "../ops/concatenate.ts";
import { promoteOperands } from "../ops/define.ts";
import { slice } from "../ops/movement.ts";
import type { Value } from "../ir/value.ts";
import { lifted, liftedList } from "./lift.ts";
import { atleast1d, atleast2d, atleast3d, expandDims } from "./movement.ts";

function checkList(arrays: readonly ArrayLike[], what: string): void {
  if (!Array.isArray(arrays)) {
    throw new TypeError(`Cannot ${what}: an array of arrays is required, got ${describe(arrays)}`);
  }
  if (arrays.length === 0) {
    throw new RangeError(`Cannot ${what}: at least one array is required, got none`);
  }
}

/** Joins arrays, after what `prepare` makes of each, along the axis that `axisOf` tells from the rank. */
function joined(
  what: string,
  given: readonly ArrayLike[],
  axisOf: (rank: number) => number,
  prepare: (x: NDArray) => NDArray = (x) => x,
): NDArray {
  checkList(given, what);
  return lifted(what, () => {
    const arrays = given.map((x) => prepare(asArray(x, what)));
    const [first] = arrays as [NDArray];
    const axis = normalizeAxis(what, axisOf(first.ndim), first.ndim);
    for (const { shape } of arrays) {
      const fits = shape.length === first.ndim &&
        shape.every((extent, a) => a === axis || extent === first.shape[a]);
      if (fits) continue;
      throw new RangeError(
        `Cannot ${what}: shapes must match except along axis ${axis}, got ${
          showShape(first.shape)
        } and ${showShape(shape)}`,
      );
    }
    return join(promoteOperands(arrays), axis);
  }, ...given);
}

/**
 * The arrays one after the other along an axis that they have, 0 by default. Their types are promoted.
 *
 * @throws {RangeError} if the shapes differ elsewhere than along the axis.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.ones([2, 3]);
 * console.log(jnp.concatenate([x, x], { axis: 1 }).shape); // [2, 6]
 * ```
 */
export function concatenate(arrays: readonly ArrayLike[], options: AxisOption = {}): NDArray {
  checkOptions("concatenate", options, ["axis"]);
  return joined("concatenate", arrays, () => options.axis ?? 0);
}

/**
 * Arrays of one shape side by side along a new axis, the first by default.
 *
 * @throws {RangeError} if the shapes differ.
 */
export function stack(arrays: readonly ArrayLike[], options: AxisOption = {}): NDArray {
  checkOptions("stack", options, ["axis"]);
  checkList(arrays, "stack");
  return lifted("stack", () => {
    const list = arrays.map((x) => asArray(x, "stack"));
    const [first] = list as [NDArray];
    const odd = list.find(({ shape }) => !sameShape(shape, first.shape));
    if (odd) {
      throw new RangeError(
        `Cannot stack: shapes must match, got ${showShape(first.shape)} and ${
          showShape(odd.shape)
        }`,
      );
    }
    const axis = normalizeAxis("stack", options.axis ?? 0, first.ndim + 1);
    return joined("stack", list, () => axis, (x) => expandDims(x, axis));
  });
}

/** The arrays beside one another: along axis 1, or axis 0 where they have only that. */
export function hstack(arrays: readonly ArrayLike[]): NDArray {
  return joined("hstack", arrays, (rank) => rank === 1 ? 0 : 1, atleast1d);
}

/** The arrays below one another: along axis 0, `[n]` counting as a row `[1, n]`. */
export function vstack(arrays: readonly ArrayLike[]): NDArray {
  return joined("vstack", arrays, () => 0, atleast2d);
}

/** The arrays behind one another: along axis 2, as {@linkcode atleast3d} gives them. */
export function dstack(arrays: readonly ArrayLike[]): NDArray {
  return joined("dstack", arrays, () => 2, atleast3d);
}

/** The part of an array from `start` to `stop` along an axis. */
function section(x: NDArray, axis: number, start: number, stop: number): Value {
  const starts = x.shape.map((_, a) => a === axis ? start : 0);
  const shape = x.shape.map((extent, a) => a === axis ? Math.max(stop - start, 0) : extent);
  return slice(x, shape.includes(0) ? starts.map(() => 0) : starts, x.shape.map(() => 1), shape);
}

/** A position along an axis as Python takes it in a slice: negative from the end, cut to the extent. */
function position(at: number, extent: number, what: string): number {
  if (!Number.isInteger(at)) {
    throw new TypeError(`Cannot ${what}: positions must be integers, got ${describe(at)}`);
  }
  return Math.min(Math.max(at < 0 ? at + extent : at, 0), extent);
}

function divided(
  x: ArrayLike,
  parts: number | readonly number[],
  options: AxisOption,
  what: string,
  equal: boolean,
): NDArray[] {
  checkOptions(what, options, ["axis"]);
  return liftedList(what, () => {
    const array = asArray(x, what);
    const axis = normalizeAxis(what, options.axis ?? 0, array.ndim);
    const extent = array.shape[axis]!;
    const ends = Array.isArray(parts)
      ? [...parts.map((at) => position(at, extent, what)), extent]
      : equalEnds(parts as number, extent, what, equal, array);
    return ends.map((end, i) => section(array, axis, i === 0 ? 0 : ends[i - 1]!, end));
  });
}

function equalEnds(
  parts: number,
  extent: number,
  what: string,
  equal: boolean,
  array: NDArray,
): number[] {
  if (!Number.isInteger(parts)) {
    throw new TypeError(
      `Cannot ${what}: a number of parts or an array of positions is required, got ${
        describe(parts)
      }`,
    );
  }
  if (parts < 1 || (equal && extent % parts !== 0)) {
    const rule = parts < 1 ? "the number of parts must be at least 1" : "the parts must be equal";
    throw new RangeError(
      `Cannot ${what}: ${rule}, got ${parts} for the extent ${extent} of shape ${
        showShape(array.shape)
      }${parts < 1 ? "" : "; arraySplit allows unequal ones"}`,
    );
  }
  // The first parts take one more each until the rest is used up, as numpy does.
  const [least, rest] = [Math.floor(extent / parts), extent % parts];
  return Array.from({ length: parts }, (_, i) => (i + 1) * least + Math.min(i + 1, rest));
}

/**
 * Cuts an array along an axis (0 by default) into a number of equal parts, or at an array of positions:
 * `[2, 5]` gives the ranges up to 2, from 2 to 5, and from 5.
 *
 * @throws {RangeError} if the extent is no multiple of the number of parts.
 */
export function split(
  x: ArrayLike,
  parts: number | readonly number[],
  options: AxisOption = {},
): NDArray[] {
  return divided(x, parts, options, "split", true);
}

/** As {@linkcode split}, but the first parts may be longer by one than the last. */
export function arraySplit(
  x: ArrayLike,
  parts: number | readonly number[],
  options: AxisOption = {},
): NDArray[] {
  return divided(x, parts, options, "arraySplit", false);
}
