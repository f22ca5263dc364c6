// Rows that every pass loads again: long ones, and those that are not whole vectors. Of these a team takes
// two or four, finds their statistics one after another, and stores them together in whole vectors.

import type { Fragment } from "../fragment.ts";
import type { Collectives, Team } from "../reduce/team.ts";
import { loadScalar, unpackVector } from "../storage.ts";
import {
  type Keep,
  type RowAlgorithm,
  type RowMethod,
  type RowOperand,
  storeStatistics,
} from "./row_algorithm.ts";

/** How rows are streamed. */
export interface StreamedRows {
  readonly input: Fragment;
  readonly length: number;
  /** Rows that a team takes together. */
  readonly together: number;
  readonly team: Team;
  readonly collectives: Collectives;
  /** Statements that store the vec4 value of a name at `index`. */
  readonly store: (value: string) => string;
}

const lanes = "vec4u(0u, 1u, 2u, 3u)";

/** WGSL of the passes over the row from `begin` to `end`. */
export function streamedPasses(
  method: RowMethod,
  rows: Pick<StreamedRows, "input" | "length" | "team" | "collectives">,
): string {
  const { input, length, team, collectives } = rows;
  const keep: Keep = (expression, identity = "vec4f()") =>
    length % 4 === 0
      ? expression
      : `select(${identity}, ${expression}, (vec4u(index) + ${lanes}) < vec4u(end))`;
  const text = input.emit("index", [], "");
  return method.passes.map((pass) =>
    `${pass.start}
for (var index = begin + member * 4u; index < end; index += ${team.threads * 4}u) {
${text.statements}
${text.results.map((result, n) => `var value${n} = ${result};`).join("\n")}
${pass.step(text.results.map((_, n) => `value${n}`), keep)}
}
${pass.finish(collectives)}`
  ).join("\n");
}

/** The statements of `main` after its seat is known. */
export function streamedBody(algorithm: RowAlgorithm, rows: StreamedRows): string {
  const { together } = rows;
  const { statistics } = algorithm.streamed;
  const first = `let first_row = team * ${together}u;`;
  if (together === 1) {
    return `${first}
let begin = first_row * params.length;
let end = begin + params.length;
${streamedPasses(algorithm.streamed, rows)}
${storeStatistics(algorithm, "first_row")}
${storeLoop(algorithm, rows)}`;
  }
  // The last team may repeat the last row: no more becomes of it than that its statistics are stored again.
  return `${first}
${statistics.map((name) => `var rows_${name} = vec4f();`).join("\n")}
for (var r = 0u; r < ${together}u; r++) {
let row = min(first_row + r, params.rows - 1u);
let begin = row * params.length;
let end = begin + params.length;
${streamedPasses(algorithm.streamed, rows)}
${storeStatistics(algorithm, "row")}
${statistics.map((name) => `rows_${name}[r] = ${name};`).join("\n")}
}
let begin = first_row * params.length;
let end = min(first_row + ${together}u, params.rows) * params.length;
${storeLoop(algorithm, rows)}`;
}

/** WGSL that declares the four elements of an operand for the result. */
function loadOperand({ name, format }: RowOperand, together: number): string {
  if (together === 1) {
    return `let ${name}_word = ${name}[(index - begin) >> 2u];
let ${name}_value = ${unpackVector(format, `${name}_word`)};`;
  }
  const elements = ["x", "y", "z", "w"].map((c) => loadScalar(format, name, `column.${c}`));
  return `let ${name}_value = vec4f(${elements.join(", ")});`;
}

/** WGSL that stores the team's rows in vectors, each of which may hold the elements of several rows. */
function storeLoop(algorithm: RowAlgorithm, rows: StreamedRows): string {
  const { input, together, team, store } = rows;
  const { statistics, result } = algorithm.streamed;
  const text = input.emit("index", [], "");
  const pick = (name: string) =>
    `vec4f(${["x", "y", "z", "w"].map((c) => `rows_${name}[which.${c}]`).join(", ")})`;
  const places = together === 1 ? "" : `let inner = vec4u(index - begin) + ${lanes};
let which = min(inner / params.length, vec4u(${together - 1}u));
let column = inner - which * params.length;
${statistics.map((name) => `let ${name} = ${pick(name)};`).join("\n")}`;
  return `for (var index = begin + member * 4u; index < end; index += ${team.threads * 4}u) {
${text.statements}
${places}
${algorithm.operands.map((operand) => loadOperand(operand, together)).join("\n")}
let result = ${result(text.results)};
${store("result")}
}`;
}
