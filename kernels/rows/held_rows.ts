// Rows of whole vectors that their team holds in registers. Storage is what these kernels wait for, on a
// software driver (250 ns a vector load of eight lanes, 15 ns its exp) as on a GPU: it is read once.

import type { Fragment } from "../fragment.ts";
import type { Collectives, Team } from "../reduce/team.ts";
import { unpackVector } from "../storage.ts";
import { type Keep, type RowAlgorithm, storeStatistics } from "./row_algorithm.ts";

/** How a row is held. */
export interface HeldRows {
  readonly input: Fragment;
  readonly length: number;
  /** Vectors in each member's registers. */
  readonly held: number;
  readonly team: Team;
  readonly collectives: Collectives;
  /** Statements that store the vec4 value of a name at `index`. */
  readonly store: (value: string) => string;
}

/**
 * Whether a team takes row after row, so that it loads its operands once. Without operands a row for each
 * team is faster: a software driver saves all that is held at every barrier of a loop.
 */
export function isTakenInTurns(algorithm: RowAlgorithm): boolean {
  return algorithm.operands.length > 0;
}

/** The statements of `main` after its seat is known; `turn` alternates from row to row. */
export function heldBody(algorithm: RowAlgorithm, rows: HeldRows): string {
  const { held, team, collectives } = rows;
  const numbers = Array.from({ length: held }, (_, i) => i);
  // Only the last vector can lie past the end of the row.
  const isPartial = (i: number) => i === held - 1 && rows.length / 4 % team.threads !== 0;
  const guarded = (i: number, statements: string) =>
    isPartial(i) ? `if (inside) {\n${statements}\n}` : `{\n${statements}\n}`;
  const keep = (i: number): Keep => (expression, identity = "vec4f()") =>
    isPartial(i) ? `select(${identity}, ${expression}, inside)` : expression;
  const steps = algorithm.held.passes.map((pass) =>
    `${pass.start}
${numbers.map((i) => `{\n${pass.step(valuesOf(rows, i), keep(i))}\n}`).join("\n")}
${pass.finish(collectives)}`
  );
  const row = `let first = row * params.length;
${numbers.map((i) => `${declareHeld(rows, i)}\n${guarded(i, loadHeld(rows, i))}`).join("\n")}
${steps.join("\n")}
${storeStatistics(algorithm, "row")}
${numbers.map((i) => guarded(i, storeHeld(algorithm, rows, i))).join("\n")}`;
  const inside = `let inside = member + ${(held - 1) * team.threads}u < params.length / 4u;`;
  if (!isTakenInTurns(algorithm)) return `${inside}\nlet row = team;\n${row}`;
  return `${inside}
${numbers.map((i) => loadOperands(algorithm, team, i)).join("\n")}
var turn = 0u;
for (var row = team; row < params.rows; row += params.teams) {
${row}
turn ^= 1u;
}`;
}

/** WGSL that declares four elements of each operand: they serve every row of the team. */
function loadOperands({ operands }: RowAlgorithm, team: Team, i: number): string {
  return operands.map(({ name, format }) =>
    `let ${name}_word${i} = ${name}[member + ${i * team.threads}u];
let ${name}_held${i} = ${unpackVector(format, `${name}_word${i}`)};`
  ).join("\n");
}

/** The names of a member's i-th vector of each input. */
function valuesOf({ input }: HeldRows, i: number): string[] {
  return input.emit("index", [], "").results.map((_, n) => `value${i}_${n}`);
}

function declareHeld(rows: HeldRows, i: number): string {
  return valuesOf(rows, i).map((name) => `var ${name} = vec4f();`).join("\n");
}

function loadHeld(rows: HeldRows, i: number): string {
  const text = rows.input.emit("index", [], "");
  return `let index = first + (member + ${i * rows.team.threads}u) * 4u;
${text.statements}
${valuesOf(rows, i).map((name, n) => `${name} = ${text.results[n]};`).join("\n")}`;
}

function storeHeld(algorithm: RowAlgorithm, rows: HeldRows, i: number): string {
  const { team, store } = rows;
  const operands = algorithm.operands.map(({ name }) => `let ${name}_value = ${name}_held${i};`);
  return `let index = first + (member + ${i * team.threads}u) * 4u;
${operands.join("\n")}
let result = ${algorithm.held.result(valuesOf(rows, i))};
${store("result")}`;
}
