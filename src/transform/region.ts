// Regions: parts of a program that keep their types whatever policy is applied around them. In a graph a region
// is one operation, and so are its derivatives.

import { bindFunction, closedGraph, type FunctionRules } from "./function_operation.ts";
import type { Graph } from "../ir/graph.ts";
import type { Value } from "../ir/value.ts";
import { cotangentsOf, present, pulledGraph, pushedGraph } from "./derivative_graphs.ts";
import type { DecidedNode } from "./precision_rewrite.ts";

/** The rules of a region, and what is known of its inside. */
export interface RegionRules extends FunctionRules {
  readonly graph: Graph;
  /** What was decided where rules of its own made it. */
  readonly decided?: readonly DecidedNode[];
}

/** Applies a graph as a region of the trace in force. */
export function bindRegion(
  name: string,
  graph: Graph,
  inputs: readonly Value[],
  decided?: readonly DecidedNode[],
): readonly Value[] {
  return bindFunction(regionRules(name, graph, decided), [...inputs, ...graph.captures]);
}

function regionRules(name: string, original: Graph, decided?: readonly DecidedNode[]): RegionRules {
  const { graph, text, run } = closedGraph(original);
  return {
    name,
    graph,
    decided,
    params: { graph: text },
    inputs: graph.inputs.map((v) => v.aval),
    outputs: graph.outputs.map((v) => v.aval),
    run,
    jvp: (inputs, tangents) =>
      bindRegion(name, pushedGraph(graph, inputs, tangents), [...inputs, ...present(tangents)]),
    vjp: (cotangents, inputs) => {
      const pulled = pulledGraph(graph, inputs, cotangents);
      return cotangentsOf(
        inputs,
        bindRegion(name, pulled, [...inputs, ...present(cotangents)]),
      );
    },
  };
}

/** The rules of a region; undefined for those of any other function. */
export function regionOf(rules: FunctionRules | undefined): RegionRules | undefined {
  return rules && "decided" in rules ? rules as RegionRules : undefined;
}
