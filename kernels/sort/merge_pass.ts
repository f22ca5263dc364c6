// The steps of a sort after the first: neighbouring sorted runs of a row are merged, two into one, every
// workgroup writing one tile of the result.

import { assembleKernel, type Kernel, linearGroup, spreadWorkgroups } from "../kernel.ts";
import type { Target } from "../target.ts";
import {
  elementsPerThread,
  forOwnElements,
  splitFunction,
  tileFunctions,
  tileShape,
} from "./merge.ts";

/** One pass over `[rows, length]` pairs whose rows consist of sorted runs of `width`. */
export interface MergePassDescription {
  readonly rows: number;
  readonly length: number;
  /** A power of two times the tile's pairs. */
  readonly width: number;
}

/**
 * Merges runs of `width` into runs of `2 * width`. A tile finds by binary search which part of either
 * run it consists of, loads both parts in one sweep and merges them in workgroup memory, so that device
 * memory is read and written in order. Bindings: the pairs read, the pairs written.
 */
export function mergePassKernel(description: MergePassDescription, target: Target): Kernel {
  const { rows, length, width } = description;
  const shape = tileShape(target);
  const tilesPerRow = Math.ceil(length / shape.pairs);
  const blocks = rows * tilesPerRow;
  // Only two threads search: every loop step is two loads from device memory.
  const body = `let block = ${linearGroup};
if (block >= params.blocks) { return; }
let row = (block / params.tiles_per_row) * params.length;
let start = (block % params.tiles_per_row) * ${shape.pairs}u;
let base = start - start % (2u * params.width);
let size_a = min(params.width, params.length - base);
let size_b = min(params.width, params.length - base - size_a);
let a = row + base;
let b = a + size_a;
let first = start - base;
let last = min(first + ${shape.pairs}u, size_a + size_b);
if (lane < 2u) {
  splits[lane] = split_runs(a, size_a, b, size_b, select(last, first, lane == 0u));
}
workgroupBarrier();
let part_a = splits[1] - splits[0];
let part_b = last - first - part_a;
let first_a = a + splits[0];
let first_b = b + first - splits[0];
for (var r = 0u; r < ${elementsPerThread}u; r++) {
  let slot = r * ${shape.threads}u + lane;
  if (slot < part_a) {
    tile[slot] = runs[first_a + slot];
  } else if (slot < part_a + part_b) {
    tile[slot] = runs[first_b + slot - part_a];
  }
}
workgroupBarrier();
let mine = lane * ${elementsPerThread}u;
if (mine >= part_a + part_b) { return; }
let own = merge_tile(0u, part_a, part_a, part_b, mine);
let target_at = row + start + mine;
${
    forOwnElements((e) =>
      `if (mine + ${e}u < part_a + part_b) { merged[target_at + ${e}u] = own[${e}]; }`
    )
  }`;
  return assembleKernel({
    name: "sort_merge",
    bindings: [
      { name: "runs", access: "read", element: "vec2u" },
      { name: "merged", access: "read_write", element: "vec2u" },
    ],
    parameters: [
      { name: "length", type: "u32", value: length },
      { name: "width", type: "u32", value: width },
      { name: "tiles_per_row", type: "u32", value: tilesPerRow },
      { name: "blocks", type: "u32", value: blocks },
    ],
    functions: `${tileFunctions(shape)}${splitFunction("runs")}
var<workgroup> splits: array<u32, 2>;
`,
    workgroupSize: `${shape.threads}`,
    body,
    workgroups: spreadWorkgroups(blocks),
  }, target);
}
