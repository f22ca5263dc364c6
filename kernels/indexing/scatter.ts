// Scatter: updates that go to rows of an array by index, repeated indices included, with the same bits in
// every run.

import { inputArray, type KernelSequence, outputArray, SequenceBuilder } from "../sequence.ts";
import { addPairSort } from "../sort/pair_sort.ts";
import type { StorageFormat } from "../storage.ts";
import type { Target } from "../target.ts";
import { scatterAccess, type ScatterMode } from "./scatter_access.ts";
import {
  foldPiecesKernel,
  pieceCount,
  rowStartsKernel,
  scatterDirectKernel,
  scatterNothingKernel,
  scatterPairs,
  type ScatterShape,
  scatterSortedKernel,
} from "./scatter_kernels.ts";
import type { IndexType } from "./take.ts";

/** What {@linkcode scatterSteps} scatters. */
export interface ScatterDescription {
  /** How the operand, the updates and the output are stored. */
  readonly format: StorageFormat;
  readonly indexType: IndexType;
  readonly mode: ScatterMode;
  /** The operand and the output are `[n, inner]`, the indices `[count]`, the updates `[count, inner]`. */
  readonly n: number;
  readonly count: number;
  readonly inner: number;
}

/** Updates of a row that one thread folds in sequence: more are folded in pieces. */
const shortestChunk = 256;

/**
 * About the square root of the count, so that pieces and their number are folded equally fast, and no
 * thread needs more than the 65,535 loop iterations after which Mesa's software driver stops it.
 */
function chunkFor(count: number): number {
  return Math.max(shortestChunk, 2 ** Math.ceil(Math.log2(Math.sqrt(count))));
}

/**
 * Whether to compare every index in every thread rather than sort them: for a few updates, or where so
 * little is written that the sort's dispatches would cost more. It never folds rows differently.
 */
function isDirect({ n, count, inner }: ScatterDescription): boolean {
  return count <= 4 || (count <= shortestChunk && count * n * inner / 4 <= 2 ** 17);
}

/** Adds the sort and the folds that make a row's updates neighbours. */
function addSortedScatter(
  builder: SequenceBuilder,
  shape: ScatterShape,
  mode: ScatterMode,
  target: Target,
): void {
  const { n, count, inner, indexType } = shape;
  const [operand, indices, updates, output] = [
    inputArray(0),
    inputArray(1),
    inputArray(2),
    outputArray(0),
  ];
  const source = scatterPairs(n, indexType);
  const sort = { rows: 1, length: count, source, arrays: [indices] };
  const pairs = addPairSort(builder, sort, target).array;
  const starts = builder.temporary((n + 1) * 4);
  builder.step(rowStartsKernel(n, count, target), pairs, starts);
  const chunk = chunkFor(count);
  if (mode === "set" || count <= chunk) {
    const kind = mode === "set" ? "last" : "each";
    const kernel = scatterSortedKernel(shape, { kind }, target);
    builder.step(kernel, operand, pairs, starts, updates, output);
    return;
  }
  const pieces = builder.temporary(pieceCount(count, chunk) * inner * 4);
  builder.step(foldPiecesKernel(shape, chunk, target), pairs, starts, updates, pieces);
  const kernel = scatterSortedKernel(shape, { kind: "pieces", chunk }, target);
  builder.step(kernel, operand, pairs, starts, updates, pieces, output);
}

/**
 * Scatters `updates[c, :]` into row `indices[c]` of the operand: the row is replaced ("set", the last
 * update wins) or combined with the update. Indices out of range (negative ones included) are dropped, as
 * in JAX.
 *
 * Repeated indices give the same bits in every run. A row's updates are combined with the operand's row
 * in ascending position, in float32 (integers in their own type, booleans as "or" for add and max and as
 * "and" for mul and min), and rounded once; a row with more than `max(256, sqrt(count))` updates (the root
 * rounded up to a power of two) is combined in pieces of that many, each in ascending position, and then
 * the pieces in theirs. A NaN wins a minimum and a maximum, and -0 is less than +0 there.
 *
 * Inputs: operand, indices, updates. Output: `[n, inner]`.
 */
export function scatterSteps(description: ScatterDescription, target: Target): KernelSequence {
  const { format, indexType, mode, n, count, inner } = description;
  const builder = new SequenceBuilder();
  if (n * inner === 0) return builder.finish();
  const shape = { access: scatterAccess(mode, format, inner), n, count, inner, indexType };
  if (count === 0) {
    builder.step(scatterNothingKernel(shape, target), inputArray(0), outputArray(0));
  } else if (isDirect(description)) {
    const kernel = scatterDirectKernel(shape, target);
    builder.step(kernel, inputArray(0), inputArray(1), inputArray(2), outputArray(0));
  } else {
    addSortedScatter(builder, shape, mode, target);
  }
  return builder.finish();
}
