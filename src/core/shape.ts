// Shape arithmetic: sizes, strides, broadcasting, axes, reshaping. Shapes are row-major.
import { describe, showShape } from "./errors.ts";

/** The extents of an array, outermost first; empty for a scalar. */
export type Shape = readonly number[];

/** Kernels index with `u32`: an array must have fewer elements than this. */
const indexLimit = 2 ** 32;

/** The number of elements: the product of the extents, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i];
  return size;
}

/** The distance in elements between neighbours along each axis of a row-major array. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** True if both have the same rank and the same extents. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** The extents of one axis, counted from the last, that are not 1 must all agree. */
function broadcastExtent(shapes: readonly Shape[], fromLast: number): number | undefined {
  let extent = 1;
  for (const shape of shapes) {
    const own = shape.length >= fromLast ? shape[shape.length - fromLast] : 1;
    if (own === 1 || own === extent) continue;
    if (extent !== 1) return undefined;
    extent = own;
  }
  return extent;
}

function listShapes(shapes: readonly Shape[]): string {
  const shown = shapes.map(showShape);
  return shown.length < 2
    ? shown.join("")
    : `${shown.slice(0, -1).join(", ")} and ${shown[shown.length - 1]}`;
}

/**
 * The shape that all the given ones broadcast to: axes are matched from the last, and an extent of 1
 * stretches. No shapes at all give a scalar.
 *
 * @throws RangeError: `Cannot add: shapes do not broadcast, got [2, 3] and [4]`.
 */
export function broadcastShapes(what: string, ...shapes: Shape[]): number[] {
  let rank = 0;
  for (const shape of shapes) rank = Math.max(rank, shape.length);
  const out = new Array<number>(rank);
  for (let fromLast = 1; fromLast <= rank; fromLast++) {
    const extent = broadcastExtent(shapes, fromLast);
    if (extent === undefined) {
      throw new RangeError(`Cannot ${what}: shapes do not broadcast, got ${listShapes(shapes)}`);
    }
    out[rank - fromLast] = extent;
  }
  return checkSize(what, out);
}

/**
 * Returns a shape that an array can have: two small ones may broadcast, or multiply, to one that none can.
 *
 * @throws RangeError if the number of elements reaches 2**32.
 */
export function checkSize<S extends Shape>(what: string, shape: S): S {
  // A zero extent first: the product of the others may be infinite, and infinity times 0 is NaN.
  if (shape.includes(0) || sizeOf(shape) < indexLimit) return shape;
  throw new RangeError(
    `Cannot ${what}: an array must have fewer than 2**32 elements, got shape ${showShape(shape)}`,
  );
}

/**
 * An axis between 0 and `rank - 1`; a negative one counts from the end.
 *
 * @throws TypeError if `axis` is not an integer, RangeError if the array has no such axis.
 */
export function normalizeAxis(what: string, axis: number, rank: number): number {
  if (typeof axis !== "number" || !Number.isInteger(axis)) {
    throw new TypeError(`Cannot ${what}: axis must be an integer, got ${describe(axis)}`);
  }
  if (axis < -rank || axis >= rank) {
    const allowed = rank === 0
      ? "a scalar has no axes"
      : `axis must be from ${-rank} to ${rank - 1} for an array of rank ${rank}`;
    throw new RangeError(`Cannot ${what}: ${allowed}, got ${axis}`);
  }
  // The sum also turns -0 into 0.
  return axis < 0 ? axis + rank : axis + 0;
}

/**
 * The axes a reduction goes over, in rising order; all of them for `undefined` and `null`.
 *
 * @throws TypeError for what is neither a number nor an array of them, RangeError for an axis that
 * does not exist or is named twice.
 */
export function normalizeAxes(
  what: string,
  axis: number | readonly number[] | null | undefined,
  rank: number,
): number[] {
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, i) => i);
  if (!Array.isArray(axis)) {
    if (typeof axis === "number") return [normalizeAxis(what, axis, rank)];
    throw new TypeError(
      `Cannot ${what}: axis must be an integer or an array of integers, got ${describe(axis)}`,
    );
  }
  const axes = Array.from(axis, (one: number) => normalizeAxis(what, one, rank));
  axes.sort((a, b) => a - b);
  for (let i = 1; i < axes.length; i++) {
    if (axes[i] === axes[i - 1]) {
      throw new RangeError(
        `Cannot ${what}: axes must differ, got axis ${axes[i]} twice in ${describe(axis)}`,
      );
    }
  }
  return axes;
}

function isExtent(extent: unknown): extent is number {
  return typeof extent === "number" && Number.isSafeInteger(extent) && extent >= 0;
}

/**
 * Returns a copy of a user's shape.
 *
 * @throws TypeError if it is not an array of integers; RangeError if an extent is negative, or the
 * number of elements reaches 2**32, which `u32` index arithmetic cannot address.
 */
export function checkShape(what: string, shape: unknown): number[] {
  if (!Array.isArray(shape)) {
    const hint = typeof shape === "number" ? `; write [${shape}]` : "";
    throw new TypeError(
      `Cannot ${what}: shape must be an array of non-negative integers, got ${
        describe(shape)
      }${hint}`,
    );
  }
  return checkExtents(what, shape, shape);
}

/** `shown` is what the user wrote, of which `extents` may be a part. */
function checkExtents(
  what: string,
  extents: readonly unknown[],
  shown: readonly unknown[],
): number[] {
  const out: number[] = [];
  for (const extent of extents) {
    if (!isExtent(extent)) {
      const message = `Cannot ${what}: shape must be an array of non-negative integers, got ${
        describe(shown)
      }`;
      const isInteger = typeof extent === "number" && Number.isInteger(extent);
      throw isInteger ? new RangeError(message) : new TypeError(message);
    }
    if (extent >= indexLimit) {
      throw new RangeError(
        `Cannot ${what}: an extent must be below 2**32, got shape ${describe(shown)}`,
      );
    }
    out.push(extent + 0);
  }
  return checkSize(what, out);
}

function inferExtent(what: string, from: Shape, to: readonly number[]): number {
  let known = 1;
  for (const extent of to) {
    if (extent !== -1) known *= extent;
  }
  const size = sizeOf(from);
  if (known === 0 || size % known !== 0) {
    const why = known === 0 ? "-1 is ambiguous beside an extent of 0" : "sizes must match";
    throw new RangeError(
      `Cannot ${what}: ${why}, got ${showShape(from)} (${size} elements) and ${showShape(to)}`,
    );
  }
  return size / known;
}

/**
 * The shape that `reshape` gives: `to`, with a single `-1` replaced by the extent that keeps the
 * number of elements.
 *
 * @throws TypeError if `to` is not an array of integers, RangeError if the sizes cannot match.
 */
export function resolveReshape(what: string, from: Shape, to: readonly number[]): number[] {
  if (Array.isArray(to) && to.includes(-1)) {
    const rest = to.filter((extent) => extent !== -1);
    if (to.length - rest.length > 1) {
      throw new RangeError(`Cannot ${what}: only one extent may be -1, got ${describe(to)}`);
    }
    checkExtents(what, rest, to);
    return to.map((extent) => extent === -1 ? inferExtent(what, from, to) : extent + 0);
  }
  const out = checkShape(what, to);
  if (sizeOf(out) !== sizeOf(from)) {
    throw new RangeError(
      `Cannot ${what}: sizes must match, got ${showShape(from)} (${sizeOf(from)} elements) and ${
        showShape(out)
      } (${sizeOf(out)} elements)`,
    );
  }
  return out;
}
