// jit: a function traced once for every combination of tree, shapes, dtypes, static values and policy, and
// run as one program from then on.

import { checkOptions, describe } from "../core/errors.ts";
import { flatten, flattenLike, type TreeStructure, unflatten } from "../core/pytree.ts";
import {
  type Backend,
  currentBackend,
  type Executable,
  type MemoryAnalysis,
} from "../backend/backend.ts";
import { storageOf } from "../backend/eager.ts";
import { NDArray } from "../array.ts";
import { type CostAnalysis, costOf } from "../compile/cost.ts";
import type { Aval } from "../ir/aval.ts";
import { showGraph } from "../ir/graph.ts";
import { runObserver } from "../ir/run_observer.ts";
import { checkUsable, isRecordingSources, isTracing, replayGraph } from "../ir/trace.ts";
import { collectApart, makeValue, noteValue, type Value } from "../ir/value.ts";
import { policyKey } from "../precision/policy.ts";
import { isInsideMixedPrecision } from "./mixed_scope.ts";
import { leafAval, leafValue, type TracedTree, traceTree } from "./trace_tree.ts";

/** What `jit` may be told. */
export interface JitOptions {
  /** Positions of arguments that are values of the program, not arrays: a new value is a new program. */
  readonly staticArgnums?: number | readonly number[];
  /** Positions of arguments whose memory results may take over; they cannot be used afterwards. */
  readonly donateArgnums?: number | readonly number[];
  /** The name shown in errors; by default the function's own. */
  readonly name?: string;
}

const adviseStatic = "; mark other arguments with staticArgnums";

/** What a function became for certain arguments. */
export interface Lowered {
  /** The simplified graph in JAX's notation. */
  toString(): string;
  /** The program's kernels; empty on the CPU backend. */
  wgsl(): string;
  /** Floating-point operations and bytes read and written, by the graph. */
  costAnalysis(): CostAnalysis;
  /** Bytes of arguments, results and temporaries. */
  memoryAnalysis(): MemoryAnalysis;
  /** Kernels launched a call. */
  readonly dispatches: number;
}

/** A compiled function; `lower` shows what it is compiled to without running it. */
export interface Jitted<Args extends readonly unknown[], Result> {
  (...args: Args): Result;
  /** Compiles for these arguments (arrays, or `ShapeDtype`s in their place) and runs nothing. */
  lower(...args: { [K in keyof Args]: unknown }): Lowered;
}

interface Program extends TracedTree {
  readonly executable: Executable;
  readonly donated: readonly boolean[];
}

/** The dynamic arguments of a call, flat, and the key of the program for them. */
interface Call {
  readonly structure: TreeStructure;
  readonly leaves: readonly unknown[];
  readonly avals: readonly Aval[];
  readonly key: string;
}

/**
 * Compiles a function of arrays and trees of arrays. It is traced at its first call with a new combination
 * of shapes and dtypes, so it must be pure: it sees shapes, never values.
 *
 * @throws {TypeError} at a call, for an argument that is neither an array nor static, and where the
 * function reads a traced value.
 *
 * @example
 * ```ts
 * import { init, jit, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const scaled = jit((x: NDArray, factor: number) => jnp.exp(x).mul(factor));
 * console.log(await scaled(jnp.ones([3]), 2).toList());
 * ```
 */
export function jit<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  options: JitOptions = {},
): Jitted<Args, Result> {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot jit: a function is required, got ${describe(fn)}`);
  }
  checkOptions("jit", options, ["staticArgnums", "donateArgnums", "name"]);
  const compiled = new JittedFunction(fn as unknown as (...args: unknown[]) => unknown, options);
  const call = (...args: Args): Result => compiled.call(args) as Result;
  return Object.assign(call, {
    lower: (...args: { [K in keyof Args]: unknown }) => compiled.lower(args),
  });
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** A static value in a cache key: by value where JSON can tell, by identity otherwise. */
function staticKey(value: unknown): string {
  if (
    typeof value === "function" || (typeof value === "object" && value !== null && !isPlain(value))
  ) {
    if (!identities.has(value)) identities.set(value, nextIdentity++);
    return `#${identities.get(value)}`;
  }
  return typeof value === "object" ? JSON.stringify(value) : `${typeof value}:${String(value)}`;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

class JittedFunction {
  readonly #fn: (...args: unknown[]) => unknown;
  readonly #name: string;
  readonly #static: readonly number[];
  readonly #donate: readonly number[];
  /** Traces capture arrays of the backend they were made under, so they are kept with it. */
  readonly #kept = new WeakMap<
    Backend,
    { traces: Map<string, TracedTree>; programs: Map<string, Program> }
  >();
  /** The structure of the last call's arguments: most calls have it again. */
  #lastStructure: TreeStructure | undefined;

  constructor(fn: (...args: unknown[]) => unknown, options: JitOptions) {
    this.#fn = fn;
    this.#name = options.name ?? (fn.name || "the function");
    this.#static = argnums("staticArgnums", options.staticArgnums);
    this.#donate = argnums("donateArgnums", options.donateArgnums);
    const both = this.#donate.find((n) => this.#static.includes(n));
    if (both !== undefined) {
      throw new RangeError(`Cannot jit: argument ${both} is both static and donated`);
    }
  }

  call(args: readonly unknown[]): unknown {
    const call = this.#flatten(args);
    const backend = currentBackend();
    if (isTracing()) {
      const traced = this.#trace(backend, call, args);
      const values = call.leaves.map((leaf) => leafValue(leaf, this.#what));
      return unflatten(traced.structure, replayGraph(traced.graph, values));
    }
    return this.#run(backend, this.#program(backend, call, args), call);
  }

  lower(args: readonly unknown[]): Lowered {
    const { executable } = this.#program(currentBackend(), this.#flatten(args), args);
    return {
      toString: () => showGraph(executable.graph),
      wgsl: () => executable.wgsl(),
      costAnalysis: () => costOf(executable.graph),
      memoryAnalysis: () => executable.memoryAnalysis(),
      dispatches: executable.dispatches,
    };
  }

  get #what(): string {
    return `call ${this.#name} under jit`;
  }

  #flatten(args: readonly unknown[]): Call {
    const dynamic = this.#static.length ? args.filter((_, i) => !this.#static.includes(i)) : args;
    const again = this.#lastStructure && flattenLike(this.#lastStructure, dynamic);
    const [leaves, structure] = again
      ? [again, this.#lastStructure!]
      : flatten<unknown>(dynamic) as [unknown[], TreeStructure];
    this.#lastStructure = structure;
    const avals = leaves.map((leaf) => leafAval(leaf, this.#what, adviseStatic));
    const looked = `${isRecordingSources() ? "sources" : ""}${runObserver() ? "observed" : ""}`;
    const around = isInsideMixedPrecision() ? "mixed" : "";
    let key = `${policyKey()};${looked};${around};${structure.key};`;
    for (const { dtype, shape, weak } of avals) key += `${dtype}${shape}${weak ?? ""}|`;
    for (const n of this.#static) key += `;${staticKey(args[n])}`;
    return { structure, leaves, avals, key };
  }

  #keptFor(backend: Backend): { traces: Map<string, TracedTree>; programs: Map<string, Program> } {
    let kept = this.#kept.get(backend);
    if (!kept) this.#kept.set(backend, kept = { traces: new Map(), programs: new Map() });
    return kept;
  }

  #trace(backend: Backend, call: Call, args: readonly unknown[]): TracedTree {
    const { traces } = this.#keptFor(backend);
    let traced = traces.get(call.key);
    if (!traced) {
      const body = (tree: unknown) => this.#fn(...this.#merge(tree as unknown[], args));
      traced = keptTrace(() => traceTree(body, call.structure, call.avals, this.#what));
      traces.set(call.key, traced);
    }
    return traced;
  }

  /** Puts static arguments back between the dynamic ones. */
  #merge(dynamic: readonly unknown[], args: readonly unknown[]): unknown[] {
    const rest = [...dynamic];
    return args.map((arg, i) => this.#static.includes(i) ? arg : rest.shift());
  }

  #program(backend: Backend, call: Call, args: readonly unknown[]): Program {
    const { programs } = this.#keptFor(backend);
    let program = programs.get(call.key);
    if (!program) {
      const traced = this.#trace(backend, call, args);
      const donated = [...this.#donatedLeaves(args), ...traced.graph.captures.map(() => false)];
      // Who looks at a program afterwards needs its arguments as they were.
      const reused = runObserver() ? donated.map(() => false) : donated;
      program = { ...traced, donated, executable: backend.compile(traced.graph, reused) };
      programs.set(call.key, program);
    }
    return program;
  }

  #donatedLeaves(args: readonly unknown[]): boolean[] {
    return args.flatMap((arg, i) => {
      if (this.#static.includes(i)) return [];
      return flatten(arg)[0].map(() => this.#donate.includes(i));
    });
  }

  #run(backend: Backend, program: Program, call: Call): unknown {
    const { graph, executable, donated, structure } = program;
    const values = call.leaves.map((leaf) => leafValue(leaf, this.#what));
    for (const value of values) checkUsable(this.#what, value);
    for (const value of graph.captures) checkUsable(`${this.#what} with a captured array`, value);
    this.#checkDonations(values, donated);
    const all = [...values, ...graph.captures].map((v) => storageOf(v, backend, this.#what));
    const results = executable.run(all);
    const outputs = graph.outputs.map(({ aval }, i) =>
      makeValue(aval, { kind: "stored", storage: results[i]! })
    );
    runObserver()?.program(this.#name, graph, [...values, ...graph.captures], outputs);
    values.forEach((v, i) => {
      if (donated[i]) v.consume(`donation to ${this.#name}`);
      else if (!(call.leaves[i] instanceof NDArray)) v.consume(this.#name);
    });
    return unflatten(structure, outputs);
  }

  #checkDonations(values: readonly NDArray[], donated: readonly boolean[]): void {
    if (this.#donate.length === 0) return;
    values.forEach((value, i) => {
      if (!donated[i]) return;
      const twin = values.findIndex((other, j) => j !== i && other === value);
      if (twin < 0) return;
      throw new Error(
        `Cannot ${this.#what}: a donated array was passed twice, as leaves ${
          Math.min(i, twin)
        } and ${Math.max(i, twin)} of its arguments; donate it once or pass a copy`,
      );
    });
  }
}

/** A trace to be run again: the arrays that it made and captured are its own, not the scope's around the first call. */
function keptTrace(trace: () => TracedTree): TracedTree {
  const made = new Set<Value>();
  let captures: readonly Value[] = [];
  try {
    const traced = collectApart(made, trace);
    captures = traced.graph.captures;
    return traced;
  } finally {
    for (const value of made) {
      if (!captures.includes(value)) noteValue(value);
    }
  }
}

function argnums(name: string, given: number | readonly number[] | undefined): readonly number[] {
  const list = given === undefined ? [] : typeof given === "number" ? [given] : [...given];
  for (const n of list) {
    if (Number.isInteger(n) && n >= 0) continue;
    throw new RangeError(
      `Cannot jit: ${name} must be positions of arguments counted from 0, got ${describe(n)}`,
    );
  }
  return list;
}
