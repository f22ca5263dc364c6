// Cost analysis: what a graph computes and moves at the least, whatever kernels run it.

import { byteSize } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import type { DotParams } from "../ops/contraction.ts";

/** What a program costs. */
export interface CostAnalysis {
  /** Floating-point operations: two for each product of a contraction, one for each element otherwise. */
  readonly flops: number;
  /** Bytes of every argument read once and every result written once. */
  readonly bytesAccessed: number;
}

/** Counts a graph's work. */
export function costOf(graph: Graph): CostAnalysis {
  const bytes = (v: Variable) => byteSize(v.aval.dtype, sizeOf(v.aval.shape));
  const total = (variables: readonly Variable[]) => variables.reduce((sum, v) => sum + bytes(v), 0);
  return {
    flops: graph.nodes.reduce((sum, node) => sum + flopsOf(node), 0),
    bytesAccessed: total(graph.inputs) + total(graph.outputs),
  };
}

function flopsOf(node: Node): number {
  const size = sizeOf(node.outputs[0]!.aval.shape);
  switch (node.operation.lower.kind) {
    case "contraction": {
      const { contracting: [axes] } = node.params as DotParams;
      return 2 * size * axes.reduce((k, axis) => k * node.inputs[0]!.aval.shape[axis]!, 1);
    }
    case "attention": {
      // Two products forward; backward those again, and one more for each gradient.
      const [query, key] = node.inputs.map((v) => v.aval.shape);
      const product = 2 * sizeOf(query!) * key![1]!;
      return (node.operation.lower.kernel === "forward" ? 2 : 5) * product;
    }
    case "elementwise":
      return node.operation.name === "astype" ? 0 : size;
    case "reduce":
    case "argReduce":
      return sizeOf(node.inputs[0]!.aval.shape);
    case "rows":
      return 4 * sizeOf(node.inputs[0]!.aval.shape);
    default:
      return 0;
  }
}
