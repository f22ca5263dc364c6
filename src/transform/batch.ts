// Batching of graphs: a walk that applies every operation to inputs with one more leading axis. Most
// operations follow from their kind; the rest say in their record how.

import type { Graph, Node, Variable } from "../ir/graph.ts";
import { bind, onBehalfOf, traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { reshape, withBatchAxis } from "../ops/broadcast.ts";

export { withBatchAxis };

/** Values of which some have a leading batch axis. */
export interface Batched {
  readonly values: readonly Value[];
  readonly batched: readonly boolean[];
}

/** Runs a graph over a batch of `size`. Captured arrays have no batch axis. */
export function batchGraph(graph: Graph, inputs: Batched, size: number): Batched {
  const values = new Map<Variable, Value>();
  const batched = new Map<Variable, boolean>();
  const all = [...inputs.values, ...graph.captures];
  graph.inputs.forEach((v, i) => {
    values.set(v, all[i]!);
    batched.set(v, inputs.batched[i] ?? false);
  });
  for (const node of graph.nodes) {
    const args = node.inputs.map((v) => values.get(v)!);
    const flags = node.inputs.map((v) => batched.get(v)!);
    const some = flags.some((f) => f);
    const run = () =>
      some ? batchNode(node, args, flags, size) : bind(node.operation, node.params, ...args);
    const results = onBehalfOf(node, run);
    node.outputs.forEach((v, i) => {
      values.set(v, results[i]!);
      batched.set(v, some);
    });
  }
  return {
    values: graph.outputs.map((v) => values.get(v)!),
    batched: graph.outputs.map((v) => batched.get(v)!),
  };
}

function batchNode(
  node: Node,
  inputs: readonly Value[],
  batched: readonly boolean[],
  size: number,
): readonly Value[] {
  const { operation, params } = node;
  const stated = operation.batch?.(inputs, batched, params, size);
  if (stated) return stated;
  const { lower } = operation;
  switch (lower.kind) {
    case "elementwise":
      return bind(operation, params, ...alignRanks(node, inputs, batched));
    case "composite":
    case "attention":
    case "rows": {
      const graph = traceGraph(
        (...xs) => lower.decompose(xs, params),
        node.inputs.map((v) => v.aval),
      );
      const out = batchGraph(graph, { values: inputs, batched }, size);
      return out.values.map((x, i) => out.batched[i] ? x : withBatchAxis(x, size));
    }
    default:
      throw new TypeError(`Cannot vmap ${operation.name}: it has no batching rule`);
  }
}

/** Puts axes of extent 1 behind the batch axis of inputs of lower rank, so that they broadcast as before. */
function alignRanks(
  node: Node,
  inputs: readonly Value[],
  batched: readonly boolean[],
): readonly Value[] {
  const rank = node.outputs[0]!.aval.shape.length;
  return inputs.map((x, i) => {
    if (!batched[i]) return x;
    const [size, ...rest] = x.aval.shape as [number, ...number[]];
    return reshape(x, [size, ...new Array(rank - rest.length).fill(1), ...rest]);
  });
}
