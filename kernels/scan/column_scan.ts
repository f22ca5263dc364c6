// Scans along an axis that is not the last: neighbouring threads work on neighbouring columns, and each
// goes along the axis, or along one chunk of it where there are too few columns to fill a device.

import { type CombineOperation, combiner } from "../combine.ts";
import {
  assembleKernel,
  type Kernel,
  linearGroup,
  type Parameter,
  spreadWorkgroups,
} from "../kernel.ts";
import {
  formatBytes,
  loadScalar,
  packVector,
  scalarElement,
  type StorageFormat,
  storageFunctions,
  unpackVector,
  vectorElement,
} from "../storage.ts";
import type { Target } from "../target.ts";

/** A scan along the middle axis of `[outer, length, inner]`. */
export interface ColumnScanDescription {
  readonly format: StorageFormat;
  readonly operation: CombineOperation;
  readonly reverse: boolean;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

const workgroupSize = 64;

/** Threads that fill a large device several times over. */
const wantedThreads = 8192;

/** Chunks shorter than this are not worth two more dispatches. */
const shortestChunk = 16;

/** Mesa's software driver ends all loops of a thread, silently, after 65,535 iterations in sum. */
const longestChunk = 2 ** 15;

const threadGuard = `let thread = ${linearGroup} * ${workgroupSize}u + lane;
if (thread >= params.threads) { return; }
`;

/** Columns of one thread: four where rows consist of whole vectors. */
export function columnWidth(inner: number): 1 | 4 {
  return inner % 4 === 0 ? 4 : 1;
}

/** Elements of the axis that one thread visits: a whole axis where there are threads enough. */
export function chunkLength({ outer, length, inner }: ColumnScanDescription): number {
  const columns = outer * inner / columnWidth(inner);
  // No more chunks than about the root of the length: they are combined one after the other as well.
  const chunks = Math.min(Math.ceil(wantedThreads / columns), Math.ceil(Math.sqrt(length)));
  return Math.min(longestChunk, Math.max(shortestChunk, Math.ceil(length / chunks)));
}

/**
 * Whether results cannot be stored where they belong at once: the columns of two threads would share a
 * word of a 16-bit format.
 */
export function needsPacking({ format, inner }: ColumnScanDescription): boolean {
  return formatBytes(format) === 2 && columnWidth(inner) === 1;
}

interface ColumnText {
  readonly width: 1 | 4;
  /** The accumulator's type, and that of a result before it is packed. */
  readonly accumulator: string;
  readonly identity: string;
  readonly functions: string;
  readonly readElement: string;
  readonly writeElement: string;
  /** Packs the accumulator named `result`. */
  readonly pack: string;
}

function columnText(description: ColumnScanDescription): ColumnText {
  const { format, operation, inner } = description;
  const width = columnWidth(inner);
  const { scalar, identity, functions } = combiner(operation, format);
  const accumulator = width === 4 ? `vec4<${scalar}>` : scalar;
  const load = width === 4
    ? `let loaded = operand[at];\n  return enter4(${unpackVector(format, "loaded")});`
    : `return enter1(${loadScalar(format, "operand", "at")});`;
  // One element of four bytes is stored as it is; of two bytes in float32, for the packing step.
  const single = format === "bool" ? "result" : "leave1(result)";
  return {
    width,
    accumulator,
    identity: `${accumulator}(${identity})`,
    functions: `${storageFunctions}${functions}
fn load(at: u32) -> ${accumulator} {
  ${load}
}
`,
    readElement: width === 4 ? vectorElement(format) : scalarElement(format),
    writeElement: width === 4
      ? vectorElement(format)
      : formatBytes(format) === 2
      ? "f32"
      : scalarElement(format),
    pack: width === 4 ? packVector(format, "leave4(result)") : single,
  };
}

/** Statements that place a thread: its column, where its chunk begins and how long it is. */
const placeThread = `${threadGuard}let column = thread % params.columns;
let chunk = (thread / params.columns) % params.chunks;
let line = (thread / params.columns) / params.chunks;
let begin = chunk * params.chunk;
let count = min(params.chunk, params.length - begin);
let origin = (line * params.length + begin) * params.columns + column;
`;

function parametersOf(description: ColumnScanDescription, chunk: number): Parameter[] {
  const { outer, length, inner } = description;
  const columns = inner / columnWidth(inner);
  const chunks = Math.ceil(length / chunk);
  return [
    { name: "length", type: "u32", value: length },
    { name: "columns", type: "u32", value: columns },
    { name: "chunk", type: "u32", value: chunk },
    { name: "chunks", type: "u32", value: chunks },
    { name: "threads", type: "u32", value: outer * chunks * columns },
  ];
}

function workgroupsFor(threads: number): [number, number, number] {
  return spreadWorkgroups(Math.ceil(threads / workgroupSize));
}

/** The number of accumulators of one chunk each. */
export function chunkTotals(description: ColumnScanDescription, chunk: number): number {
  return description.outer * Math.ceil(description.length / chunk) * description.inner;
}

/** The element number of the `i`-th that a thread visits. */
const visitedAt = (reverse: boolean): string =>
  `origin + ${reverse ? "(count - 1u - i)" : "i"} * params.columns`;

/** First phase: the total of every chunk of every column. Bindings: operand, totals. */
export function chunkTotalsKernel(
  description: ColumnScanDescription,
  chunk: number,
  target: Target,
): Kernel {
  const { operation, reverse } = description;
  const text = columnText(description);
  const parameters = parametersOf(description, chunk);
  const body = `${placeThread}var total = ${text.identity};
for (var i = 0u; i < count; i++) {
  total = combine${text.width}(total, load(${visitedAt(reverse)}));
}
totals[thread] = total;`;
  return assembleKernel({
    name: `scan_columns_${operation}_totals`,
    bindings: [
      { name: "operand", access: "read", element: text.readElement },
      { name: "totals", access: "read_write", element: text.accumulator },
    ],
    parameters,
    functions: text.functions,
    workgroupSize: `${workgroupSize}`,
    body,
    workgroups: workgroupsFor(chunkTotals(description, chunk) / text.width),
  }, target);
}

/**
 * Second phase: every total becomes what the chunks before it hand over, one thread a column. Bindings:
 * totals, read and written.
 */
export function chunkCarriesKernel(
  description: ColumnScanDescription,
  chunk: number,
  target: Target,
): Kernel {
  const { operation, reverse, outer, length, inner } = description;
  const text = columnText(description);
  const { functions } = combiner(operation, description.format);
  const columns = inner / text.width;
  const body = `${threadGuard}let column = thread % params.columns;
let origin = (thread / params.columns) * params.chunks * params.columns + column;
var carry = ${text.identity};
for (var i = 0u; i < params.chunks; i++) {
  let at = origin + ${reverse ? "(params.chunks - 1u - i)" : "i"} * params.columns;
  let total = totals[at];
  totals[at] = carry;
  carry = combine${text.width}(carry, total);
}`;
  return assembleKernel({
    name: `scan_columns_${operation}_carries`,
    bindings: [{ name: "totals", access: "read_write", element: text.accumulator }],
    parameters: [
      { name: "columns", type: "u32", value: columns },
      { name: "chunks", type: "u32", value: Math.ceil(length / chunk) },
      { name: "threads", type: "u32", value: outer * columns },
    ],
    functions,
    workgroupSize: `${workgroupSize}`,
    body,
    workgroups: workgroupsFor(outer * columns),
  }, target);
}

/**
 * Last phase, and the only one where a chunk is the whole axis: every element's result. Bindings: operand,
 * totals (where there are several chunks), output.
 */
export function columnScanKernel(
  description: ColumnScanDescription,
  chunk: number,
  target: Target,
): Kernel {
  const { operation, reverse } = description;
  const text = columnText(description);
  const chunked = chunk < description.length;
  const totals = { name: "totals", access: "read", element: text.accumulator } as const;
  const body = `${placeThread}var result = ${chunked ? "totals[thread]" : text.identity};
for (var i = 0u; i < count; i++) {
  let at = ${visitedAt(reverse)};
  result = combine${text.width}(result, load(at));
  output[at] = ${text.pack};
}`;
  return assembleKernel({
    name: `scan_columns_${operation}`,
    bindings: [
      { name: "operand", access: "read", element: text.readElement },
      ...(chunked ? [totals] : []),
      { name: "output", access: "read_write", element: text.writeElement },
    ],
    parameters: parametersOf(description, chunk),
    functions: text.functions,
    workgroupSize: `${workgroupSize}`,
    body,
    workgroups: workgroupsFor(chunkTotals(description, chunk) / text.width),
  }, target);
}

/** Rounds `size` float32 results to a 16-bit format. Bindings: float32 results, output. */
export function packResultsKernel(size: number, format: StorageFormat, target: Target): Kernel {
  const threads = Math.ceil(size / 4);
  return assembleKernel({
    name: "scan_pack",
    bindings: [
      { name: "results", access: "read", element: "vec4f" },
      { name: "output", access: "read_write", element: vectorElement(format) },
    ],
    parameters: [{ name: "threads", type: "u32", value: threads }],
    functions: storageFunctions,
    workgroupSize: `${workgroupSize}`,
    body: `${threadGuard}let result = results[thread];
output[thread] = ${packVector(format, "result")};`,
    workgroups: workgroupsFor(threads),
  }, target);
}
