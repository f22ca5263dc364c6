// What every reduction of rows of consecutive elements shares. A team takes four rows one after another,
// so that their results leave as one vector: no two threads ever write halves of one word.

import type { Fragment } from "../fragment.ts";
import { assembleKernel, type Kernel, spreadWorkgroups } from "../kernel.ts";
import { storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";
import { outputBindings, type Results, storeResults } from "./store.ts";
import {
  type Collectives,
  makeTeam,
  maxIterations,
  smallestTeam,
  type Team,
  teamSeat,
} from "./team.ts";

/** Rows up to this many vectors are left to one thread each: more threads would mostly wait. */
const threadVectors = 8;

/** Iterations whose sum is kept apart from the rest, so that rounding errors do not grow with the length. */
export const blockIterations = 256;

/**
 * The team for rows of `length` elements, of which there are `rows`: grown while the device is idle, or
 * while a thread has more iterations than it may run.
 *
 * @throws RangeError if the largest team's threads have too many iterations.
 */
export function teamForRows(rows: number, length: number, target: Target): Team {
  const vectors = Math.ceil(length / 4);
  if (vectors <= threadVectors) return makeTeam(1, target);
  const most = Math.min(256, target.maxInvocations);
  // More threads of a software driver's workgroup do not run at once.
  const busy = target.kind === "software" ? 0 : 32768;
  const isIdle = (threads: number) =>
    threads * 4 <= vectors && Math.ceil(rows / 4) * threads < busy;
  const isLong = (threads: number) =>
    Math.min(rows, 4) * Math.ceil(vectors / threads) > maxIterations(target);
  let threads = smallestTeam(target);
  while (threads < most && (isIdle(threads) || isLong(threads))) threads *= 2;
  if (isLong(threads)) {
    throw new RangeError(
      `Cannot reduce rows: at most ${maxIterations(target) * most} elements are required on this ` +
        `device, got ${length}; split them with chooseSplit`,
    );
  }
  return makeTeam(threads, target);
}

/** The rows that are reduced, to one or more results each. */
export interface RowsSpace {
  readonly outer: number;
  readonly length: number;
  /** Into how many pieces each row is cut; each counts as a row. */
  readonly split: number;
  /** What is read: a value for each reduction. */
  readonly input: Fragment;
}

/** Elements of a piece of a row: whole vectors, so that every piece begins at a multiple of 4. */
export function pieceLength({ length, split }: Pick<RowsSpace, "length" | "split">): number {
  return Math.ceil(Math.ceil(length / split) / 4) * 4;
}

/** WGSL that declares `begin` and `end`: the elements of a row, or of a piece of one. */
function rowRange(split: number): string {
  if (split === 1) return "let begin = row * params.length;\nlet end = begin + params.length;";
  return `let start = (row / params.split) * params.length;
let begin = start + (row % params.split) * params.piece;
let end = start + min(params.length, (row % params.split + 1u) * params.piece);`;
}

/** Sums kept apart over blocks of a long row: what stands before and after each block's loop. */
export interface Blocks {
  readonly open: string;
  readonly close: string;
}

/**
 * WGSL in which a member visits its vectors of the row from `begin` to `end`.
 * @param visit given the names of the four elements from `index` on, for each reduction, and a vec4<bool>
 * expression that is false past the row's end, or null where no vector reaches past it: what lies there may
 * be NaN.
 */
export function rowLoop(
  space: RowsSpace,
  team: Team,
  visit: (values: readonly string[], inside: string | null) => string,
  blocks: Blocks | null,
): string {
  const text = space.input.emit("index", [], "");
  const inside = space.length % 4 === 0
    ? null
    : "(vec4u(index) + vec4u(0u, 1u, 2u, 3u)) < vec4u(end)";
  const stride = team.threads * 4;
  const loop = (from: string, to: string) =>
    `for (var index = ${from} + member * 4u; index < ${to}; index += ${stride}u) {
${text.statements}
${visit(text.results, inside)}
}`;
  if (!blocks) return loop("begin", "end");
  const block = blockIterations * stride;
  return `for (var block = begin; block < end; block += ${block}u) {
let stop = min(end, block + ${block}u);
${blocks.open}
${loop("block", "stop")}
${blocks.close}
}`;
}

/** The statements of a reduction of rows. */
export interface RowsText {
  /** Declares what the rows leave their results in. */
  readonly start: string;
  /** Reduces row `r` of four, from `begin` to `end`, to a member's own result. */
  readonly row: string;
  /** Joins the members' results and declares `reduced0`, `reduced1`, ..., one for each reduction. */
  readonly finish: string;
  readonly functions: string;
}

/** The kernel around a reduction of rows. */
export function assembleRows(
  name: string,
  space: RowsSpace,
  results: readonly Results[],
  text: RowsText,
  team: Team,
  collectives: Collectives,
  target: Target,
): Kernel {
  const { input, split } = space;
  const firsts = results.map((_, i) => results.slice(0, i).flatMap((r) => r.outputs).length);
  const epilogues = results.flatMap(({ epilogue }) => epilogue ?? []);
  const rows = space.outer * split;
  const teams = Math.ceil(rows / 4);
  const body = `${teamSeat(team)}
${text.start}
for (var r = 0u; r < 4u; r++) {
let row = team * 4u + r;
if (row >= params.rows) { break; }
${rowRange(split)}
${text.row}
}
${text.finish}
if (member == 0u) {
let index = team * 4u;
${results.map((r, i) => storeResults(r, `reduced${i}`, "index", firsts[i])).join("\n")}
}`;
  return assembleKernel({
    name,
    bindings: [
      ...input.bindings,
      ...epilogues.flatMap(({ bindings }) => bindings),
      ...outputBindings(results.flatMap(({ outputs }) => outputs)),
    ],
    parameters: [
      { name: "teams", type: "u32", value: teams },
      { name: "rows", type: "u32", value: rows },
      { name: "length", type: "u32", value: space.length },
      { name: "split", type: "u32", value: split },
      { name: "piece", type: "u32", value: pieceLength(space) },
      ...input.parameters,
      ...epilogues.flatMap(({ parameters }) => parameters),
    ],
    functions: storageFunctions + text.functions + collectives.functions() + input.functions +
      epilogues.map(({ functions }) => functions).join(""),
    subgroups: collectives.usesSubgroups,
    workgroupSize: `${team.threads * team.perWorkgroup}`,
    body,
    workgroups: spreadWorkgroups(Math.ceil(teams / team.perWorkgroup)),
    sharesDispatch: true,
  }, target);
}
