// The heart of the merge sort: where a merged sequence crosses its two runs, and a thread's share of it in
// workgroup memory. Elements are vec2u(key, payload); among equal keys those of run A come first, which
// is what makes the sort stable.

import type { Target } from "../target.ts";

/**
 * Elements that one thread sorts and merges at a time. More would take fewer steps in workgroup memory, but
 * they are held in registers and spelled out one by one in the text.
 */
export const elementsPerThread = 8;

/** Bytes of one (key, payload) pair. */
export const pairBytes = 8;

/** Threads of a workgroup that sorts or merges a tile, and the pairs of that tile. */
export interface TileShape {
  readonly threads: number;
  readonly pairs: number;
}

/** The tile that a target has room for; a power of two, 1,024 pairs (8 KiB) where nothing is short. */
export function tileShape(target: Target): TileShape {
  // A few words are left for the two splits of a merge.
  const fitting = Math.floor((target.maxWorkgroupStorage - 64) / (pairBytes * elementsPerThread));
  const threads = 2 ** Math.floor(Math.log2(Math.min(256, target.maxInvocations, fitting)));
  return { threads, pairs: threads * elementsPerThread };
}

/**
 * WGSL of `split_<array>(a, size_a, b, size_b, diagonal)`: how many of the first `diagonal` elements of
 * the merged sequence come from run A, which starts at `a` in `array` (run B at `b`). The search along
 * the diagonal is the merge path of Odeh, Green, Mwassi, Shmueli and Birk (2012).
 */
export function splitFunction(array: string): string {
  return `
fn split_${array}(a: u32, size_a: u32, b: u32, size_b: u32, diagonal: u32) -> u32 {
  var low = select(0u, diagonal - size_b, diagonal > size_b);
  var high = min(diagonal, size_a);
  while (low < high) {
    let middle = (low + high) / 2u;
    if (${array}[a + middle].x <= ${array}[b + diagonal - 1u - middle].x) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  return low;
}
`;
}

/** Calls `text` for each of a thread's elements and joins the lines. */
export function forOwnElements(text: (e: number) => string): string {
  return Array.from({ length: elementsPerThread }, (_, e) => text(e)).join("\n");
}

/**
 * WGSL of `tile`, the workgroup's pairs, and of `merge_tile(a, size_a, b, size_b, diagonal)`: the thread's
 * elements from `diagonal` on of the merge of two runs in the tile. Past the end they are arbitrary.
 */
export function tileFunctions({ pairs }: TileShape): string {
  return `
var<workgroup> tile: array<vec2u, ${pairs}>;
${splitFunction("tile")}
fn merge_tile(a: u32, size_a: u32, b: u32, size_b: u32, diagonal: u32) -> array<vec2u, ${elementsPerThread}> {
  let end_a = a + size_a;
  let end_b = b + size_b;
  let taken_a = split_tile(a, size_a, b, size_b, diagonal);
  var at_a = a + taken_a;
  var at_b = b + diagonal - taken_a;
  var head_a = tile[at_a];
  var head_b = tile[at_b];
  var from_a = false;
  var next: vec2u;
  var own: array<vec2u, ${elementsPerThread}>;
${
    forOwnElements((e) =>
      `  from_a = at_b >= end_b || (at_a < end_a && head_a.x <= head_b.x);
  own[${e}] = select(head_b, head_a, from_a);${
        e === elementsPerThread - 1 ? "" : `
  at_a += select(0u, 1u, from_a);
  at_b += select(1u, 0u, from_a);
  next = tile[select(at_b, at_a, from_a)];
  head_a = select(head_a, next, from_a);
  head_b = select(next, head_b, from_a);`
      }`
    )
  }
  return own;
}
`;
}
