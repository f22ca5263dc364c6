// A call of a user's function as the doctor looks at it: a graph of single operations, each with its line of the
// user's program, that runs one by one on the device.

import type { NDArray } from "../array.ts";
import { simplify } from "../compile/simplify.ts";
import { isFloating } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { leavesWithPath } from "../core/pytree.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import { bind, isTracing, onBehalfOf, recordSources, traceGraph } from "../ir/trace.ts";
import { collectApart, type Value } from "../ir/value.ts";
import { broadcastTo } from "../ops/broadcast.ts";
import { constant } from "../ops/constant.ts";
import { CallLayouts } from "../transform/call_layout.ts";
import { pullBack } from "../transform/differentiate.ts";
import { functionRulesOf } from "../transform/function_operation.ts";
import { wantedCotangents } from "../transform/grad.ts";
import { flattenResult, leafAval, leafValue } from "../transform/trace_tree.ts";
import type { AnyFunction } from "../transform/traced_call.ts";

/** A traced call with the arrays that it is about. */
export interface TracedProgram {
  readonly graph: Graph;
  /** The arrays of the arguments; captured ones are the graph's. */
  readonly inputs: readonly NDArray[];
  /** What each input of the graph is called: `args[0].w`, or `captured array 0`. */
  readonly names: readonly string[];
  /** Frees what was made of numbers among the arguments, and what the function made while it was traced. */
  dispose(): void;
}

/** Checks what all of the doctor's functions take first. */
export function checkCall(what: string, fn: unknown, args: unknown): void {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot ${what}: a function is required, got ${describe(fn)}`);
  }
  if (!Array.isArray(args)) {
    throw new TypeError(
      `Cannot ${what}: the arguments of the function are required as an array, got ${
        describe(args)
      }`,
    );
  }
  if (isTracing()) {
    throw new TypeError(
      `Cannot ${what} in a traced function: it has no values yet; call it outside`,
    );
  }
}

/**
 * Traces a call, with source lines, into single operations.
 *
 * @param gradientsFrom the cotangent of every element of a result, where the backward pass is wanted too.
 */
export function traceProgram(
  what: string,
  fn: AnyFunction,
  args: readonly unknown[],
  gradientsFrom?: number,
): TracedProgram {
  const { layout, values } = new CallLayouts().of(args);
  const avals = values.map((leaf) => leafAval(leaf, what));
  const made = new Set<Value>();
  const stop = recordSources();
  let graph: Graph;
  try {
    const body = (...xs: Value[]) => flattenResult(fn(...layout.fill(xs)), what)[0];
    graph = collectApart(made, () => {
      const traced = traceGraph(body, avals);
      return gradientsFrom === undefined
        ? withoutFunctions(traced)
        : withGradients(traced, gradientsFrom);
    });
  } catch (error) {
    made.forEach((x) => x.consume(what));
    throw error;
  } finally {
    stop();
  }
  const inputs = values.map((leaf) => leafValue(leaf, what));
  const paths = leavesWithPath(args, "args").filter(({ leaf }) => values.includes(leaf));
  return {
    graph,
    inputs,
    names: [
      ...paths.map(({ path }) => path),
      ...graph.captures.map((_, i) => `captured array ${i}`),
    ],
    dispose: () => {
      inputs.forEach((x, i) => x === values[i] || x.consume(what));
      made.forEach((x) => x.consume(what));
    },
  };
}

/** The program of results and, after them, cotangents of all floating inputs, from `seed` for every floating result. */
function withGradients(graph: Graph, seed: number): Graph {
  const explicit = graph.inputs.slice(0, graph.inputs.length - graph.captures.length);
  const wanted = explicit.map(({ aval }) => isFloating(aval.dtype));
  const both = traceGraph((...xs) => {
    const [results, pullback] = pullBack(graph, xs, wanted);
    const back = pullback(results.map((x) => filled(seed, x)));
    return [...results, ...wantedCotangents(xs, back, wanted)];
  }, explicit.map(({ aval }) => aval));
  return withoutFunctions(both);
}

function filled(value: number, { aval: { shape, dtype } }: Value): Value | undefined {
  return isFloating(dtype) ? broadcastTo(constant(value, dtype), shape) : undefined;
}

/** A graph with what its functions (`checkpoint`, `customVjp`, regions of a policy) stand for in their places. */
export function withoutFunctions(graph: Graph): Graph {
  let flat = graph;
  while (flat.nodes.some(({ operation }) => functionRulesOf(operation))) {
    const { captures, inputs } = flat;
    const explicit = inputs.slice(0, inputs.length - captures.length);
    const outer = flat;
    flat = traceGraph((...xs) => replayInlined(outer, xs), explicit.map((v) => v.aval));
  }
  return simplify(flat);
}

function replayInlined(graph: Graph, inputs: readonly Value[]): readonly Value[] {
  const values = new Map<Variable, Value>();
  const all = [...inputs, ...graph.captures];
  graph.inputs.forEach((v, i) => values.set(v, all[i]!));
  for (const node of graph.nodes) {
    const args = node.inputs.map((v) => values.get(v)!);
    const rules = functionRulesOf(node.operation);
    const results = onBehalfOf(
      node,
      () => rules ? rules.run(args) : bind(node.operation, node.params, ...args),
    );
    node.outputs.forEach((v, i) => values.set(v, results[i]!));
  }
  return graph.outputs.map((v) => values.get(v)!);
}

/** One operation that has just run. What it was given and has made is freed later, where it is used last. */
export interface Step {
  readonly node: Node;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/**
 * Runs a graph's operations one by one on the device. Whoever stops early has everything freed; at the end the
 * results are handed over.
 *
 * @param run how an operation is applied; by default as it stands.
 */
export function* runStepwise(
  graph: Graph,
  inputs: readonly Value[],
  run: (node: Node, inputs: readonly Value[]) => readonly Value[] = (node, xs) =>
    bind(node.operation, node.params, ...xs),
): Generator<Step, readonly Value[], void> {
  const given = new Set<Value>([...inputs, ...graph.captures]);
  const values = new Map<Variable, Value>();
  graph.inputs.forEach((v, i) => values.set(v, [...inputs, ...graph.captures][i]!));
  const lastUse = new Map<Variable, Node>();
  for (const node of graph.nodes) {
    [...node.inputs, ...node.outputs].forEach((v) => lastUse.set(v, node));
  }
  const kept = new Set(graph.outputs);
  const free = (variable: Variable) => {
    const value = values.get(variable)!;
    if (!given.has(value)) value.consume("the end of its use");
    values.delete(variable);
  };
  let isDone = false;
  try {
    for (const node of graph.nodes) {
      const args = node.inputs.map((v) => values.get(v)!);
      const outputs = run(node, args);
      node.outputs.forEach((v, i) => values.set(v, outputs[i]!));
      yield { node, inputs: args, outputs };
      for (const v of new Set([...node.inputs, ...node.outputs])) {
        if (lastUse.get(v) === node && !kept.has(v)) free(v);
      }
    }
    isDone = true;
    return graph.outputs.map((v) => values.get(v)!);
  } finally {
    if (!isDone) [...values.keys()].forEach(free);
  }
}

/** The steps of {@linkcode runStepwise}, with the results freed at the end. */
export function* stepsOf(graph: Graph, inputs: readonly Value[]): Generator<Step, void> {
  const given = new Set<Value>([...inputs, ...graph.captures]);
  const results = yield* runStepwise(graph, inputs);
  results.forEach((x) => given.has(x) || x.consume("the end of the run"));
}
