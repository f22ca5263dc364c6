// Casts made anew: a half copy of an argument that is needed again after other products is rounded again
// there. To hold it would cost as much memory as an activation for all the time between, as the copies of
// all weights from the forward to the backward pass; to round it costs a hundredth of a product.

import type { Graph, Node, Variable } from "../ir/graph.ts";
import { optimizationBarrierOperation } from "../ops/gradient_control.ts";
import { Rewriter } from "./rewrite.ts";

/** Products after which a copy is no longer held. */
const productsHeld = 1;

/** The copy of an argument that is in use, and how many products there were when it was used last. */
interface Copy {
  readonly cast: Node;
  current: Variable;
  lastUse?: number;
}

/** Behind a barrier the copy is not taken for one that could as well be made where the first was. */
function repeat({ operation, params, inputs, path }: Node, rewriter: Rewriter): Variable {
  const [behind] = rewriter.add(optimizationBarrierOperation, {}, inputs, path);
  return rewriter.add(operation, params, [behind!], path)[0]!;
}

/** The graph with casts of its arguments repeated where they are needed again much later. */
export function recast(graph: Graph): Graph {
  const rewriter = new Rewriter();
  const given = new Set(graph.inputs);
  const copies = new Map<Variable, Copy>();
  let products = 0;
  for (const node of graph.nodes) {
    for (const v of new Set(node.inputs)) {
      const copy = copies.get(v);
      if (!copy) continue;
      if (products - (copy.lastUse ?? products) > productsHeld) {
        rewriter.replace(v, copy.current = repeat(copy.cast, rewriter));
      }
      copy.lastUse = products;
    }
    rewriter.copy(node);
    const [output] = node.outputs as [Variable];
    if (node.operation.lower.kind === "contraction") products++;
    if (node.operation.name === "astype" && given.has(node.inputs[0]!)) {
      copies.set(output, { cast: node, current: output });
    }
  }
  // What leaves the program is the first copy; equal ones would do as well.
  return { ...graph, nodes: rewriter.nodes };
}
