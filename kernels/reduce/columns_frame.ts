// What every reduction of columns shares: a thread owns four consecutive results and walks down the
// reduced axis. On GPUs, where columns are few, several threads may share them.

import type { Fragment } from "../fragment.ts";
import { assembleKernel, type Kernel, linearGroup, spreadWorkgroups } from "../kernel.ts";
import { storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";
import type { Blocks } from "./rows_frame.ts";
import { outputBindings, type Results, storeResults } from "./store.ts";
import { maxIterations } from "./team.ts";

/** The columns that are reduced, to one result each. */
export interface ColumnsSpace extends Results {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  /** Into how many pieces the axis is cut; results are [outer, split, inner]. */
  readonly split: number;
  readonly input: Fragment;
}

/** A workgroup's shape: threads beside one another, and how many share the same four columns. */
export interface ColumnGroup {
  readonly across: number;
  readonly slices: number;
}

/** Vectors of results: what a thread has. */
function vectorsOf({ outer, split, inner }: ColumnsSpace): number {
  return Math.ceil(outer * split * inner / 4);
}

/**
 * The workgroup that suits the number of columns and their length.
 *
 * @throws RangeError if even the largest workgroup's threads have too many iterations.
 */
export function columnGroup(space: ColumnsSpace, target: Target): ColumnGroup {
  const threads = vectorsOf(space);
  const rows = Math.ceil(space.length / space.split);
  if (target.kind !== "software") {
    // Few columns leave a GPU idle unless several threads share them.
    return threads < 16384 && rows >= 64 ? { across: 32, slices: 8 } : { across: 64, slices: 1 };
  }
  // A software driver runs a workgroup on one core, eight threads in a vector.
  const across = threads >= 1024
    ? 64
    : Math.min(8, 2 ** Math.ceil(Math.log2(Math.max(1, threads))));
  let slices = Math.max(1, 8 / across);
  while (rows / slices > maxIterations(target)) slices *= 2;
  // A search keeps two vectors of four words for every thread in workgroup memory.
  const most = Math.min(target.maxInvocations, target.maxWorkgroupStorage / 32);
  if (across * slices > most) {
    throw new RangeError(
      `Cannot reduce columns: at most ${maxIterations(target) * most / across} ` +
        `rows are required on this device, got ${rows}; split them with chooseSplit`,
    );
  }
  return { across, slices };
}

/**
 * WGSL that joins what the slices found, until the first slice has it all.
 * @param save stores a thread's own part at `lane`; @param join joins to it the part at `other`.
 */
export function joinSlices({ across, slices }: ColumnGroup, save: string, join: string): string {
  if (slices === 1) return "";
  return `${save}
for (var half = ${slices / 2}u; half > 0u; half >>= 1u) {
workgroupBarrier();
if (slice < half) {
let other = lane + half * ${across}u;
${join}
${save}
}
}`;
}

/** Whether some four results belong to two rows of columns: these lie a whole block of rows apart. */
function straddles({ outer, split, inner }: ColumnsSpace): boolean {
  return inner % 4 !== 0 && outer * split > 1;
}

/**
 * WGSL of the elements that make result `q * inner` and its neighbours: the number of the first, and how
 * many follow it down the axis.
 */
const runFunctions = `
struct Run { first: u32, count: u32 }
fn run_of(q: u32) -> Run {
  let skipped = min((q % params.split) * params.piece, params.length);
  let first = ((q / params.split) * params.length + skipped) * params.inner;
  return Run(first, min(params.piece, params.length - skipped));
}
`;

/**
 * WGSL in which a thread visits its columns from top to bottom.
 * @param visit given the name of the four elements in row `k` of the run, and a vec4<bool> expression
 * that is false for columns that have ended, or null where all end together.
 */
export function columnLoop(
  space: ColumnsSpace,
  group: ColumnGroup,
  visit: (value: string, inside: string | null) => string,
  blocks: (Blocks & { readonly iterations: number }) | null,
): string {
  const text = space.input.emit("index", [], "");
  let step = `let value = ${text.results[0]};\n${visit("value", null)}`;
  if (straddles(space)) {
    const further = space.input.emit("next_index", [], "_n");
    // Below zero the index wraps around, and so back to where its elements in the next row are.
    step = `var value = ${text.results[0]};
if (straddling) {
let next_index = next.first + k * params.inner + column - params.inner;
${further.statements}
value = select(value, ${further.results[0]}, in_next);
}
${visit("value", "(vec4u(k) < counts)")}`;
  }
  const loop = (from: string, to: string) =>
    `for (var k = ${from} + slice; k < ${to}; k += ${group.slices}u) {
let index = run.first + k * params.inner + column;
${text.statements}
${step}
}`;
  if (!blocks) return loop("0u", "count");
  const block = blocks.iterations * group.slices;
  return `for (var block = 0u; block < count; block += ${block}u) {
${blocks.open}
${loop("block", `min(count, block + ${block}u)`)}
${blocks.close}
}`;
}

/** WGSL that finds a thread's four columns: `q` and `column`, their runs and the longest `count`. */
function columnSeat(space: ColumnsSpace, group: ColumnGroup): string {
  return `let seat = lane % ${group.across}u;
let slice = lane / ${group.across}u;
let thread = ${linearGroup} * ${group.across}u + seat;
let result_index = min(thread, params.vectors - 1u) * 4u;
let q = result_index / params.inner;
let column = result_index - q * params.inner;
let run = run_of(q);
${
    straddles(space)
      ? `let next = run_of(q + 1u);
let straddling = column + 3u >= params.inner;
let in_next = (vec4u(column) + vec4u(0u, 1u, 2u, 3u)) >= vec4u(params.inner);
let counts = select(vec4u(run.count), vec4u(next.count), in_next);
let count = max(run.count, next.count);`
      : "let count = run.count;"
  }`;
}

/** The kernel around a reduction of columns, whose text declares `reduced`. */
export function assembleColumns(
  name: string,
  space: ColumnsSpace,
  text: { readonly body: string; readonly functions: string },
  group: ColumnGroup,
  target: Target,
): Kernel {
  const { input, epilogue, outputs } = space;
  const vectors = vectorsOf(space);
  const body = `${columnSeat(space, group)}
${text.body}
if (slice == 0u && thread < params.vectors) {
${storeResults(space, "reduced", "result_index")}
}`;
  return assembleKernel({
    name,
    bindings: [...input.bindings, ...(epilogue?.bindings ?? []), ...outputBindings(outputs)],
    parameters: [
      { name: "vectors", type: "u32", value: vectors },
      { name: "length", type: "u32", value: space.length },
      { name: "inner", type: "u32", value: space.inner },
      { name: "split", type: "u32", value: space.split },
      { name: "piece", type: "u32", value: Math.ceil(space.length / space.split) },
      ...input.parameters,
      ...(epilogue?.parameters ?? []),
    ],
    functions: storageFunctions + runFunctions + text.functions + input.functions +
      (epilogue?.functions ?? ""),
    workgroupSize: `${group.across * group.slices}`,
    body,
    workgroups: spreadWorkgroups(Math.ceil(vectors / group.across)),
  }, target);
}
