// Reductions over the middle of [outer, length, inner]: the choice between rows and columns, and into how
// many pieces a long axis is cut.

import type { Fragment } from "../fragment.ts";
import type { Kernel } from "../kernel.ts";
import type { Target } from "../target.ts";
import { checkAlignment, type ReduceDescription, type ReduceExtents } from "./description.ts";
import { reduceColumnsKernel } from "./reduce_columns.ts";
import { reduceRowsKernel, reduceRowsTogether, type RowReduction } from "./reduce_rows.ts";
import { smallestTeam, threadsToFill } from "./team.ts";

export type { Combiner, ComputeType } from "./combiner.ts";
export type { RowReduction } from "./reduce_rows.ts";
export { type ReduceDescription, type ReduceExtents, reduceIsAligned } from "./description.ts";

/**
 * The kernel of a reduction. Its extents are parameters; the text depends on them only through the choice
 * of team and loops.
 *
 * @throws TypeError if the combiner does not go with the type.
 * @throws RangeError if the input is an aligned fragment and the extents need an unaligned one.
 */
export function reduceKernel(description: ReduceDescription, target: Target): Kernel {
  checkAlignment("reduce", description, description.input);
  return description.inner === 1
    ? reduceRowsKernel(description, target)
    : reduceColumnsKernel(description, target);
}

/** The kernel of several reductions of the same rows, or one of any. */
export function reduceTogether(
  space: ReduceExtents & { readonly split: number; readonly input: Fragment },
  reductions: readonly RowReduction[],
  target: Target,
): Kernel {
  if (reductions.length === 1) return reduceKernel({ ...space, ...reductions[0]! }, target);
  checkAlignment("reduce", space, space.input);
  return reduceRowsTogether(space, reductions, target);
}

/** The least elements of the reduced axis that are worth a piece of their own, by row and by column. */
const leastPiece = { rows: 2048, columns: 32 };

/**
 * Into how many pieces to cut a reduced axis: more than 1 where the results are too few to keep the device
 * busy and the axis is long enough to pay for the second kernel.
 */
export function chooseSplit(extents: ReduceExtents, target: Target): number {
  const { outer, length, inner } = extents;
  const wanted = threadsToFill(target);
  // A second dispatch costs as much as reading this many elements.
  if (outer * length * inner < 65536 || outer * inner >= 4 * wanted) return 1;
  if (inner > 1) {
    const pieces = Math.ceil(wanted / Math.ceil(outer * inner / 4));
    return Math.max(1, Math.min(pieces, Math.floor(length / leastPiece.columns)));
  }
  const threads = target.kind === "software" ? smallestTeam(target) : 256;
  const rows = Math.ceil(wanted / threads) * 4;
  const pieces = Math.min(Math.ceil(rows / outer), Math.floor(length / leastPiece.rows));
  // Pieces become the rows of the second reduction: whole vectors of them are read fastest.
  return pieces < 2 ? 1 : Math.ceil(pieces / 4) * 4;
}
