// Overflow inside of composite operations: softmax, normalisations and their like round nothing between their parts,
// which are in float32, but what is infinite there may be absorbed before anyone sees it.

import { isFloating } from "../core/dtype.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { unobserved } from "../ir/run_observer.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { survey } from "./non_finite.ts";
import { stepsOf } from "./traced_program.ts";

/** Whether an operation is made of others. */
export function isComposite({ operation: { lower } }: Node): boolean {
  return "decompose" in lower;
}

/** What a composite is made of. */
function decompositionOf({ operation: { lower }, params, inputs }: Node): Graph {
  if (!("decompose" in lower)) throw new Error("only composites have a decomposition");
  return traceGraph((...xs) => lower.decompose(xs, params), inputs.map((v) => v.aval));
}

/** Operations that are infinite by definition somewhere, as 1 / 0: no overflow. */
const withPoles: ReadonlySet<string> = new Set([
  "atanh",
  "constant",
  "div",
  "log",
  "log10",
  "log1p",
  "log2",
  "pow",
  "reciprocal",
  "rsqrt",
]);

/** Those of a graph's composites in which finite numbers become infinite on the way. */
export async function overflowingInside(
  graph: Graph,
  inputs: readonly Value[],
  composites: readonly Node[],
): Promise<ReadonlySet<Node>> {
  const found = new Set<Node>();
  const pending = unobserved(() => startLooking(graph, inputs, composites));
  for (const { node, parts, statistics } of pending) {
    const infinite = new Set();
    for (const [variable, part] of statistics) {
      if ((await part.read()).infinite > 0) infinite.add(variable);
    }
    const overflows = (part: Node) =>
      !withPoles.has(part.operation.name) && isFloating(part.outputs[0]!.aval.dtype) &&
      part.outputs.some((v) => infinite.has(v)) && !part.inputs.some((v) => infinite.has(v));
    if (parts.nodes.some(overflows)) found.add(node);
  }
  return found;
}

function startLooking(graph: Graph, inputs: readonly Value[], composites: readonly Node[]) {
  const pending = [];
  for (const { node, inputs: given } of stepsOf(graph, inputs)) {
    if (!composites.includes(node)) continue;
    const parts = decompositionOf(node);
    pending.push({ node, parts, statistics: survey(parts, given) });
  }
  return pending;
}
