// Softmax and its logarithm over rows, and the logarithm of a row's summed exponentials: stable because
// every exponential is of the distance to the row's maximum.

import { elementarySource } from "../elementary/table.ts";
import { assembleKernel, type Kernel, spreadWorkgroups } from "../kernel.ts";
import { outputBindings, storeResults } from "../reduce/store.ts";
import { Collectives, joinComponents, teamSeat } from "../reduce/team.ts";
import { storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";
import type { RowAlgorithm, RowPass } from "./row_algorithm.ts";
import { checkRows, rowKernel, type RowsDescription, teamThatStreams } from "./row_kernel.ts";
import { streamedPasses } from "./streamed_rows.ts";

// WGSL text cannot hold an infinity; the lowest float32 stands in where one would make NaN.
const minusInfinity = "vec4f(bitcast<f32>(0xff800000u | zero()))";
const lowest = "-0x1.fffffep+127f";
const highest = "0x1.fffffep+127f";

/** WGSL of the exponentials of four elements. */
export const exp = (value: string) => `accurate_exp(${value})`;
const exp1 = (value: string) => `accurate_exp(vec4f(${value})).x`;
const log1 = (value: string) => `accurate_log(vec4f(${value})).x`;

/** Declares `peak`, the row's maximum. */
export const peakPass: RowPass = {
  start: `var highest = ${minusInfinity};`,
  step: ([value], keep) => `highest = max(highest, ${keep(value, minusInfinity)});`,
  finish: (collectives) =>
    `let peak = ${collectives.join("max", "f32", joinComponents("max", "highest"))};`,
};

/** Declares `total`, the sum of the exponentials; `replace` leaves these in place of the elements. */
export function totalPass(replace: boolean): RowPass {
  return {
    start: "var sum = vec4f();",
    step: ([value], keep) =>
      replace
        ? `${value} = ${exp(`${value} - peak`)};\nsum += ${keep(value)};`
        : `sum += ${keep(exp(`${value} - peak`))};`,
    finish: (collectives) =>
      `let total = ${collectives.join("sum", "f32", joinComponents("sum", "sum"))};`,
  };
}

/**
 * Declares `peak` and `total` in one pass: when a higher maximum is met, the sum so far is scaled down to
 * it (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). It begins with the
 * lowest finite number, since -infinity less itself would be NaN.
 * @param finite keeps the maximum below infinity, whose exponential is then infinite and not NaN.
 */
export function onlinePass(finite: boolean): RowPass {
  const top = joinComponents("max", "x");
  return {
    start: `var member_peak = ${lowest};\nvar sum = vec4f();`,
    step: ([value], keep) =>
      `let x = ${keep(value, minusInfinity)};
let higher = max(member_peak, ${finite ? `min(${top}, ${highest})` : top});
if (higher > member_peak) {
sum *= ${exp1("member_peak - higher")};
member_peak = higher;
}
sum += ${exp("x - member_peak")};`,
    finish: (collectives) =>
      `let peak = ${collectives.join("max", "f32", "member_peak")};
let member_total = ${joinComponents("sum", "sum")} * ${exp1("member_peak - peak")};
let total = ${collectives.join("sum", "f32", "member_total")};`,
  };
}

/** Adds to a pass statements that declare another statistic. */
export function andThen(pass: RowPass, statement: string): RowPass {
  return { ...pass, finish: (collectives) => `${pass.finish(collectives)}\n${statement}` };
}

const scaleStatement = "let scale_down = 1.0 / total;";
const logStatement = `let log_total = ${log1("total")};`;

const softmax: RowAlgorithm = {
  name: "softmax",
  parameters: [],
  operands: [],
  functions: elementarySource(["exp"]),
  held: {
    passes: [peakPass, andThen(totalPass(true), scaleStatement)],
    statistics: ["scale_down"],
    result: ([value]) => `${value} * scale_down`,
  },
  streamed: {
    passes: [andThen(onlinePass(false), scaleStatement)],
    statistics: ["peak", "scale_down"],
    result: ([value]) => `${exp(`${value} - peak`)} * scale_down`,
  },
};

const logSoftmax: RowAlgorithm = {
  name: "log_softmax",
  parameters: [],
  operands: [],
  functions: elementarySource(["exp", "log"]),
  held: {
    passes: [peakPass, andThen(totalPass(false), logStatement)],
    statistics: ["peak", "log_total"],
    result: ([value]) => `(${value} - peak) - log_total`,
  },
  streamed: {
    passes: [andThen(onlinePass(false), logStatement)],
    statistics: ["peak", "log_total"],
    result: ([value]) => `(${value} - peak) - log_total`,
  },
};

/**
 * The kernel of softmax over the rows of [rows, length]. A row of -infinity alone gives NaN, as in JAX.
 *
 * @throws RangeError for an aligned input of rows that are not whole vectors, or where `supportsRows`
 * does not hold.
 */
export function softmaxKernel(description: RowsDescription, target: Target): Kernel {
  return rowKernel(softmax, description, target);
}

/**
 * The kernel of the logarithm of softmax over the rows of [rows, length].
 *
 * @throws RangeError as {@linkcode softmaxKernel} does.
 */
export function logSoftmaxKernel(description: RowsDescription, target: Target): Kernel {
  return rowKernel(logSoftmax, description, target);
}

/**
 * The kernel of log(sum(exp(row))), one result a row: outputs and epilogue are over [rows]. A row of
 * -infinity alone, or an empty one, gives -infinity; one that holds infinity gives infinity.
 *
 * @throws RangeError as {@linkcode softmaxKernel} does.
 */
export function logSumExpKernel(description: RowsDescription, target: Target): Kernel {
  checkRows("log_sum_exp", description, target);
  const { rows, length, input, epilogue, outputs } = description;
  const team = teamThatStreams(length, target);
  const collectives = new Collectives(team, target, "(r & 1u)");
  const method = { ...logSoftmax.streamed, passes: [andThen(onlinePass(true), logStatement)] };
  const teams = Math.ceil(rows / 4);
  const body = `${teamSeat(team)}
var results = vec4f();
for (var r = 0u; r < 4u; r++) {
let row = team * 4u + r;
if (row >= params.rows) { break; }
let begin = row * params.length;
let end = begin + params.length;
${streamedPasses(method, { input, length, team, collectives })}
results[r] = peak + log_total;
}
if (member == 0u) {
let index = team * 4u;
${storeResults(description, "results", "index")}
}`;
  return assembleKernel({
    name: "log_sum_exp",
    bindings: [...input.bindings, ...(epilogue?.bindings ?? []), ...outputBindings(outputs)],
    parameters: [
      { name: "teams", type: "u32", value: teams },
      { name: "rows", type: "u32", value: rows },
      { name: "length", type: "u32", value: length },
      ...input.parameters,
      ...(epilogue?.parameters ?? []),
    ],
    functions: storageFunctions + logSoftmax.functions + collectives.functions() +
      input.functions + (epilogue?.functions ?? ""),
    subgroups: collectives.usesSubgroups,
    workgroupSize: `${team.threads * team.perWorkgroup}`,
    body,
    workgroups: spreadWorkgroups(Math.ceil(teams / team.perWorkgroup)),
  }, target);
}
