// What the kernel's frame needs of a mode.

import type { ThreadAxis } from "./operand.ts";

/** One mode's text. */
export interface MatmulBody {
  /** E.g. `8, 1`. */
  readonly workgroupSize: string;
  /** Rows and columns of the result that a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  /** Module-scope variables. */
  readonly declarations: string;
  /**
   * Statements after `row`, `column` (the tile's first), `a_base`, `b_base` and `matrix` are declared, and
   * `k_end`, the length of k.
   */
  readonly body: string;
}

/** Names of a workgroup's first place on the threads' axis and on the other. */
export function firstPlaces(axis: ThreadAxis): { own: string; common: string } {
  return axis === "columns" ? { own: "column", common: "row" } : { own: "row", common: "column" };
}

/** Rows and columns of a tile from its extents on the threads' axis and on the other. */
export function tileExtents(
  axis: ThreadAxis,
  own: number,
  common: number,
): { rows: number; columns: number } {
  return axis === "columns" ? { rows: common, columns: own } : { rows: own, columns: common };
}
