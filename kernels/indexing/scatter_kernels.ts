// The kernels of a scatter. Every element of the output is computed by one thread, which folds the updates
// of its row in the order of their positions: no atomics, so the same bits every time.

import {
  assembleKernel,
  type Kernel,
  linearGroup,
  type Parameter,
  spreadWorkgroups,
} from "../kernel.ts";
import type { PairSource } from "../sort/block_sort.ts";
import type { Target } from "../target.ts";
import type { ScatterAccess } from "./scatter_access.ts";
import type { IndexType } from "./take.ts";

/** The extents of a scatter, and how its arrays are accessed. */
export interface ScatterShape {
  readonly access: ScatterAccess;
  readonly n: number;
  readonly count: number;
  readonly inner: number;
  readonly indexType: IndexType;
}

const workgroupSize = 64;

const threadGuard = `let thread = ${linearGroup} * ${workgroupSize}u + lane;
if (thread >= params.threads) { return; }
`;

const indexElement = (indexType: IndexType) => indexType === "int32" ? "i32" : "u32";

/** Parameters of the kernels that write the output: one thread for four of its elements. */
function outputParameters({ access, n, inner }: ScatterShape): Parameter[] {
  const size = n * inner;
  return [
    { name: "columns", type: "u32", value: inner / access.width },
    { name: "size", type: "u32", value: size },
    { name: "threads", type: "u32", value: Math.ceil(size / 4) },
  ];
}

/** Workgroups for `threads` threads. */
function workgroupsFor(threads: number): [number, number, number] {
  return spreadWorkgroups(Math.ceil(threads / workgroupSize));
}

/** No updates: the output is the operand. Bindings: operand, output. */
export function scatterNothingKernel(shape: ScatterShape, target: Target): Kernel {
  const { access, n, inner } = shape;
  return assembleKernel({
    name: "scatter_nothing",
    bindings: [
      { name: "operand", access: "read", element: access.readElement },
      { name: "output", access: "read_write", element: access.writeElement },
    ],
    parameters: outputParameters(shape),
    functions: access.functions + access.loadFunction("operand"),
    workgroupSize: `${workgroupSize}`,
    body: threadGuard +
      access.writeFour((row, column) => `load_operand((${row}) * params.columns + (${column}))`),
    workgroups: workgroupsFor(Math.ceil(n * inner / 4)),
  }, target);
}

/**
 * Few updates: every element looks at every index. Bindings: operand, indices, updates, output. A negative
 * int32 index is a huge u32 and matches no row, nor does any other that is out of range.
 */
export function scatterDirectKernel(shape: ScatterShape, target: Target): Kernel {
  const { access, n, count, inner, indexType } = shape;
  const functions = `${access.functions}${access.loadFunction("operand")}${
    access.loadFunction("updates")
  }
fn fold(row: u32, column: u32) -> ${access.accumulator} {
  var result = load_operand(row * params.columns + column);
  for (var k = 0u; k < params.count; k++) {
    if (u32(indices[k]) == row) {
      result = ${access.combine("result", "load_updates(k * params.columns + column)")};
    }
  }
  return result;
}
`;
  return assembleKernel({
    name: "scatter_direct",
    bindings: [
      { name: "operand", access: "read", element: access.readElement },
      { name: "indices", access: "read", element: indexElement(indexType) },
      { name: "updates", access: "read", element: access.readElement },
      { name: "output", access: "read_write", element: access.writeElement },
    ],
    parameters: [...outputParameters(shape), { name: "count", type: "u32", value: count }],
    functions,
    workgroupSize: `${workgroupSize}`,
    body: threadGuard + access.writeFour((row, column) => `fold(${row}, ${column})`),
    workgroups: workgroupsFor(Math.ceil(n * inner / 4)),
  }, target);
}

/** The pairs to sort: the row that an update goes to (the largest key where it is dropped), its position. */
export function scatterPairs(n: number, indexType: IndexType): PairSource {
  return {
    name: `${indexType}_rows`,
    bindings: [{ name: "indices", access: "read", element: indexElement(indexType) }],
    parameters: [{ name: "n", type: "u32", value: n }],
    functions: `fn load_pair(at: u32, column: u32) -> vec2u {
  let row = u32(indices[at]);
  return vec2u(select(0xffffffffu, row, row < params.n), column);
}
`,
  };
}

/**
 * Where the updates of each row begin among the sorted pairs: `starts[r]` is the number of pairs of rows
 * below `r`, for `r` from 0 to `n`, found by binary search. Bindings: pairs, starts.
 */
export function rowStartsKernel(n: number, count: number, target: Target): Kernel {
  const body = `${threadGuard}var low = 0u;
var high = params.count;
while (low < high) {
  let middle = (low + high) / 2u;
  if (pairs[middle].x < thread) { low = middle + 1u; } else { high = middle; }
}
starts[thread] = low;`;
  return assembleKernel({
    name: "scatter_row_starts",
    bindings: [
      { name: "pairs", access: "read", element: "vec2u" },
      { name: "starts", access: "read_write", element: "u32" },
    ],
    parameters: [
      { name: "count", type: "u32", value: count },
      { name: "threads", type: "u32", value: n + 1 },
    ],
    workgroupSize: `${workgroupSize}`,
    body,
    workgroups: workgroupsFor(n + 1),
  }, target);
}

/** Pieces of long rows that may be folded for themselves, when each has `chunk` updates at most. */
export function pieceCount(count: number, chunk: number): number {
  return 2 * Math.ceil(count / chunk);
}

/**
 * Rows with more than `chunk` updates are folded in pieces of `chunk`, counted from the row's first
 * update, so that what a row becomes depends on no other row. The sorted pairs are seen as windows of
 * `chunk`: in a window begin at most two pieces, one of a row that came in from the window before and one
 * of a row that begins here (it must reach beyond the window, so there is only one). They have the numbers
 * `2 * window` and `2 * window + 1`.
 *
 * Bindings: pairs, starts, updates, pieces.
 */
export function foldPiecesKernel(shape: ScatterShape, chunk: number, target: Target): Kernel {
  const { access, n, count, inner } = shape;
  const columns = inner / access.width;
  const threads = pieceCount(count, chunk) * columns;
  const body = `${threadGuard}let piece = thread / params.columns;
let column = thread % params.columns;
let begins = (piece & 1u) == 1u;
let window = (piece >> 1u) * params.chunk;
let window_end = min(window + params.chunk, params.count);
let row = pairs[select(window, window_end - 1u, begins)].x;
if (row >= params.n) { return; }
let first = starts[row];
let last = starts[row + 1u];
if (last - first <= params.chunk || begins != (first >= window)) { return; }
var head = first;
if (!begins) { head += (window - first + params.chunk - 1u) / params.chunk * params.chunk; }
if (head >= last) { return; }
var result = load_updates(pairs[head].y * params.columns + column);
for (var k = head + 1u; k < min(head + params.chunk, last); k++) {
  result = ${access.combine("result", "load_updates(pairs[k].y * params.columns + column)")};
}
pieces[thread] = result;`;
  return assembleKernel({
    name: "scatter_fold_pieces",
    bindings: [
      { name: "pairs", access: "read", element: "vec2u" },
      { name: "starts", access: "read", element: "u32" },
      { name: "updates", access: "read", element: access.readElement },
      { name: "pieces", access: "read_write", element: access.accumulator },
    ],
    parameters: [
      { name: "n", type: "u32", value: n },
      { name: "columns", type: "u32", value: columns },
      { name: "count", type: "u32", value: count },
      { name: "chunk", type: "u32", value: chunk },
      { name: "threads", type: "u32", value: threads },
    ],
    functions: access.functions + access.loadFunction("updates"),
    workgroupSize: `${workgroupSize}`,
    body,
    workgroups: workgroupsFor(threads),
  }, target);
}

/** Of the updates of a row only the last counts. */
const lastOfRow = `let last = starts[row + 1u];
  if (last > starts[row]) { result = load_updates(pairs[last - 1u].y * params.columns + column); }`;

/** The updates of a row, one after the other. */
function foldRow(access: ScatterAccess): string {
  return `for (var k = starts[row]; k < starts[row + 1u]; k++) {
    result = ${access.combine("result", "load_updates(pairs[k].y * params.columns + column)")};
  }`;
}

/** As {@linkcode foldRow}, but of a long row the pieces. */
function foldRowOfPieces(access: ScatterAccess): string {
  return `let first = starts[row];
  let last = starts[row + 1u];
  let is_long = last - first > params.chunk;
  for (var k = first; k < last; k += select(1u, params.chunk, is_long)) {
    if (is_long) {
      let window = k / params.chunk;
      let piece = 2u * window + select(0u, 1u, first >= window * params.chunk);
      result = ${access.combine("result", "pieces[piece * params.columns + column]")};
    } else {
      result = ${access.combine("result", "load_updates(pairs[k].y * params.columns + column)")};
    }
  }`;
}

/**
 * Writes the output: every element begins as the operand's and takes in the updates of its row. With a
 * `chunk`, long rows take in their pieces instead. Bindings: operand, pairs, starts, updates, pieces (with
 * a `chunk` only), output.
 */
export function scatterSortedKernel(
  shape: ScatterShape,
  fold: { readonly kind: "last" | "each" } | { readonly kind: "pieces"; readonly chunk: number },
  target: Target,
): Kernel {
  const { access, n, inner } = shape;
  const text = fold.kind === "last"
    ? lastOfRow
    : fold.kind === "each"
    ? foldRow(access)
    : foldRowOfPieces(access);
  const pieces = { name: "pieces", access: "read", element: access.accumulator } as const;
  const functions = `${access.functions}${access.loadFunction("operand")}${
    access.loadFunction("updates")
  }
fn fold(row: u32, column: u32) -> ${access.accumulator} {
  var result = load_operand(row * params.columns + column);
  ${text}
  return result;
}
`;
  return assembleKernel({
    name: `scatter_sorted_${fold.kind}`,
    bindings: [
      { name: "operand", access: "read", element: access.readElement },
      { name: "pairs", access: "read", element: "vec2u" },
      { name: "starts", access: "read", element: "u32" },
      { name: "updates", access: "read", element: access.readElement },
      ...(fold.kind === "pieces" ? [pieces] : []),
      { name: "output", access: "read_write", element: access.writeElement },
    ],
    parameters: [
      ...outputParameters(shape),
      ...(fold.kind === "pieces"
        ? [{ name: "chunk", type: "u32", value: fold.chunk } as const]
        : []),
    ],
    functions,
    workgroupSize: `${workgroupSize}`,
    body: threadGuard + access.writeFour((row, column) => `fold(${row}, ${column})`),
    workgroups: workgroupsFor(Math.ceil(n * inner / 4)),
  }, target);
}
