// Tiles: how much of an attention a workgroup takes at a time, and whether there is a kernel at all.

import { maxIterations } from "../reduce/team.ts";
import type { Target } from "../target.ts";
import { type AttentionDescription, logitsArrays, rowVectors, rowWidth } from "./description.ts";
import type { AttentionForm } from "./form.ts";
import { SubgroupForm } from "./subgroup_form.ts";
import { workgroupBytes, WorkgroupForm, type WorkgroupTile } from "./workgroup_form.ts";

/** Largest head whose sums a kernel holds. */
const largestHead = 256;

/** Arrays that a kernel binds beside the bias and the mask. */
const boundArrays = { forward: 5, backward: 9 };

/** Whether there are kernels for these extents, be they for the result or for the gradient. */
export function supportsAttention(
  description: AttentionDescription,
  kernel: "forward" | "backward",
  target: Target,
): boolean {
  const { headSize, queries, keys } = description;
  const arrays = logitsArrays(description).length;
  if (headSize === 0 || headSize > largestHead) return false;
  if (boundArrays[kernel] + arrays > target.maxStorageBuffers) return false;
  if (kernel === "backward") {
    // Without keys no tile would set the queries' gradients to 0.
    return queries > 0 && keys > 0 && tilesADispatch(description, target) > 0;
  }
  const form = attentionForm(description, kernel, target);
  const blocks = Math.ceil(keys / form.block);
  return blocks * form.iterations(1, arrays) + form.rows < maxIterations(target);
}

/** The form for an attention on a target. */
export function attentionForm(
  description: AttentionDescription,
  kernel: "forward" | "backward",
  target: Target,
): AttentionForm {
  const vectors = rowVectors(description);
  if (target.kind === "software" && target.subgroupSize > 0) {
    const tile = subgroupTile(description, kernel, target.subgroupSize);
    const width = rowWidth(description, target);
    return new SubgroupForm({ lanes: target.subgroupSize, ...tile, vectors, width });
  }
  return new WorkgroupForm(workgroupTile(vectors, kernel, target));
}

/** As many rows as workgroup memory holds, up to sixteen; a CPU driver runs eight threads in a vector. */
function workgroupTile(
  vectors: number,
  kernel: "forward" | "backward",
  target: Target,
): WorkgroupTile {
  const threads = target.kind === "software" ? 8 : 64;
  const arrays = kernel === "forward" ? ["queries"] : ["keys", "values"];
  const tiles = [16, 8, 4, 2, 1].map((rows) => ({ threads, rows, vectors, arrays }));
  return tiles.find((tile) =>
    tile.rows <= threads && workgroupBytes(tile) <= target.maxWorkgroupStorage
  )!;
}

/**
 * Rows share the loads of columns, and columns those of rows. Compile time goes with both, which little work does
 * not earn back, and sums of long rows leave room for few rows.
 */
function subgroupTile(
  description: AttentionDescription,
  kernel: "forward" | "backward",
  lanes: number,
): { rows: number; columns: number } {
  const { batch, heads, queries, keys, headSize } = description;
  const [own, others] = kernel === "forward" ? [queries, keys] : [keys, queries];
  const work = batch * heads * queries * keys * headSize;
  const chunks = Math.ceil(rowVectors(description) / lanes);
  const mostRows = Math.min(work < 2 ** 22 ? 8 : 16, Math.floor(32 / chunks));
  const mostColumns = work < 2 ** 22 ? 2 : work < 2 ** 27 ? 4 : 8;
  const fits = (size: number, extent: number) => size === 1 || size < 2 * extent;
  return {
    rows: [16, 8, 4, 2, 1].find((rows) => rows <= mostRows && fits(rows, own))!,
    columns: [8, 4, 2, 1].find((columns) =>
      columns <= mostColumns && fits(columns * lanes, others)
    )!,
  };
}

/** Tiles of keys that one dispatch of the backward kernel can go through within what a driver lets loops run. */
export function tilesADispatch(description: AttentionDescription, target: Target): number {
  const { queries, heads, keyHeads } = description;
  const form = attentionForm(description, "backward", target);
  const blocks = Math.ceil(queries / form.block) * (heads / keyHeads);
  const each = blocks * form.iterations(2, logitsArrays(description).length) + form.rows + 2;
  return Math.floor(maxIterations(target) / each);
}

/** Workgroups that keep a device busy; each goes through a head's keys one tile after the other. */
export function backwardParts(
  { batch, keyHeads, keys }: AttentionDescription,
  form: AttentionForm,
  target: Target,
): number {
  const wanted = { software: 4, integrated: 64, discrete: 256 }[target.kind];
  const tiles = Math.ceil(keys / form.rows);
  const parts = Math.min(tiles, 16, Math.ceil(wanted / (batch * keyHeads)));
  // No part may be without a tile: its sums would be nobody's.
  return Math.ceil(tiles / Math.ceil(tiles / parts));
}
