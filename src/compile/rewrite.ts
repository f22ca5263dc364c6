// Graph rewriting: walks a graph node by node into a new one, each node kept, replaced or expanded.

import type { Aval } from "../ir/aval.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import { type Operation, outputAvals, type Params } from "../ir/operation.ts";

/** Builds the rewritten graph; variables of the old graph are looked up as their replacements. */
export class Rewriter {
  readonly nodes: Node[] = [];
  readonly #replaced = new Map<Variable, Variable>();

  /** What an old variable has become. */
  lookup(variable: Variable): Variable {
    return this.#replaced.get(variable) ?? variable;
  }

  /** Makes later uses of an old variable mean a new one. */
  replace(old: Variable, by: Variable): void {
    this.#replaced.set(old, by);
  }

  /** Adds an operation on new variables. */
  add(
    operation: Operation,
    params: Params,
    inputs: readonly Variable[],
    path: string,
    avals: readonly Aval[] = outputAvals(operation, inputs.map((v) => v.aval), params),
  ): readonly Variable[] {
    const outputs = avals.map((aval) => ({ aval }));
    this.nodes.push({ operation, params, inputs, outputs, path });
    return outputs;
  }

  /** Copies an old node, its inputs looked up. */
  copy(node: Node): void {
    this.nodes.push({ ...node, inputs: node.inputs.map((v) => this.lookup(v)) });
  }

  /** Copies a graph in place of an old node: its inputs are the node's. */
  inline(graph: Graph, node: Node, visit: (inner: Node) => void): void {
    graph.inputs.forEach((v, i) => this.replace(v, this.lookup(node.inputs[i]!)));
    for (const inner of graph.nodes) {
      visit({ ...inner, path: [node.path, inner.path].filter((path) => path !== "").join("/") });
    }
    graph.outputs.forEach((v, i) => this.replace(node.outputs[i]!, this.lookup(v)));
  }

  /** The new graph with the old one's inputs and outputs. */
  finish(graph: Graph): Graph {
    return { ...graph, nodes: this.nodes, outputs: graph.outputs.map((v) => this.lookup(v)) };
  }
}
