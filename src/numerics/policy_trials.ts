// A function run under a policy with some of its modules in float32, and judged by its results.

import { ownHandle } from "../array.ts";
import { byteSize, isFloating } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Graph } from "../ir/graph.ts";
import { unobserved } from "../ir/run_observer.ts";
import type { Value } from "../ir/value.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import type { Policy } from "../precision/policy.ts";
import { applyMixedPrecision } from "../transform/mixed_precision.ts";
import type { AnyFunction } from "../transform/traced_call.ts";
import { observe } from "./compared_run.ts";
import { type NumericsRow, rowOf } from "./numerics_row.ts";
import { PendingStatistics } from "./statistics.ts";
import { runStepwise, type TracedProgram, traceProgram } from "./traced_program.ts";

/** Modules in float32, by path. */
export type Overrides = Readonly<Record<string, "float32">>;

/** What became of a run. */
export interface Trial {
  /** The largest error of a result over its largest magnitude, and of a gradient over the largest of all. */
  readonly error: number;
  /** Bytes of what all operations give. */
  readonly bytes: number;
}

/** One call of one function, to be run under many policies. */
export class PolicyTrials {
  readonly #what: string;
  readonly #fn: AnyFunction;
  readonly #args: readonly unknown[];
  readonly #budget: number;
  #expected: readonly Value[] = [];
  #results = 0;
  #seed: number | undefined;
  /** How often the function has been run. */
  runs = 0;

  constructor(what: string, fn: AnyFunction, args: readonly unknown[], budget: number) {
    this.#what = what;
    this.#fn = fn;
    this.#args = args;
    this.#budget = budget;
  }

  /** Whether it may be run once more. */
  get hasBudget(): boolean {
    return this.runs < this.#budget;
  }

  #trace(policy: Policy | "float32", overrides: Overrides, seed = this.#seed): TracedProgram {
    this.runs++;
    const fn = applyMixedPrecision(this.#fn, { policy, overrides });
    return traceProgram(this.#what, fn, this.#args, seed);
  }

  /**
   * Runs it in float32: what all else is held to.
   *
   * @param seed the cotangent that backward passes start from, if they are wanted: a loss scale.
   */
  prepare(seed: number | undefined): void {
    this.#seed = seed;
    const program = this.#trace("float32", {});
    this.#expected = unobserved(() => resultsOf(program));
    const differentiated = program.inputs.filter(({ dtype }) => isFloating(dtype)).length;
    this.#results = this.#expected.length - (seed === undefined ? 0 : differentiated);
    program.dispose();
  }

  /** Runs it under a policy. */
  async run(policy: Policy, overrides: Overrides): Promise<Trial> {
    const program = this.#trace(policy, overrides);
    const results = unobserved(() => resultsOf(program));
    const pending = results.map((x, i) => {
      const expected = this.#expected[i]!;
      if (!isFloating(x.aval.dtype) || !isFloating(expected.aval.dtype)) return undefined;
      return new PendingStatistics(x, expected);
    });
    results.forEach((x) => x.consume(this.#what));
    const found: (RangeStatistics | undefined)[] = [];
    for (const statistics of pending) found.push(await statistics?.read());
    const { graph } = program;
    program.dispose();
    return { error: this.#errorOf(found), bytes: bytesOf(graph) };
  }

  #errorOf(found: readonly (RangeStatistics | undefined)[]): number {
    const own = found.slice(0, this.#results).map((x) => x?.relativeError ?? 0);
    const gradients = found.slice(this.#results).flatMap((x) => x ?? []);
    const largest = Math.max(0, ...gradients.map((x) => x.maxMagnitude));
    // A gradient that is nothing but rounding counts for as much as it weighs beside the others.
    const back = gradients.map((x) =>
      x.relativeError === 0 ? 0 : x.relativeError * x.maxMagnitude / largest
    );
    const error = Math.max(0, ...own, ...back);
    return Number.isNaN(error) ? Infinity : error;
  }

  /** Runs it under a policy and looks at every operation; rows are in the order in which they ran. */
  async rows(policy: Policy, overrides: Overrides, seed?: number): Promise<NumericsRow[]> {
    const program = this.#trace(policy, overrides, seed);
    const observations = await observe(program.graph, program.inputs);
    program.dispose();
    return observations.map((observation) => rowOf(policy.name, observation));
  }

  /** Frees what it compares with. */
  dispose(): void {
    this.#expected.forEach((x) => x.consume(this.#what));
    this.#expected = [];
  }
}

/** Runs a program; its results are the caller's. */
function resultsOf({ graph, inputs }: TracedProgram): Value[] {
  const given = new Set<Value>([...inputs, ...graph.captures]);
  const run = runStepwise(graph, inputs);
  for (;;) {
    const { done, value } = run.next();
    // A result may be there twice, or be an argument.
    if (done) {
      const own = value.map((x) => ownHandle("run", x, x));
      value.forEach((x) => given.has(x) || x.consume("run"));
      return own;
    }
  }
}

function bytesOf({ nodes }: Graph): number {
  const made = nodes.flatMap(({ outputs }) => outputs);
  return made.reduce((sum, { aval }) => sum + byteSize(aval.dtype, sizeOf(aval.shape)), 0);
}
