// What a reduction is: a combiner, the extents it works over, the expression it reads and how it is stored.

import type { Fragment } from "../fragment.ts";
import type { Combiner, ComputeType } from "./combiner.ts";
import type { Results } from "./store.ts";

/** The extents of a row-major iteration space whose middle axis is reduced. */
export interface ReduceExtents {
  readonly outer: number;
  readonly length: number;
  /** 1: rows of consecutive elements are reduced; more: columns are. */
  readonly inner: number;
}

/**
 * A reduction of an expression over [outer, length, inner] to [outer, inner]: in float32 for floats, in
 * 32-bit integers that wrap, in booleans. An empty axis gives the combiner's identity.
 */
export interface ReduceDescription extends ReduceExtents, Results {
  readonly combiner: Combiner;
  /** The type of the input's result, and of the epilogue's anchor. */
  readonly type: ComputeType;
  /** May be aligned only where {@linkcode reduceIsAligned} says so. */
  readonly input: Fragment;
  /**
   * Into how many pieces the reduced axis is cut. The result is then [outer, split, inner], to be reduced
   * by another kernel; an epilogue runs over that space.
   */
  readonly split?: number;
}

/** Whether a reduction reads its input at multiples of 4 only, so that an aligned fragment serves. */
export function reduceIsAligned(extents: ReduceExtents): boolean {
  const { outer, length, inner } = extents;
  return inner === 1 ? length % 4 === 0 || outer === 1 : inner % 4 === 0;
}

/** Refuses a fragment that the extents do not suit. */
export function checkAlignment(what: string, extents: ReduceExtents, input: Fragment): void {
  if (!input.aligned || reduceIsAligned(extents)) return;
  const { outer, length, inner } = extents;
  throw new RangeError(
    `Cannot ${what}: rows of whole vectors are required for an aligned fragment, ` +
      `got [${outer}, ${length}, ${inner}]; pass an unaligned one`,
  );
}
