// numericsReport: where a function loses precision under a policy, operation by operation.

import { type FloatDType, isHalf } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { type PolicyLike, resolvePolicy } from "../precision/policy.ts";
import { applyMixedPrecision, mixedFunctionOf } from "../transform/mixed_precision.ts";
import type { AnyFunction } from "../transform/traced_call.ts";
import { histogramBins } from "../../kernels/statistics/range_statistics.ts";
import { observe } from "./compared_run.ts";
import { adviseLossScale, type LossScaleAdvice } from "./loss_scale_advice.ts";
import {
  type NumericsRow,
  type PolicyLossScale,
  type ReportContents,
  rowOf,
  worstFirst,
} from "./numerics_row.ts";
import { reportHtml } from "./report_html.ts";
import { reportSvg } from "./report_svg.ts";
import { reportTable } from "./report_table.ts";
import { checkCall, traceProgram } from "./traced_program.ts";

const what = "numericsReport";

/** What `numericsReport` may be told. */
export interface NumericsReportOptions {
  /**
   * The policies to run under, by `applyMixedPrecision`; by default `mixed_float16` and `mixed_bfloat16`. With none,
   * and by default for what `applyMixedPrecision` returned, the function is run as it is written.
   */
  readonly policies?: readonly PolicyLike[];
  /** Whether the backward pass is looked at too, from cotangents of ones; by default false. */
  readonly gradients?: boolean;
}

/** What `numericsReport` found. It prints as a table. */
export class NumericsReport implements ReportContents {
  /** A row for each operation and policy, worst first. */
  readonly rows: readonly NumericsRow[];
  /** For each policy the loss scale that its half gradients ask for; none where no gradients were taken. */
  readonly lossScales: readonly PolicyLossScale[];

  /** Made by {@linkcode numericsReport}. */
  constructor(rows: readonly NumericsRow[], lossScales: readonly PolicyLossScale[]) {
    this.rows = rows;
    this.lossScales = lossScales;
  }

  /** A table of the worst rows, at most `limit` of them. */
  toString(limit = 40): string {
    return reportTable(this, limit);
  }

  /** The exponents of the worst rows as a picture, against the range of each row's type. */
  svg(limit = 40): string {
    return reportSvg(this, limit);
  }

  /** Table and picture as one page, which needs nothing else. */
  html(limit = 200): string {
    return reportHtml(this, limit);
  }

  /** What `console.log` prints. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}

/**
 * Where a function loses precision: it is run operation by operation on the device under each policy, and beside
 * that in float32, and every floating result is compared. Each row names an operation, its module path and line, and
 * says what share of it was flushed to zero, is subnormal, or overflowed, whether an overflow was absorbed (a finite
 * result that passed through infinity), which additions changed nothing, and how far it is from float32.
 *
 * @param fn any function of arrays and trees of them.
 * @param args its arguments, as an array.
 * @throws {TypeError} if it is given no function or no array of arguments, for options that there are not, and in a
 * traced function.
 *
 * @example
 * ```ts
 * import { init, type NDArray, numpy as jnp, numericsReport } from "@zenith/jax";
 *
 * await init();
 * // A variance whose squares are infinite in float16, so that the result is 0.
 * const normalized = (x: NDArray) => x.mul(jnp.rsqrt(x.square().mean()));
 * const report = await numericsReport(normalized, [jnp.array([800, -800])], {
 *   policies: ["mixed_float16"],
 * });
 * console.log(report.rows[0].op, report.rows[0].overflowShare); // square 1
 * console.log(report.rows.filter((row) => row.absorbedOverflow).map((row) => row.op)); // ["rsqrt"]
 * console.log(report);
 * const page = report.html(); // one file with a table and a picture
 * ```
 */
export async function numericsReport(
  // deno-lint-ignore no-explicit-any -- what the parameters are is up to the user's function.
  fn: (...args: any[]) => unknown,
  args: readonly unknown[],
  options: NumericsReportOptions = {},
): Promise<NumericsReport> {
  checkCall(what, fn, args);
  const runs = runsOf(fn as AnyFunction, options);
  const rows: NumericsRow[] = [];
  const lossScales: PolicyLossScale[] = [];
  for (const { name, fn: own } of runs) {
    const program = traceProgram(what, own, args, options.gradients ? 1 : undefined);
    const observations = await observe(program.graph, program.inputs);
    program.dispose();
    const found = observations.map((observation) => rowOf(name, observation));
    rows.push(...found);
    if (options.gradients) lossScales.push({ policy: name, ...lossScaleFor(found) });
  }
  return new NumericsReport(worstFirst(rows), lossScales);
}

/** The function under each policy. */
function runsOf(
  fn: AnyFunction,
  options: NumericsReportOptions,
): { name: string; fn: AnyFunction }[] {
  checkOptions(what, options, ["policies", "gradients"]);
  const { policies, gradients } = options;
  if (policies !== undefined && !Array.isArray(policies)) {
    throw new TypeError(
      `Cannot ${what}: policies must be an array of policies, got ${describe(policies)}`,
    );
  }
  if (gradients !== undefined && typeof gradients !== "boolean") {
    throw new TypeError(`Cannot ${what}: gradients must be a boolean, got ${describe(gradients)}`);
  }
  const chosen: readonly PolicyLike[] = policies ??
    (mixedFunctionOf(fn) ? [] : ["mixed_float16", "mixed_bfloat16"]);
  if (chosen.length === 0) return [{ name: "as written", fn }];
  return chosen.map((like) => {
    const policy = resolvePolicy(like);
    return { name: policy.name, fn: applyMixedPrecision(fn, { policy }) };
  });
}

/** The loss scale that the half results of a backward pass ask for. */
export function lossScaleFor(rows: readonly NumericsRow[]): LossScaleAdvice {
  const gradients = rows.filter(({ pass, dtype }) => pass === "backward" && isHalf(dtype));
  if (gradients.length === 0) return { scale: 1, reason: "no gradient is held in a half type" };
  const range = {
    minMagnitude: Math.min(...gradients.map((row) => row.minMagnitude)),
    maxMagnitude: Math.max(...gradients.map((row) => row.maxMagnitude)),
    bins: Array.from(
      { length: histogramBins },
      (_, bin) => gradients.reduce((sum, row) => sum + row.bins[bin]!, 0),
    ),
  };
  return adviseLossScale(range, gradients[0]!.dtype as FloatDType);
}
