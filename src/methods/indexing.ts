// The methods of arrays that pick elements by position, put elements in, order or accumulate them.

import type { Like } from "./like.ts";
import type { AxisOption } from "./movement.ts";

/** An end of a range: absent (or null) it is the end of the axis that the step comes from or goes to. */
export type RangeEnd = number | null | undefined;

/** `[start, stop, step?]`, as Python's slices; `[]` is the whole axis. */
export type Range =
  | readonly []
  | readonly [start: RangeEnd, stop: RangeEnd]
  | readonly [start: RangeEnd, stop: RangeEnd, step: RangeEnd];

/**
 * One part of an index: a number picks a position and drops the axis, a {@linkcode Range} a range, `null`
 * is a new axis, and an array of integers gathers.
 */
export type IndexPart<T> = number | Range | null | T | Int32Array | Uint32Array;

/** What `x.at(...parts)` gives: the same array with the elements at these parts changed. */
export interface IndexUpdate<T> {
  /** The elements at the parts, as `x.slice(...parts)` gives them. */
  get(): T;
  /** The elements replaced; of several that go to one place the last stays. */
  set(values: Like<T>): T;
  /** Values added to the elements, all of those that go to one place. */
  add(values: Like<T>): T;
  /** The elements multiplied by values. */
  mul(values: Like<T>): T;
  /** The smaller of element and value. */
  min(values: Like<T>): T;
  /** The larger of element and value. */
  max(values: Like<T>): T;
}

/** The direction of a sort. */
export interface SortOptions extends AxisOption {
  /** Largest first. */
  readonly descending?: boolean;
}

/** The functions of `numpy` that index, order or accumulate, as methods. */
export interface IndexingMethods {
  /** Picks by position, range and index array, as Python's `x[...]`. */
  slice(...parts: readonly IndexPart<this>[]): this;
  /** The places that an update changes: `x.at(0, [2, 5]).set(1)`. */
  at(...parts: readonly IndexPart<this>[]): IndexUpdate<this>;
  /** Elements by index along an axis; of the array in row-major order without one. */
  take(indices: Like<this>, options?: AxisOption): this;
  /** One element for every index along an axis. */
  takeAlongAxis(indices: Like<this>, options?: AxisOption): this;
  /** The elements along an axis in ascending order. */
  sort(options?: SortOptions): this;
  /** The positions along an axis that put its elements in order. */
  argsort(options?: SortOptions): this;
  /** The sums of all elements up to each, along an axis. */
  cumsum(options?: AxisOption): this;
  /** The products of all elements up to each, along an axis. */
  cumprod(options?: AxisOption): this;
  /** The differences of neighbours along an axis, `n` times. */
  diff(options?: AxisOption & { readonly n?: number }): this;
}
