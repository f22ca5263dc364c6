// Writing by index: the same parts as in reading say which elements of a copy change.

import { type ArrayLike, asArray, asNDArray, type NDArray } from "../array.ts";
import { type DType, isFloating } from "../core/dtype.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { IndexPart, IndexUpdate } from "../methods/indexing.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { promote } from "../ops/cast.ts";
import { iota } from "../ops/constant.ts";
import { flattenIndices, scatter, type ScatterMode } from "../ops/indexing.ts";
import { broadcastTo, reshape, transpose } from "../ops/movement.ts";
import { updateSlice } from "../ops/window.ts";
import type { Value } from "../ir/value.ts";
import { isWhole, type ResolvedPart, resolveParts } from "./index_parts.ts";
import {
  areNeighbours,
  indexShape,
  indicesOf,
  isAdvanced,
  readParts,
  resultShape,
} from "./indexing.ts";
import { lifted } from "./lift.ts";
import { checkStretch } from "./movement.ts";

/** The elements of an array at some parts, to be replaced or joined with others. */
class ArrayUpdate implements IndexUpdate<NDArray> {
  readonly #array: NDArray;
  readonly #parts: readonly ResolvedPart[];

  constructor(array: NDArray, parts: readonly ResolvedPart[]) {
    this.#array = array;
    this.#parts = parts;
  }

  get(): NDArray {
    return lifted("at().get", () => readParts(this.#array, this.#parts), this.#array);
  }

  set(values: ArrayLike): NDArray {
    return this.#update("set", values);
  }

  add(values: ArrayLike): NDArray {
    return this.#update("add", values);
  }

  mul(values: ArrayLike): NDArray {
    return this.#update("mul", values);
  }

  min(values: ArrayLike): NDArray {
    return this.#update("min", values);
  }

  max(values: ArrayLike): NDArray {
    return this.#update("max", values);
  }

  #update(mode: ScatterMode, values: ArrayLike): NDArray {
    const what = `at().${mode}`;
    return lifted(what, () => {
      const update = convertedUpdate(what, values, this.#array.dtype);
      return updateParts(what, this.#array, this.#parts, update, mode);
    }, this.#array);
  }
}

/**
 * The places that an update changes: `x.at(...parts)` takes the parts of `slice` and has `set`, `add`, `mul`,
 * `min` and `max`, each of which gives a new array, and `get`. Values broadcast to the places; indices in
 * arrays that are out of range are left out, and repeated ones all count, in order.
 *
 * @throws {RangeError} if a number is out of range, or values do not broadcast to the places.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const counts = jnp.zeros([4]);
 * const indices = jnp.array([1, 3, 1], { dtype: "int32" });
 * console.log(await counts.at(indices).add(1).toList()); // [0, 2, 0, 1]
 * console.log(await counts.at([1, 3]).set(5).toList()); // [0, 5, 5, 0]
 * ```
 */
export function at(x: ArrayLike, ...parts: readonly IndexPart<NDArray>[]): IndexUpdate<NDArray> {
  const array = asArray(x, "at");
  return new ArrayUpdate(array, resolveParts("at", array.shape, parts));
}

/** The values in the array's type; floats are not cut to integers silently. */
export function convertedUpdate(what: string, values: ArrayLike, dtype: DType): NDArray {
  const integers = !isFloating(dtype) && dtype !== "bool" && Array.isArray(values) &&
    values.flat(Infinity).every(Number.isInteger);
  const update = asArray(values, what, integers ? dtype : undefined);
  const { weak, dtype: own } = update.aval;
  const fits = dtype === own || isFloating(dtype) || own === "bool" ||
    (dtype !== "bool" && (weak === "integer" || !isFloating(own)));
  if (fits && (dtype !== "bool" || own === "bool")) return asNDArray(promote(update, dtype));
  throw new TypeError(
    `Cannot ${what}: values of ${own} do not fit an array of ${dtype}; convert them with astype("${dtype}")`,
  );
}

function updateParts(
  what: string,
  x: Value,
  parts: readonly ResolvedPart[],
  values: Value,
  mode: ScatterMode,
): Value {
  return parts.some((part) => part.kind === "gather")
    ? updateByArrays(what, x, parts, values, mode)
    : updateWindow(what, x, parts, values, mode);
}

/** Positions and ranges: a strided window. */
function updateWindow(
  what: string,
  x: Value,
  parts: readonly ResolvedPart[],
  values: Value,
  mode: ScatterMode,
): Value {
  const starts: number[] = [];
  const steps: number[] = [];
  const counts: number[] = [];
  for (const part of parts) {
    if (part.kind !== "pick" && part.kind !== "range") continue;
    const pick = part.kind === "pick";
    starts.push(pick ? part.index : part.start);
    steps.push(pick ? 1 : part.step);
    counts.push(pick ? 1 : part.count);
  }
  const places = parts.flatMap((part) =>
    part.kind === "newAxis" ? [1] : part.kind === "range" ? [part.count] : []
  );
  checkStretch(values.aval.shape, places, what);
  if (sizeOf(counts) === 0) return x;
  const update = reshape(broadcastTo(values, places), counts);
  return updateSlice(x, update, { mode, starts, steps });
}

/** One axis of the places that are written: which axis of the array it goes along, if only one. */
interface PlaceAxis {
  readonly extent: number;
  /** Whether a part other than a whole range made it. */
  readonly touched: boolean;
}

/** The axes of the places without new ones, and where those of the index arrays begin. */
function placeAxes(
  parts: readonly ResolvedPart[],
  shape: Shape,
  block: Shape,
): { readonly axes: readonly PlaceAxis[]; readonly blockStart: number } {
  const neighbours = areNeighbours(parts);
  const first = parts.findIndex(isAdvanced);
  const ofBlock = block.map((extent) => ({ extent, touched: true }));
  const axes: PlaceAxis[] = neighbours ? [] : [...ofBlock];
  let blockStart = 0;
  parts.forEach((part, place) => {
    if (neighbours && place === first) {
      blockStart = axes.length;
      axes.push(...ofBlock);
    }
    if (part.kind === "range") {
      axes.push({ extent: part.count, touched: !isWhole(part, shape) });
    }
  });
  return { axes, blockStart };
}

/**
 * Index arrays: the axes of the array that any part touches become one, whose positions are computed, and the
 * others a row of elements that move together.
 */
function updateByArrays(
  what: string,
  x: Value,
  parts: readonly ResolvedPart[],
  values: Value,
  mode: ScatterMode,
): Value {
  const { shape } = x.aval;
  const block = indexShape(what, parts);
  const cut = shape.map((extent, axis) => {
    const part = parts.find((p) => p.kind === "range" && p.axis === axis);
    return part?.kind === "range" ? part.count : extent;
  });
  const places = resultShape(parts, cut, block, areNeighbours(parts));
  checkStretch(values.aval.shape, places, what);
  const { axes, blockStart } = placeAxes(parts, shape, block);
  const touchedAxes = axes.flatMap(({ touched }, axis) => touched ? [axis] : []);
  const wholeAxes = axes.flatMap(({ touched }, axis) => touched ? [] : [axis]);
  const extents = (of: readonly number[]) => of.map((axis) => axes[axis]!.extent);
  const count = sizeOf(extents(touchedAxes));
  const inner = sizeOf(extents(wholeAxes));
  if (count * inner === 0) return x;

  const update = reshape(broadcastTo(values, places), axes.map(({ extent }) => extent));
  const rows = reshape(transpose(update, [...touchedAxes, ...wholeAxes]), [count, inner]);
  const named = parts.filter((part) => part.kind !== "newAxis");
  const touched = named.filter((part) => !isWhole(part, shape)).map((part) => part.axis);
  const whole = named.filter((part) => isWhole(part, shape)).map((part) => part.axis);
  const order = [...touched, ...whole];
  const moved = transpose(x, order);
  const operand = reshape(moved, [sizeOf(touched.map((axis) => shape[axis]!)), inner]);
  const indices = placeIndices(parts, shape, axes, blockStart, block.length);
  const written = scatter(operand, reshape(indices, [count]), rows, mode);
  const back = order.map((_, axis) => order.indexOf(axis));
  return transpose(reshape(written, moved.aval.shape), back);
}

/** The position in the touched axes of `x`, for every place along the touched axes of the places. */
function placeIndices(
  parts: readonly ResolvedPart[],
  shape: Shape,
  axes: readonly PlaceAxis[],
  blockStart: number,
  blockRank: number,
): Value {
  const rank = axes.filter(({ touched }) => touched).length;
  const touchedBefore = (axis: number) => axes.slice(0, axis).filter((a) => a.touched).length;
  const indices: Value[] = [];
  const extents: number[] = [];
  // Where the next range stands among the axes of the places.
  let at = 0;
  const skipBlock = () => {
    if (at === blockStart) at += blockRank;
  };
  for (const part of parts) {
    if (part.kind === "newAxis") continue;
    if (isAdvanced(part)) {
      const own = indicesOf(part);
      const after = rank - touchedBefore(blockStart) - blockRank;
      indices.push(reshape(own, [...own.aval.shape, ...new Array<number>(after).fill(1)]));
      extents.push(shape[part.axis]!);
      continue;
    }
    skipBlock();
    const place = at++;
    if (isWhole(part, shape)) continue;
    const own = add(mul(iota([part.count], 0, "int32"), part.step), part.start);
    const after = rank - touchedBefore(place) - 1;
    indices.push(reshape(own, [part.count, ...new Array<number>(after).fill(1)]));
    extents.push(shape[part.axis]!);
  }
  const flat = flattenIndices(indices, extents, "drop");
  return broadcastTo(flat, axes.filter(({ touched }) => touched).map(({ extent }) => extent));
}
