// Reading by index: positions, ranges and arrays of integers.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, showShape } from "../core/errors.ts";
import { broadcastShapes, normalizeAxis, type Shape, sizeOf } from "../core/shape.ts";
import type { IndexPart } from "../methods/indexing.ts";
import type { AxisOption } from "../methods/movement.ts";
import { constant } from "../ops/constant.ts";
import * as indexing from "../ops/indexing.ts";
import { broadcastTo, reshape, slice as window, transpose } from "../ops/movement.ts";
import type { Value } from "../ir/value.ts";
import { indexOperand, isWhole, type ResolvedPart, resolveParts } from "./index_parts.ts";
import { lifted } from "./lift.ts";

/**
 * Reads by index, one part for each axis from the first: a number picks a position and drops the axis,
 * `[start, stop, step?]` is a range as in Python (negative numbers count from the end), `[]` the whole axis,
 * `null` a new axis, and an array of integers gathers. Several arrays broadcast together, as in NumPy: their
 * axes stand where the arrays do if those are neighbours, and first if something is between them.
 *
 * @throws {RangeError} if a number is out of range. Indices in arrays are not known beforehand: they clamp.
 * @throws {TypeError} for a boolean mask, whose result would have an unknown shape.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[1, 2, 3], [4, 5, 6]]);
 * console.log(await x.slice(-1).toList()); // [4, 5, 6]
 * console.log(await x.slice([], [null, null, -1]).toList()); // [[3, 2, 1], [6, 5, 4]]
 * ```
 */
export function slice(x: ArrayLike, ...parts: readonly IndexPart<NDArray>[]): NDArray {
  return lifted("slice", () => {
    const array = asArray(x, "slice");
    return readParts(array, resolveParts("slice", array.shape, parts));
  }, x);
}

/** The elements at resolved parts. */
export function readParts(x: Value, parts: readonly ResolvedPart[]): Value {
  const gathers = parts.some((part) => part.kind === "gather");
  const cut = readRanges(x, parts, gathers);
  const shape = cut.aval.shape;
  if (gathers) return gatherParts(cut, parts);
  // What remains are positions of extent 1 to drop and new axes to add.
  const result = parts.flatMap((part) =>
    part.kind === "newAxis" ? [1] : part.kind === "pick" ? [] : [shape[part.axis]!]
  );
  return reshape(cut, result);
}

/** Cuts the ranges out; positions too, unless they have to be indices beside arrays. */
function readRanges(x: Value, parts: readonly ResolvedPart[], keepPicks: boolean): Value {
  const { shape } = x.aval;
  const starts = shape.map(() => 0);
  const steps = shape.map(() => 1);
  const counts = [...shape];
  let whole = true;
  for (const part of parts) {
    if (part.kind === "newAxis" || part.kind === "gather" || isWhole(part, shape)) continue;
    if (part.kind === "pick" && keepPicks) continue;
    whole = false;
    starts[part.axis] = part.kind === "pick" ? part.index : part.start;
    steps[part.axis] = part.kind === "pick" ? 1 : part.step;
    counts[part.axis] = part.kind === "pick" ? 1 : part.count;
  }
  return whole ? x : window(x, starts, steps, counts);
}

/** Parts that pick by index where at least one is an array: NumPy counts numbers among them then. */
export type AdvancedPart = ResolvedPart & { readonly kind: "pick" | "gather" };

/** Whether a part picks by index. */
export function isAdvanced(part: ResolvedPart): part is AdvancedPart {
  return part.kind === "pick" || part.kind === "gather";
}

/** The indices of a part. */
export function indicesOf(part: AdvancedPart): Value {
  return part.kind === "pick" ? constant(part.index, "int32") : part.indices;
}

/** Whether the parts that pick by index stand side by side; their axes of the result come first otherwise. */
export function areNeighbours(parts: readonly ResolvedPart[]): boolean {
  const places = parts.flatMap((part, place) => isAdvanced(part) ? [place] : []);
  return places[places.length - 1]! - places[0]! === places.length - 1;
}

/** The extents of the indices together. */
export function indexShape(what: string, parts: readonly ResolvedPart[]): Shape {
  const shapes = parts.filter(isAdvanced).map((part) => indicesOf(part).aval.shape);
  return broadcastShapes(what, ...shapes);
}

function gatherParts(x: Value, parts: readonly ResolvedPart[]): Value {
  const advanced = parts.filter(isAdvanced);
  const indexed = advanced.map((part) => part.axis);
  const { shape } = x.aval;
  const extents = indexed.map((axis) => shape[axis]!);
  const block = indexShape("slice", parts);
  const flat = indexing.flattenIndices(advanced.map(indicesOf), extents, "clamp");
  const neighbours = areNeighbours(parts);
  // One axis stands for all that are indexed: it is where they were, or the first.
  const rest = shape.map((_, axis) => axis).filter((axis) => !indexed.includes(axis));
  const before = neighbours ? rest.filter((axis) => axis < indexed[0]!) : [];
  const after = rest.filter((axis) => !before.includes(axis));
  const moved = transpose(x, [...before, ...indexed, ...after]);
  const extentsOf = (axes: readonly number[]) => axes.map((axis) => shape[axis]!);
  const joined = reshape(moved, [...extentsOf(before), sizeOf(extents), ...extentsOf(after)]);
  const taken = indexing.take(joined, flat, before.length);
  return reshape(taken, resultShape(parts, shape, block, neighbours));
}

/** The extents of the result, new axes included. */
export function resultShape(
  parts: readonly ResolvedPart[],
  shape: Shape,
  block: Shape,
  neighbours: boolean,
): number[] {
  const first = parts.findIndex(isAdvanced);
  const rest = parts.flatMap((part, place) => {
    if (part.kind === "newAxis") return [1];
    if (part.kind === "range") return [shape[part.axis]!];
    return neighbours && place === first ? block : [];
  });
  return neighbours ? rest : [...block, ...rest];
}

/**
 * The elements of `x` at `indices` along an axis; without one, of `x` in row-major order. The shape of the
 * indices takes the place of the axis. Negative ones count from the end.
 *
 * @throws {RangeError} if an index given as a number is out of range; those in arrays clamp.
 * @throws {TypeError} if the indices are no integers.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[1, 2], [3, 4], [5, 6]]);
 * console.log(await jnp.take(x, [2, 0], { axis: 0 }).toList()); // [[5, 6], [1, 2]]
 * ```
 */
export function take(x: ArrayLike, indices: ArrayLike, options: AxisOption = {}): NDArray {
  checkOptions("take", options, ["axis"]);
  return lifted("take", () => {
    const given = asArray(x, "take");
    const array = options.axis === undefined ? reshape(given, [given.size]) : given;
    const { shape } = array.aval;
    const axis = normalizeAxis("take", options.axis ?? 0, shape.length);
    const wanted = indexOperand("take", indices, axis, shape);
    if (shape[axis] === 0 && wanted.size > 0) {
      throw new RangeError(
        `Cannot take: axis ${axis} must not be empty where indices are given, got shape ${
          showShape(shape)
        }`,
      );
    }
    return indexing.take(array, fromEnd(wanted, shape[axis]!), axis);
  });
}

/** Indices of which negative ones count from the end. */
function fromEnd(indices: Value, extent: number): Value {
  const { dtype } = indices.aval;
  return dtype === "uint32" ? indices : indexing.flattenIndices([indices], [extent], "clamp");
}

/**
 * One element of `x` for every index along an axis, the last by default: the other axes of both broadcast.
 * Negative indices count from the end; those in arrays clamp.
 *
 * @throws {RangeError} if the shapes do not fit, or an index given as a number is out of range.
 */
export function takeAlongAxis(
  x: ArrayLike,
  indices: ArrayLike,
  options: AxisOption = {},
): NDArray {
  checkOptions("takeAlongAxis", options, ["axis"]);
  return lifted("takeAlongAxis", () => {
    const array = asArray(x, "takeAlongAxis");
    const { shape, ndim } = array;
    const axis = normalizeAxis("takeAlongAxis", options.axis ?? -1, ndim);
    const wanted = indexOperand("takeAlongAxis", indices, axis, shape);
    if (wanted.ndim !== ndim) {
      throw new RangeError(
        `Cannot takeAlongAxis: the array and the indices must have the same number of axes, got ${
          showShape(shape)
        } and ${showShape(wanted.shape)}`,
      );
    }
    const without = (of: Shape) => of.map((extent, a) => a === axis ? 1 : extent);
    const common = broadcastShapes("takeAlongAxis", without(shape), without(wanted.shape));
    const along = (extent: number) => common.map((other, a) => a === axis ? extent : other);
    const stretched = broadcastTo(array, along(shape[axis]!));
    const places = broadcastTo(fromEnd(wanted, shape[axis]!), along(wanted.shape[axis]!));
    return indexing.takeAlongAxis(stretched, places, axis);
  });
}
