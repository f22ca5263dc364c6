// suggestPolicy: which modules must stay in float32 for a function to keep within a tolerance.

import { finfo } from "../core/finfo.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { type Policy, type PolicyLike, resolvePolicy } from "../precision/policy.ts";
import type { AnyFunction } from "../transform/traced_call.ts";
import { lossScaleFor } from "./numerics_report.ts";
import { type NumericsRow, worstFirst } from "./numerics_row.ts";
import { type Overrides, PolicyTrials, type Trial } from "./policy_trials.ts";
import { checkCall } from "./traced_program.ts";

const what = "suggestPolicy";

/** What `suggestPolicy` may be told. */
export interface SuggestPolicyOptions {
  /** How far results may be from float32, as a share of their largest magnitude; by default 0.01. */
  readonly tolerance?: number;
  /** How often the function may be run; by default 64. */
  readonly budget?: number;
  /** The policy to start from; by default `mixed_float16`. */
  readonly policy?: PolicyLike;
  /** Whether gradients count too; by default false. */
  readonly gradients?: boolean;
}

/** What `suggestPolicy` found. As text a few lines. */
export class PolicySuggestion {
  /** The policy that was started from: the option `policy` of `applyMixedPrecision`. */
  readonly policy: string;
  /** The modules to keep in float32: the option `overrides` of `applyMixedPrecision`. */
  readonly overrides: Overrides;
  /** Operations of these modules whose results are then in float32 instead of a half type. */
  readonly operations: number;
  /** The largest error of a result over its largest magnitude, and of a gradient over the largest of all. */
  readonly error: number;
  /** The same with nothing kept in float32. */
  readonly errorWithout: number;
  /** Whether the error is within the tolerance. */
  readonly meetsTolerance: boolean;
  /** Bytes that the results of operations take more than without overrides. */
  readonly extraBytes: number;
  /** How much longer it takes, as a share, where memory is what is waited for: an estimate by bytes. */
  readonly extraTime: number;
  /** The loss scale that gradients were taken with; 1 where none is needed or none were asked for. */
  readonly lossScale: number;
  /** How often the function was run. */
  readonly runs: number;
  /** What to know besides, in sentences. */
  readonly advice: readonly string[];

  /** Made by {@linkcode suggestPolicy}. */
  constructor(found: Omit<PolicySuggestion, "toString">) {
    this.policy = found.policy;
    this.overrides = found.overrides;
    this.operations = found.operations;
    this.error = found.error;
    this.errorWithout = found.errorWithout;
    this.meetsTolerance = found.meetsTolerance;
    this.extraBytes = found.extraBytes;
    this.extraTime = found.extraTime;
    this.lossScale = found.lossScale;
    this.runs = found.runs;
    this.advice = found.advice;
  }

  /** The options for `applyMixedPrecision`, what they cost, and the advice. */
  toString(): string {
    const { policy, overrides, error, errorWithout, extraBytes, extraTime, operations } = this;
    const options = JSON.stringify({ policy, overrides });
    return [
      `applyMixedPrecision(fn, ${options})`,
      `error ${error.toPrecision(2)}, without overrides ${errorWithout.toPrecision(2)}`,
      `${operations} operations in float32: ${extraBytes} bytes more, about ${
        (100 * extraTime).toPrecision(2)
      } % of the time`,
      ...this.advice,
    ].join("\n");
  }

  /** What `console.log` prints. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}

/**
 * The fewest modules to keep in float32 so that what a function returns under a half policy stays within a tolerance
 * of float32: as `overrides` for `applyMixedPrecision`. It looks for the module in which an overflow or the largest
 * error begins, keeps it, looks again, and at the end gives back every module that turns out not to be needed.
 *
 * Modules are told by their paths, so only what runs inside of modules of `nn` can be kept; the advice names the line
 * of anything else. It also says which loss scale float16 needs, and where bfloat16 is the better choice.
 *
 * @param fn any function of arrays and trees of them.
 * @param args its arguments, as an array.
 * @throws {TypeError} if it is given no function or no array of arguments, for options that there are not, and in a
 * traced function; {RangeError} for a tolerance or a budget that is not positive.
 *
 * @example
 * ```ts
 * import { applyMixedPrecision, init, type NDArray, nn, numpy as jnp, random, suggestPolicy } from "@zenith/jax";
 *
 * await init();
 * const energy: nn.Module<Record<string, never>> = {
 *   name: "energy",
 *   init: () => ({}),
 *   apply: (_, x) => jnp.sqrt(jnp.square(x)), // squares of more than 255 are infinite in float16
 * };
 * const model = nn.sequential([nn.dense({ inFeatures: 4, features: 8 }), energy]);
 * const params = model.init(random.key(0));
 * const x = jnp.full([2, 4], 1000);
 * const { overrides } = await suggestPolicy(model.apply, [params, x], { tolerance: 0.01 });
 * console.log(overrides); // { layers_1: "float32" }
 * const half = applyMixedPrecision(model.apply, { policy: "mixed_float16", overrides });
 * ```
 */
export async function suggestPolicy(
  // deno-lint-ignore no-explicit-any -- what the parameters are is up to the user's function.
  fn: (...args: any[]) => unknown,
  args: readonly unknown[],
  options: SuggestPolicyOptions = {},
): Promise<PolicySuggestion> {
  checkCall(what, fn, args);
  const { tolerance, budget, policy, gradients } = checkedOptions(options);
  const trials = new PolicyTrials(what, fn as AnyFunction, args, budget);
  try {
    return await new Search(trials, policy, tolerance).run(gradients);
  } finally {
    trials.dispose();
  }
}

function checkedOptions(options: SuggestPolicyOptions) {
  checkOptions(what, options, ["tolerance", "budget", "policy", "gradients"]);
  const { tolerance = 0.01, budget = 64, policy = "mixed_float16", gradients = false } = options;
  for (const [name, value] of Object.entries({ tolerance, budget })) {
    if (typeof value === "number" && value > 0) continue;
    throw new RangeError(
      `Cannot ${what}: ${name} must be a positive number, got ${describe(value)}`,
    );
  }
  if (typeof gradients !== "boolean") {
    throw new TypeError(`Cannot ${what}: gradients must be a boolean, got ${describe(gradients)}`);
  }
  return { tolerance, budget, gradients, policy: resolvePolicy(policy) };
}

class Search {
  readonly #trials: PolicyTrials;
  readonly #policy: Policy;
  readonly #tolerance: number;
  /** Modules in float32 and the row that was the reason, in the order in which they were found. */
  readonly #kept = new Map<string, NumericsRow>();
  /** Where an error begins that no override reaches. */
  #outside: NumericsRow | undefined;
  #lossScale = 1;

  constructor(trials: PolicyTrials, policy: Policy, tolerance: number) {
    this.#trials = trials;
    this.#policy = policy;
    this.#tolerance = tolerance;
  }

  async run(gradients: boolean): Promise<PolicySuggestion> {
    if (gradients) await this.#findLossScale();
    this.#trials.prepare(gradients ? this.#lossScale : undefined);
    const plain = await this.#try(this.#overrides());
    let best = plain;
    while (!this.#meets(best) && this.#trials.hasBudget) {
      if (!await this.#keepOneMore()) break;
      best = await this.#try(this.#overrides());
    }
    if (this.#meets(best)) best = await this.#giveBack(best);
    const operations = await this.#countOperations();
    const advice = await this.#advice(plain, best);
    return new PolicySuggestion({
      policy: this.#policy.name,
      overrides: this.#overrides(),
      operations,
      error: best.error,
      errorWithout: plain.error,
      meetsTolerance: this.#meets(best),
      extraBytes: best.bytes - plain.bytes,
      extraTime: best.bytes / plain.bytes - 1,
      lossScale: this.#lossScale,
      runs: this.#trials.runs,
      advice,
    });
  }

  #overrides(without?: string): Overrides {
    const paths = [...this.#kept.keys()].filter((path) => path !== without);
    return Object.fromEntries(paths.map((path) => [path, "float32"]));
  }

  #try(overrides: Overrides): Promise<Trial> {
    return this.#trials.run(this.#policy, overrides);
  }

  #meets({ error }: Trial): boolean {
    return error <= this.#tolerance;
  }

  async #findLossScale(): Promise<void> {
    const rows = await this.#trials.rows(this.#policy, {}, 1);
    // A backward pass of infinities says nothing about scales.
    const { scale } = lossScaleFor(rows.filter((row) => row.nonFinite === 0));
    this.#lossScale = Math.max(1, scale);
  }

  /** Keeps the module in which the worst begins; false where there is none. */
  async #keepOneMore(): Promise<boolean> {
    const rows = await this.#trials.rows(this.#policy, this.#overrides());
    // The forward pass comes first: what it breaks, the backward pass inherits.
    const born = rows.filter(({ overflowShare, inputError }) =>
      overflowShare > 0 && Number.isFinite(inputError)
    );
    const forward = worstFirst(rows.filter(({ pass }) => pass === "forward"));
    const candidates = [...born, ...forward, ...worstFirst(rows)].filter((row) =>
      row.relativeError > row.inputError || row.flushedShare > 0
    );
    const next = candidates.find(({ path }) => path !== "" && !this.#isKept(path));
    if (candidates[0]?.path === "") this.#outside ??= candidates[0];
    if (!next) return false;
    this.#kept.set(next.path, next);
    return true;
  }

  #isKept(path: string): boolean {
    return [...this.#kept.keys()].some((kept) => `${path}/`.startsWith(`${kept}/`));
  }

  /** Gives back what is not needed, the last kept first. */
  async #giveBack(best: Trial): Promise<Trial> {
    let found = best;
    for (const path of [...this.#kept.keys()].reverse()) {
      if (this.#kept.size === 1 || !this.#trials.hasBudget) break;
      const trial = await this.#try(this.#overrides(path));
      if (!this.#meets(trial)) continue;
      this.#kept.delete(path);
      found = trial;
    }
    return found;
  }

  /** How many results inside of the kept modules are in float32 that the policy alone holds in a half type. */
  async #countOperations(): Promise<number> {
    if (this.#kept.size === 0) return 0;
    const wide = (rows: readonly NumericsRow[]) =>
      rows.filter(({ path, dtype, op }) =>
        dtype === "float32" && op !== "astype" && this.#isKept(path)
      ).length;
    const kept = await this.#trials.rows(this.#policy, this.#overrides());
    return wide(kept) - wide(await this.#trials.rows(this.#policy, {}));
  }

  async #advice(plain: Trial, best: Trial): Promise<string[]> {
    const sentences = [...this.#kept].map(([path, row]) =>
      `${path} stays in float32 for its ${row.op} at ${row.source}: ${reason(row)}.`
    );
    if (!this.#meets(best) && this.#outside) {
      const { op, source } = this.#outside;
      sentences.push(
        `${op} at ${source} is in no module: put it into fullPrecision(fn) or into a module, so that it can be kept in float32.`,
      );
    }
    if (this.#lossScale > 1) {
      sentences.push(
        `Gradients need a loss scale: with ${this.#lossScale} those in ${this.#policy.computeDtype} are in its range.`,
      );
    }
    if (this.#policy.computeDtype !== "float16" || this.#meets(plain)) return sentences;
    const other = await this.#trials.run(resolvePolicy("mixed_bfloat16"), {});
    if (this.#meets(other)) {
      sentences.push(
        `mixed_bfloat16 is the better choice: within the tolerance without overrides (error ${
          other.error.toPrecision(2)
        }).`,
      );
    } else if (!this.#meets(best)) {
      sentences.push(
        `mixed_bfloat16 is off by ${other.error.toPrecision(2)}; its eps is ${
          finfo("bfloat16").eps
        }.`,
      );
    }
    return sentences;
  }
}

function reason(row: NumericsRow): string {
  const share = (value: number) => `${Number((100 * value).toPrecision(3))} %`;
  if (row.overflowShare > 0) return `${share(row.overflowShare)} of it overflows in ${row.dtype}`;
  if (row.absorbedOverflow) return "it absorbs an overflow";
  if (row.flushedShare > 0.01) return `${share(row.flushedShare)} of it is flushed to 0`;
  return `its error grows from ${row.inputError.toPrecision(2)} to ${
    row.relativeError.toPrecision(2)
  }`;
}
