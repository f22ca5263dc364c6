// A call of a user's function on trees of arrays, traced: what every transform begins and ends with.

import { asNDArray, type NDArray } from "../array.ts";
import { type TreeStructure, unflatten } from "../core/pytree.ts";
import type { Aval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import type { FlatTree } from "./arguments.ts";
import { runGraph } from "./run_graph.ts";
import { flattenResult } from "./trace_tree.ts";

/** A function as transforms take it. */
// deno-lint-ignore no-explicit-any -- what the parameters are is up to the user's function.
export type AnyFunction = (...args: any[]) => any;

/** A traced call: its graph, and the tree that its results are the leaves of. */
export interface TracedCall {
  readonly graph: Graph;
  readonly structure: TreeStructure;
}

/** A tree of which only the shapes and dtypes of its leaves matter. */
export interface TreeOfAvals {
  readonly leaves: readonly { readonly aval: Aval }[];
  readonly structure: TreeStructure;
}

/** Traces a function of trees; what else it uses is captured. */
export function traceCall(
  fn: AnyFunction,
  trees: readonly TreeOfAvals[],
  what: string,
): TracedCall {
  let structure: TreeStructure | undefined;
  const avals = trees.flatMap((tree) => tree.leaves.map((leaf) => leaf.aval));
  const graph = traceGraph((...inputs: Value[]) => {
    const [leaves, shape] = flattenResult(fn(...rebuildAll(trees, inputs)), what);
    structure = shape;
    return leaves;
  }, avals);
  return { graph, structure: structure! };
}

/** Puts trees together again from their leaves, one tree's behind the other's. */
export function rebuildAll(trees: readonly TreeOfAvals[], leaves: readonly unknown[]): unknown[] {
  let next = 0;
  return trees.map(({ leaves: { length }, structure }) =>
    unflatten(structure, leaves.slice(next, next += length))
  );
}

/** Traces a body of leaves as one graph and runs it, or records it in the trace in force. */
export function runTraced(
  leaves: readonly Value[],
  body: (inputs: readonly Value[]) => readonly Value[],
  what: string,
): readonly NDArray[] {
  const graph = traceGraph((...inputs) => body(inputs), leaves.map((leaf) => leaf.aval));
  return runGraph(graph, leaves, what).map(asNDArray);
}

/** Gives up the arrays that were made of the numbers among the arguments. */
export function releaseMade(trees: readonly FlatTree[], what: string): void {
  for (const tree of trees) tree.made.forEach((value) => value.consume(what));
}
