// The first step of a sort: every tile is loaded into workgroup memory and sorted there. Short rows share
// a tile, long rows are cut into tiles that are merged later.

import {
  assembleKernel,
  type Binding,
  type Kernel,
  linearGroup,
  type Parameter,
  spreadWorkgroups,
} from "../kernel.ts";
import type { Target } from "../target.ts";
import { elementsPerThread, forOwnElements, tileFunctions, tileShape } from "./merge.ts";

/** Where the pairs to sort come from. */
export interface PairSource {
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly parameters: readonly Parameter[];
  /**
   * WGSL of `load_pair(at: u32, column: u32) -> vec2u`: key and payload of the element numbered `at` in
   * `[rows, length]`, which is number `column` of its row. Ascending keys come first.
   */
  readonly functions: string;
}

/** How rows are cut into the segments that are sorted in workgroup memory. */
export interface Segments {
  /** Pairs of a segment, a power of two from a thread's share to the tile's. */
  readonly size: number;
  readonly perRow: number;
  /** Pairs that a row has left when each segment keeps its first `keep`. */
  readonly keptPerRow: number;
}

/** The segments of rows of `length` when each keeps `keep` pairs at most. */
export function segmentsOf(length: number, keep: number, target: Target): Segments {
  const { pairs } = tileShape(target);
  const size = Math.min(pairs, Math.max(elementsPerThread, 2 ** Math.ceil(Math.log2(length))));
  const perRow = Math.ceil(length / size);
  const lastSize = length - (perRow - 1) * size;
  return {
    size,
    perRow,
    keptPerRow: (perRow - 1) * Math.min(keep, size) + Math.min(keep, lastSize),
  };
}

/** The rows that one block sort works on. */
export interface BlockSortDescription {
  readonly rows: number;
  readonly length: number;
  readonly source: PairSource;
  /** Sorted pairs written of every segment; its size or more for all. */
  readonly keep: number;
}

/**
 * Statements that sort the thread's elements `own` in registers by odd-even transposition: only neighbours
 * are exchanged, and only where they are out of order, so equal keys keep their order.
 */
function sortOwn(): string {
  const exchanges: string[] = [];
  for (let turn = 0; turn < elementsPerThread; turn++) {
    for (let e = turn % 2; e + 1 < elementsPerThread; e += 2) {
      exchanges.push(`ordered = in_order(own[${e}], own[${e + 1}]);
own[${e}] = ordered.xy;
own[${e + 1}] = ordered.zw;`);
    }
  }
  return exchanges.join("\n");
}

const inOrderFunction = `
fn in_order(a: vec2u, b: vec2u) -> vec4u {
  return select(vec4u(a, b), vec4u(b, a), a.x > b.x);
}
`;

/**
 * Sorts the segments of every row: `[rows, length]` from the source becomes pairs
 * `[rows, keptPerRow]`, segment after segment. Bindings: the source's, then the pairs written.
 */
export function blockSortKernel(description: BlockSortDescription, target: Target): Kernel {
  const { rows, length, source, keep } = description;
  const { threads, pairs } = tileShape(target);
  const segments = segmentsOf(length, keep, target);
  const blocks = Math.ceil(rows * segments.perRow / (pairs / segments.size));
  // A segment holds whole threads' shares, so a thread's elements are neighbours in one row. Pairs past
  // the row's end get the largest key; a real element may have it too and comes first by stability.
  const body = `let block = ${linearGroup};
if (block >= params.blocks) { return; }
let mine = lane * ${elementsPerThread}u;
let segment = block * (${pairs}u / params.segment) + mine / params.segment;
let row = segment / params.segments_per_row;
let row_segment = segment % params.segments_per_row;
let slot = mine % params.segment;
let column = row_segment * params.segment + slot;
let origin = row * params.row_length + column;
let end = select(0u, params.row_length, row < params.rows);
var own: array<vec2u, ${elementsPerThread}>;
var ordered: vec4u;
${
    forOwnElements((e) =>
      `own[${e}] = vec2u(0xffffffffu, 0u);
if (column + ${e}u < end) { own[${e}] = load_pair(origin + ${e}u, column + ${e}u); }`
    )
  }
${sortOwn()}
for (var width = ${elementsPerThread}u; width < params.segment; width *= 2u) {
  workgroupBarrier();
${forOwnElements((e) => `  tile[mine + ${e}u] = own[${e}];`)}
  workgroupBarrier();
  let base = mine & ~(2u * width - 1u);
  own = merge_tile(base, width, base + width, width, mine - base);
}
let target_at = row * params.kept_per_row + row_segment * params.keep + slot;
${
    forOwnElements((e) =>
      `if (column + ${e}u < end && slot + ${e}u < params.keep) { sorted[target_at + ${e}u] = own[${e}]; }`
    )
  }`;
  return assembleKernel({
    name: `sort_${source.name}`,
    bindings: [...source.bindings, { name: "sorted", access: "read_write", element: "vec2u" }],
    parameters: [
      { name: "rows", type: "u32", value: rows },
      { name: "row_length", type: "u32", value: length },
      { name: "segment", type: "u32", value: segments.size },
      { name: "segments_per_row", type: "u32", value: segments.perRow },
      { name: "keep", type: "u32", value: Math.min(keep, segments.size) },
      { name: "kept_per_row", type: "u32", value: segments.keptPerRow },
      { name: "blocks", type: "u32", value: blocks },
      ...source.parameters,
    ],
    functions: tileFunctions(tileShape(target)) + inOrderFunction + source.functions,
    workgroupSize: `${threads}`,
    body,
    workgroups: spreadWorkgroups(blocks),
  }, target);
}
