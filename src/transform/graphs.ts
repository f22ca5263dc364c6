// Looking at a function without running it: its shapes and its graph.

import { flatten, type TreeStructure, unflatten } from "../core/pytree.ts";
import { showGraph } from "../ir/graph.ts";
import { leafAval, ShapeDtype, type TracedTree, traceTree } from "./trace_tree.ts";

export { ShapeDtype };

/** A traced function that prints as JAX prints a jaxpr. */
export interface TracedFunction {
  /** The graph in JAX's notation. */
  toString(): string;
  /** Shapes and dtypes of the result's leaves, in order. */
  readonly outputs: readonly ShapeDtype[];
}

function traceCall(
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  what: string,
): TracedTree {
  const [leaves, structure] = flatten<unknown>(args) as [unknown[], TreeStructure];
  const call = fn as (...args: unknown[]) => unknown;
  return traceTree(
    (tree) => call(...(tree as unknown[])),
    structure,
    leaves.map((leaf) => leafAval(leaf, what)),
    what,
  );
}

/**
 * The shapes and dtypes of what a function returns, without computing anything.
 *
 * @param args arrays, numbers, trees of them, or a `ShapeDtype` in place of an array.
 */
export function evalShape(fn: (...args: never[]) => unknown, ...args: readonly unknown[]): unknown {
  const { graph, structure } = traceCall(fn, args, "evalShape");
  return unflatten(
    structure,
    graph.outputs.map(({ aval }) => new ShapeDtype(aval.shape, aval.dtype)),
  );
}

/** The graph that a function traces to; printing it shows JAX's notation. */
export function makeGraph(
  fn: (...args: never[]) => unknown,
  ...args: readonly unknown[]
): TracedFunction {
  const { graph } = traceCall(fn, args, "makeGraph");
  return {
    toString: () => showGraph(graph),
    outputs: graph.outputs.map(({ aval }) => new ShapeDtype(aval.shape, aval.dtype)),
  };
}
