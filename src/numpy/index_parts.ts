// What the parts of an index mean: `x.slice(0, [1, 3], null, indices)` becomes what happens to each axis.

import { asArray, asNDArray, fromHost, NDArray } from "../array.ts";
import { isInteger } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { IndexPart, Range } from "../methods/indexing.ts";
import type { ArrayLike } from "../array.ts";
import { asIntegers } from "../ops/cast.ts";

/** What one part does. Axes are those of the array indexed. */
export type ResolvedPart =
  | { readonly kind: "pick"; readonly axis: number; readonly index: number }
  | {
    readonly kind: "range";
    readonly axis: number;
    readonly start: number;
    readonly step: number;
    readonly count: number;
  }
  | { readonly kind: "newAxis" }
  | { readonly kind: "gather"; readonly axis: number; readonly indices: NDArray };

/** The parts with the axes that they leave out as whole ranges: every axis is named once, in order. */
export function resolveParts(
  what: string,
  shape: Shape,
  parts: readonly IndexPart<NDArray>[],
): ResolvedPart[] {
  const used = parts.filter((part) => part !== null).length;
  if (used > shape.length) {
    throw new RangeError(
      `Cannot ${what}: at most ${shape.length} parts besides new axes are allowed for shape ${
        showShape(shape)
      }, got ${used}`,
    );
  }
  let axis = 0;
  const resolved = parts.map((part): ResolvedPart =>
    part === null ? { kind: "newAxis" } : resolvePart(what, shape, axis++, part)
  );
  for (; axis < shape.length; axis++) resolved.push(resolveRange(what, shape, axis, []));
  return resolved;
}

function resolvePart(
  what: string,
  shape: Shape,
  axis: number,
  part: Exclude<IndexPart<NDArray>, null>,
): ResolvedPart {
  if (typeof part === "number") {
    return { kind: "pick", axis, index: checkIndex(what, part, axis, shape) };
  }
  if (part instanceof NDArray) return gatherPart(what, shape, axis, part);
  if (part instanceof Int32Array || part instanceof Uint32Array) {
    const dtype = part instanceof Int32Array ? "int32" : "uint32";
    return gatherPart(what, shape, axis, fromHost(part, [part.length], dtype));
  }
  if (Array.isArray(part)) return resolveRange(what, shape, axis, part);
  throw new TypeError(
    `Cannot ${what}: a part must be a number, a range [start, stop, step?], null or an integer array, got ${
      describe(part)
    }`,
  );
}

/** An index of a JS number, made positive. */
export function checkIndex(what: string, index: number, axis: number, shape: Shape): number {
  const extent = shape[axis]!;
  if (!Number.isInteger(index)) {
    throw new TypeError(`Cannot ${what}: an index must be an integer, got ${describe(index)}`);
  }
  if (index < -extent || index >= extent) {
    throw new RangeError(
      `Cannot ${what}: index ${index} is out of range for axis ${axis} of shape ${
        showShape(shape)
      }`,
    );
  }
  return index < 0 ? index + extent : index + 0;
}

function gatherPart(what: string, shape: Shape, axis: number, indices: NDArray): ResolvedPart {
  const integers = indexArray(what, indices);
  if (shape[axis] === 0 && indices.size > 0) {
    throw new RangeError(
      `Cannot ${what}: an axis that an array indexes must not be empty, got axis ${axis} of shape ${
        showShape(shape)
      }`,
    );
  }
  return { kind: "gather", axis, indices: integers };
}

/** Indices as integers, which traced JavaScript integers become; throws where they are something else. */
function indexArray(what: string, indices: NDArray): NDArray {
  const { dtype } = indices;
  if (isInteger(dtype)) return indices;
  const integers = asIntegers(indices, "int32");
  if (integers) return asNDArray(integers);
  if (dtype === "bool") {
    throw new TypeError(
      `Cannot ${what}: a boolean mask would give a shape that depends on values; use numpy.where(mask, x, y)`,
    );
  }
  throw new TypeError(
    `Cannot ${what}: an index array must be int32 or uint32, got ${dtype}; convert it with astype("int32")`,
  );
}

/** Python's rule for slices: ends beyond the array are cut, negative ones count from its end. */
function resolveRange(
  what: string,
  shape: Shape,
  axis: number,
  range: Range,
): ResolvedPart & { kind: "range" } {
  const given = range as readonly unknown[];
  const fits = given.length !== 1 && given.length <= 3 && given.every(isRangeEnd);
  if (!fits) {
    throw new TypeError(
      `Cannot ${what}: a range must be [], [start, stop] or [start, stop, step] of integers, got ${
        describe(range)
      }; to gather, pass an integer array such as numpy.array([0, 2], { dtype: "int32" })`,
    );
  }
  const extent = shape[axis]!;
  const step = range[2] ?? 1;
  if (step === 0 || !Number.isFinite(step)) {
    throw new RangeError(`Cannot ${what}: a step must not be 0, got ${describe(range)}`);
  }
  // Backwards the places before the first and after the last element shift by one.
  const [lowest, highest] = step > 0 ? [0, extent] : [-1, extent - 1];
  const place = (end: number) => Math.min(Math.max(end < 0 ? end + extent : end, lowest), highest);
  const start = place(range[0] ?? (step > 0 ? 0 : Infinity));
  const stop = range[1] === undefined || range[1] === null
    ? (step > 0 ? highest : lowest)
    : place(range[1]);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  return { kind: "range", axis, start: count === 0 ? 0 : start, step, count };
}

function isRangeEnd(end: unknown): boolean {
  return end === undefined || end === null || Number.isInteger(end) || end === Infinity ||
    end === -Infinity;
}

/** Whether a part leaves its axis as it is. */
export function isWhole(part: ResolvedPart, shape: Shape): boolean {
  return part.kind === "range" && part.step === 1 && part.count === shape[part.axis];
}

/**
 * Indices in place of which numbers may be given: those are checked against the axis, while an array's are
 * not known. Negative ones are left to count from the end.
 */
export function indexOperand(
  what: string,
  indices: ArrayLike,
  axis: number,
  shape: Shape,
): NDArray {
  if (indices instanceof NDArray) return indexArray(what, indices);
  if (typeof indices === "boolean") {
    throw new TypeError(`Cannot ${what}: indices must be integers, got ${indices}`);
  }
  if (typeof indices === "number") {
    return fromHost([checkIndex(what, indices, axis, shape)], [], "int32");
  }
  const numbers: readonly unknown[] = Array.isArray(indices) ? indices.flat(Infinity) : [
    ...indices as Iterable<number>,
  ];
  for (const index of numbers) {
    if (typeof index !== "number") {
      throw new TypeError(`Cannot ${what}: indices must be integers, got ${describe(index)}`);
    }
    checkIndex(what, index, axis, shape);
  }
  return asArray(indices, what, "int32");
}
