// Scans along contiguous rows. The array is one sequence of elements in which every row starts anew, so
// that the same tiles serve a few long rows and many short ones, and every thread owns whole words.

import { type CombineOperation, combiner } from "../combine.ts";
import {
  assembleKernel,
  type Binding,
  type Kernel,
  linearGroup,
  spreadWorkgroups,
} from "../kernel.ts";
import {
  packVector,
  type StorageFormat,
  storageFunctions,
  unpackVector,
  vectorElement,
} from "../storage.ts";
import type { Target } from "../target.ts";
import { laneScanFunction, scanThreads } from "./lane_scan.ts";

/** A scan of every row of `[rows, length]`. */
export interface TileScanDescription {
  readonly format: StorageFormat;
  readonly operation: CombineOperation;
  readonly reverse: boolean;
  readonly rows: number;
  readonly length: number;
}

const elementsPerThread = 16;
const vectorsPerThread = elementsPerThread / 4;

/** How the elements are dealt out to workgroups. */
export interface Tiling {
  /** Elements of a tile: a multiple of 4. */
  readonly span: number;
  readonly tiles: number;
  /** Whether a row may reach over several tiles, which then need what came before them. */
  readonly carries: boolean;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Tiles of whole rows where some fit, in as many elements as fill whole vectors; else full tiles. */
export function tilingOf({ rows, length }: TileScanDescription, target: Target): Tiling {
  const full = scanThreads(target) * elementsPerThread;
  const size = rows * length;
  const unit = length * 4 / greatestCommonDivisor(length, 4);
  const whole = Math.floor(full / unit) * unit;
  const span = whole > 0 ? whole : full;
  return { span, tiles: Math.ceil(size / span), carries: whole === 0 && size > full };
}

/**
 * WGSL of one thread's part. Forwards, a row starts at position 0; in reverse the elements are visited
 * from the last one down, and a row starts at its last position.
 */
function threadFunctions({ format, reverse }: TileScanDescription, scalar: string): string {
  const order = reverse ? ["w", "z", "y", "x"] : ["x", "y", "z", "w"];
  const starts = reverse ? "position + 1u == params.row_length" : "position == 0u";
  const next = reverse
    ? "select(position - 1u, params.row_length - 1u, position == 0u)"
    : "select(position + 1u, 0u, position + 1u == params.row_length)";
  return `
var<private> running: ${scalar};
var<private> position: u32;
var<private> restarts: u32;
fn advance(value: ${scalar}) -> ${scalar} {
  let starts = ${starts};
  running = select(combine1(running, value), value, starts);
  restarts |= select(0u, 1u, starts);
  position = ${next};
  return running;
}
fn advance_four(values: vec4<${scalar}>) -> vec4<${scalar}> {
  var results: vec4<${scalar}>;
  ${order.map((c) => `results.${c} = advance(values.${c});`).join("\n  ")}
  return results;
}
fn load_four(vector: u32, end: u32) -> vec4<${scalar}> {
  let loaded = operand[min(vector, end - 1u)];
  return enter4(${unpackVector(format, "loaded")});
}
`;
}

/** The loop over a thread's vectors in the order of the scan: `text` is for the vector numbered `at`. */
function forVectors(reverse: boolean, text: string): string {
  return `for (var v = 0u; v < ${vectorsPerThread}u; v++) {
  let at = first + ${reverse ? `${vectorsPerThread - 1}u - v` : "v"};
  ${text}
}`;
}

/**
 * Statements up to where every thread knows the totals of the others. The elements are read again when
 * results are computed: they are in the cache then, and a text that held them would be long to compile.
 */
function totalLanes({ reverse }: TileScanDescription, threads: number, identity: string): string {
  // What lies past the end of a tile is visited after the last row, or before a row starts: it is never
  // part of a result, so it need not be loaded right.
  return `let block = ${linearGroup};
if (block >= params.tiles) { return; }
let slot = ${reverse ? `${threads - 1}u - lane` : "lane"};
let first = (block * params.span + slot * ${elementsPerThread}u) / 4u;
let end = min((block + 1u) * params.span / 4u, params.vectors);
let start = (first * 4u${reverse ? ` + ${elementsPerThread - 1}u` : ""}) % params.row_length;
position = start;
running = ${identity};
${forVectors(reverse, "advance_four(load_four(at, end));")}
let offset = scan_lanes(lane, running, restarts);
`;
}

function parametersOf(description: TileScanDescription, { span, tiles }: Tiling) {
  const { rows, length } = description;
  return [
    { name: "row_length", type: "u32", value: length },
    { name: "span", type: "u32", value: span },
    { name: "tiles", type: "u32", value: tiles },
    { name: "vectors", type: "u32", value: Math.ceil(rows * length / 4) },
  ] as const;
}

/** Where tile totals lie in their temporary: the accumulator's bits and whether a row starts in the tile. */
const stateElement = "vec2u";

/**
 * First phase: the total of every tile, from the last row start in it on. Bindings: operand, totals.
 */
export function tileTotalsKernel(
  description: TileScanDescription,
  tiling: Tiling,
  target: Target,
): Kernel {
  const { format, operation } = description;
  const threads = scanThreads(target);
  const { scalar, functions, identity } = combiner(operation, format);
  const body = `${totalLanes(description, threads, identity)}if (lane == 0u) {
  let last = offset + ${threads - 1}u;
  tile_totals[block] = vec2u(bitcast<u32>(totals[last]), restarted[last]);
}`;
  return assembleKernel({
    name: `scan_${operation}_totals`,
    bindings: [
      { name: "operand", access: "read", element: vectorElement(format) },
      { name: "tile_totals", access: "read_write", element: stateElement },
    ],
    parameters: parametersOf(description, tiling),
    functions: storageFunctions + functions + threadFunctions(description, scalar) +
      laneScanFunction(scalar, threads),
    workgroupSize: `${threads}`,
    body,
    workgroups: spreadWorkgroups(tiling.tiles),
  }, target);
}

/**
 * Second phase, by one workgroup: the total of every tile becomes what the tiles before it hand over.
 * Mesa's software driver ends a thread's loops after 65,535 iterations in sum, which 256 threads reach at
 * 6e9 elements. Bindings: totals, read and written.
 */
export function tileCarriesKernel(
  description: TileScanDescription,
  tiling: Tiling,
  target: Target,
): Kernel {
  const { format, operation, reverse } = description;
  const threads = scanThreads(target);
  const { scalar, functions, identity } = combiner(operation, format);
  const body = `var carry = ${identity};
for (var base = 0u; base < params.tiles; base += ${threads}u) {
  let at = base + lane;
  let tile = ${reverse ? "params.tiles - 1u - at" : "at"};
  var state = vec2u(bitcast<u32>(${identity}), 0u);
  if (at < params.tiles) { state = tile_totals[tile]; }
  let offset = scan_lanes(lane, bitcast<${scalar}>(state.x), state.y);
  var handed = carry;
  if (lane > 0u) { handed = join(carry, offset + lane - 1u); }
  if (at < params.tiles) { tile_totals[tile].x = bitcast<u32>(handed); }
  carry = join(carry, offset + ${threads - 1}u);
  workgroupBarrier();
}`;
  return assembleKernel({
    name: `scan_${operation}_carries`,
    bindings: [{ name: "tile_totals", access: "read_write", element: stateElement }],
    parameters: [{ name: "tiles", type: "u32", value: tiling.tiles }],
    functions: `${functions}${laneScanFunction(scalar, threads)}
fn join(carry: ${scalar}, at: u32) -> ${scalar} {
  return select(combine1(carry, totals[at]), totals[at], restarted[at] != 0u);
}
`,
    workgroupSize: `${threads}`,
    body,
    workgroups: [1, 1, 1],
  }, target);
}

/**
 * Last phase, and the only one where no row reaches over several tiles: every element's result, rounded
 * once. Bindings: operand, totals (where tiles hand over), output.
 */
export function tileScanKernel(
  description: TileScanDescription,
  tiling: Tiling,
  target: Target,
): Kernel {
  const { format, operation, reverse } = description;
  const threads = scanThreads(target);
  const { scalar, functions, identity } = combiner(operation, format);
  const carries: Binding = { name: "tile_totals", access: "read", element: stateElement };
  const carry = tiling.carries ? `bitcast<${scalar}>(tile_totals[block].x)` : identity;
  const body = `${totalLanes(description, threads, identity)}running = ${carry};
if (lane > 0u) {
  let before = offset + lane - 1u;
  running = select(combine1(running, totals[before]), totals[before], restarted[before] != 0u);
}
position = start;
${
    forVectors(
      reverse,
      `let result = leave4(advance_four(load_four(at, end)));
  if (at < end) { output[at] = ${packVector(format, "result")}; }`,
    )
  }`;
  return assembleKernel({
    name: `scan_${operation}`,
    bindings: [
      { name: "operand", access: "read", element: vectorElement(format) },
      ...(tiling.carries ? [carries] : []),
      { name: "output", access: "read_write", element: vectorElement(format) },
    ],
    parameters: parametersOf(description, tiling),
    functions: storageFunctions + functions + threadFunctions(description, scalar) +
      laneScanFunction(scalar, threads),
    workgroupSize: `${threads}`,
    body,
    workgroups: spreadWorkgroups(tiling.tiles),
  }, target);
}
