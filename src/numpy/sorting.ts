// Sorting. The order is NumPy's: -0 equals 0, NaN is larger than everything else, equal elements keep their
// order.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { normalizeAxis } from "../core/shape.ts";
import type { SortOptions } from "../methods/indexing.ts";
import { transpose } from "../ops/movement.ts";
import { promoteOperands } from "../ops/define.ts";
import { searchsorted as search } from "../ops/search.ts";
import * as sorting from "../ops/sort.ts";
import type { Value } from "../ir/value.ts";
import { lifted, liftedList } from "./lift.ts";

/** Sorts along an axis by sorting the last one. */
function sorted(
  what: string,
  x: ArrayLike,
  options: SortOptions,
  outputs: "values" | "positions",
): NDArray {
  checkOptions(what, options, ["axis", "descending"]);
  const { axis = -1, descending = false } = options;
  if (typeof descending !== "boolean") {
    throw new TypeError(
      `Cannot ${what}: descending must be true or false, got ${describe(descending)}`,
    );
  }
  return lifted(what, () => {
    const array = asArray(x, what);
    const along = normalizeAxis(what, axis, array.ndim);
    const axes = lastExchanged(array.ndim, along);
    const [result] = sorting.sort(transpose(array, axes), descending, outputs) as [Value];
    return transpose(result, axes);
  }, x);
}

/** The order of axes in which one has changed places with the last. */
function lastExchanged(rank: number, axis: number): number[] {
  return Array.from({ length: rank }, (_, a) => a === axis ? rank - 1 : a === rank - 1 ? axis : a);
}

/**
 * The elements along an axis (the last by default) in ascending order, or largest first with `descending`.
 * The sort is stable; NaN is larger than everything else.
 *
 * @throws {RangeError} if the array is a scalar or has no such axis.
 */
export function sort(x: ArrayLike, options: SortOptions = {}): NDArray {
  return sorted("sort", x, options, "values");
}

/**
 * The positions (int32) of the elements along an axis (the last by default) in the order in which
 * {@linkcode sort} puts them. Equal elements keep their order, in descending order too.
 *
 * @throws {RangeError} if the array is a scalar or has no such axis.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([3, 1, 2]);
 * console.log(await jnp.argsort(x).toList(), await jnp.sort(x, { descending: true }).toList());
 * ```
 */
export function argsort(x: ArrayLike, options: SortOptions = {}): NDArray {
  return sorted("argsort", x, options, "positions");
}

/**
 * The `k` largest elements of each row of the last axis, largest first, and their positions (int32). Of equal
 * ones the first comes first; NaN counts as largest.
 *
 * @throws {RangeError} if `k` is negative or larger than the extent of the last axis.
 *
 * @example
 * ```ts
 * import { init, lax, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const [values, positions] = lax.topK(jnp.array([1, 5, 3]), 2);
 * console.log(await values.toList(), await positions.toList()); // [5, 3] [1, 2]
 * ```
 */
export function topK(x: ArrayLike, k: number): [NDArray, NDArray] {
  if (!Number.isInteger(k)) {
    throw new TypeError(`Cannot topK: k must be an integer, got ${describe(k)}`);
  }
  return liftedList("topK", () => {
    const array = asArray(x, "topK");
    const extent = array.shape[array.ndim - 1];
    if (extent === undefined || k < 0 || k > extent) {
      throw new RangeError(
        `Cannot topK: k must be from 0 to the extent of the last axis, got ${k} for shape ${
          showShape(array.shape)
        }`,
      );
    }
    return sorting.topK(array, k);
  }) as [NDArray, NDArray];
}

/** On which side of equal elements `searchsorted` puts a value. */
export interface SearchOptions {
  /** `"left"` (the default): before the elements that equal it; `"right"`: behind them. */
  readonly side?: "left" | "right";
}

/**
 * The positions (int32) at which values would have to be inserted in a sorted array of one axis to keep it
 * sorted. NaN is larger than everything else.
 *
 * @throws {RangeError} if the sorted array has not one axis.
 */
export function searchsorted(
  sortedArray: ArrayLike,
  values: ArrayLike,
  options: SearchOptions = {},
): NDArray {
  checkOptions("searchsorted", options, ["side"]);
  const { side = "left" } = options;
  if (side !== "left" && side !== "right") {
    throw new TypeError(
      `Cannot searchsorted: side must be "left" or "right", got ${describe(side)}`,
    );
  }
  return lifted("searchsorted", () => {
    const row = asArray(sortedArray, "searchsorted");
    if (row.ndim !== 1) {
      throw new RangeError(
        `Cannot searchsorted: a sorted array of one axis is required, got shape ${
          showShape(row.shape)
        }`,
      );
    }
    const [inOrder, wanted] = promoteOperands([row, asArray(values, "searchsorted")]);
    return search(inOrder!, wanted!, side);
  });
}
