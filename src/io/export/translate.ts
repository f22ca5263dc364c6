// Translation of a graph into another language, operation by operation. What that language has no word for is
// taken apart: composites by their own decomposition, the rest by the tables of this folder.

import type { Graph, Node, Variable } from "../../ir/graph.ts";
import { traceGraph } from "../../ir/trace.ts";
import type { Value } from "../../ir/value.ts";
import { decompositionOf } from "./decompositions.ts";

/** Writes one operation down and gives its results, or undefined where the language has no word for it. */
export type Rule<T> = (node: Node, inputs: readonly T[]) => readonly T[] | undefined;

/**
 * Translates a graph whose inputs are known by `T`s; returns what its results are known by. Every node is
 * given to the rule under its whole module path.
 *
 * @throws {TypeError} that names an operation, and its path, which nothing translates.
 */
export function translate<T>(
  graph: Graph,
  inputs: readonly T[],
  rule: Rule<T>,
  what: string,
): readonly T[] {
  const walk = (inner: Graph, given: readonly T[], path: string): readonly T[] => {
    const known = new Map<Variable, T>(inner.inputs.map((variable, i) => [variable, given[i]!]));
    for (const node of inner.nodes) {
      const placed = { ...node, path: joinPaths(path, node.path) };
      const operands = node.inputs.map((variable) => known.get(variable)!);
      const results = rule(placed, operands) ??
        walk(takenApart(placed, what), operands, placed.path);
      node.outputs.forEach((variable, i) => known.set(variable, results[i]!));
    }
    return inner.outputs.map((variable) => known.get(variable)!);
  };
  return walk(graph, inputs, "");
}

function joinPaths(outer: string, inner: string): string {
  return outer && inner ? `${outer}/${inner}` : outer || inner;
}

/** The graph of simpler operations that a node stands for. */
function takenApart(node: Node, what: string): Graph {
  const body = decompositionOf(node);
  if (body) return traceGraph((...xs: Value[]) => body(xs), node.inputs.map((v) => v.aval));
  const { operation, inputs, path } = node;
  const place = path ? ` at ${path}` : "";
  throw new TypeError(
    `Cannot ${what}: every operation must have a counterpart there, got ${operation.name} of ${
      inputs.map(({ aval }) => aval.dtype).join(", ")
    }${place}`,
  );
}
