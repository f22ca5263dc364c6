// Simplification: removes what changes no result. Dead nodes go, equal nodes become one, casts that undo
// each other vanish, movements that move nothing too.

import { type DType, isFloating } from "../core/dtype.ts";
import { sameShape } from "../core/shape.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import { paramsKey } from "../ir/operation.ts";
import { Rewriter } from "./rewrite.ts";

/** A smaller graph with the same results, bit for bit. */
export function simplify(graph: Graph): Graph {
  return removeDead(mergeEqual(graph));
}

/** Drops nodes that no output needs. */
function removeDead(graph: Graph): Graph {
  const needed = new Set<Variable>(graph.outputs);
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((v) => needed.has(v))) continue;
    node.inputs.forEach((v) => needed.add(v));
    nodes.push(node);
  }
  return { ...graph, nodes: nodes.reverse() };
}

/** One walk that folds identities and replaces a node by an earlier one that computes the same. */
function mergeEqual(graph: Graph): Graph {
  const rewriter = new Rewriter();
  const producers = new Map<Variable, Node>();
  const numbers = new Map<Variable, number>();
  const number = (v: Variable) => {
    if (!numbers.has(v)) numbers.set(v, numbers.size);
    return numbers.get(v)!;
  };
  const seen = new Map<string, Node>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((v) => rewriter.lookup(v));
    const same = identity(node, inputs, producers);
    if (same) {
      rewriter.replace(node.outputs[0]!, same);
      continue;
    }
    const key = `${node.operation.name}(${inputs.map(number).join()})${paramsKey(node.params)}`;
    const earlier = seen.get(key);
    if (earlier) {
      node.outputs.forEach((v, i) => rewriter.replace(v, earlier.outputs[i]!));
      continue;
    }
    const kept = { ...node, inputs };
    seen.set(key, kept);
    kept.outputs.forEach((v) => producers.set(v, kept));
    rewriter.nodes.push(kept);
  }
  return rewriter.finish(graph);
}

/** Views that are not told by their shapes: they move elements, or keep apart what is computed twice. */
const meaningful: ReadonlySet<string> = new Set(["slice", "transpose", "optimizationBarrier"]);

/** The variable that a node merely repeats, if it does. */
function identity(
  node: Node,
  inputs: readonly Variable[],
  producers: Map<Variable, Node>,
): Variable | undefined {
  const [x] = inputs;
  const [out] = node.outputs;
  const { kind } = node.operation.lower;
  if (!x || !out) return undefined;
  if (node.operation.name === "astype") {
    if (x.aval.dtype === out.aval.dtype) return x;
    // Widening is exact, so narrowing again gives the first value back.
    const inner = producers.get(x);
    const first = inner?.operation.name === "astype" ? inner.inputs[0]! : undefined;
    if (first && first.aval.dtype === out.aval.dtype && widens(first.aval.dtype, x.aval.dtype)) {
      return first;
    }
  }
  if (kind === "view" && !meaningful.has(node.operation.name)) {
    if (sameShape(x.aval.shape, out.aval.shape)) return x;
  }
  return undefined;
}

/** Whether every value of one dtype is a value of the other. */
function widens(from: DType, to: DType): boolean {
  if (isFloating(from)) return to === "float32";
  return from === "bool";
}
