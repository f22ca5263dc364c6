// Stable sorting of (key, payload) pairs, whatever they are made of: the steps that sorts, top-k and
// scatters share.

import type { ArrayReference, SequenceBuilder } from "../sequence.ts";
import type { Target } from "../target.ts";
import { blockSortKernel, type PairSource, segmentsOf } from "./block_sort.ts";
import { pairBytes, tileShape } from "./merge.ts";
import { mergePassKernel } from "./merge_pass.ts";

/** Rows of pairs to sort, each by ascending keys. */
export interface PairSortDescription {
  readonly rows: number;
  readonly length: number;
  readonly source: PairSource;
  /** What the source's bindings are bound to. */
  readonly arrays: readonly ArrayReference[];
}

/** Pairs that some steps left in a temporary: `[rows, length]` of `vec2u(key, payload)`. */
export interface PairArray {
  readonly array: ArrayReference;
  readonly length: number;
}

/**
 * Adds the steps that sort every row, and tells where the pairs are then: tiles are sorted in workgroup
 * memory, then merged in `log2(length / tile)` passes between two temporaries.
 */
export function addPairSort(
  builder: SequenceBuilder,
  description: PairSortDescription,
  target: Target,
): PairArray {
  const { rows, length, source, arrays } = description;
  const bytes = rows * length * pairBytes;
  let current = builder.temporary(bytes);
  const tile = tileShape(target).pairs;
  builder.step(blockSortKernel({ rows, length, source, keep: tile }, target), ...arrays, current);
  if (length <= tile) return { array: current, length };
  let other = builder.temporary(bytes);
  for (let width = tile; width < length; width *= 2) {
    builder.step(mergePassKernel({ rows, length, width }, target), current, other);
    [current, other] = [other, current];
  }
  return { array: current, length };
}

/** Pairs read back from a temporary, for another round. */
const pairsAgain: PairSource = {
  name: "pairs",
  bindings: [{ name: "pairs", access: "read", element: "vec2u" }],
  parameters: [],
  functions: "fn load_pair(at: u32, column: u32) -> vec2u { return pairs[at]; }\n",
};

/**
 * Adds the steps that leave at least the first `keep` pairs of every sorted row, in order, and tells where
 * they are. Every tile keeps its first `keep`, so that a round leaves `keep / tile` of the pairs; where
 * that is not less than half, the whole row is sorted.
 */
export function addPairSelection(
  builder: SequenceBuilder,
  description: PairSortDescription,
  keep: number,
  target: Target,
): PairArray {
  const tile = tileShape(target).pairs;
  if (keep > tile / 2) return addPairSort(builder, description, target);
  const { rows } = description;
  let { length, source, arrays } = description;
  while (true) {
    const { keptPerRow } = segmentsOf(length, keep, target);
    const kept = builder.temporary(rows * keptPerRow * pairBytes);
    builder.step(blockSortKernel({ rows, length, source, keep }, target), ...arrays, kept);
    if (length <= tile) return { array: kept, length: keptPerRow };
    length = keptPerRow;
    source = pairsAgain;
    arrays = [kept];
  }
}
