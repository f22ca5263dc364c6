// Casts made anew: a half copy of an argument that is needed again after other products is rounded again
// there, where that costs next to nothing beside the product. To hold it would cost as much memory as an
// activation for all the time between.

import type { Graph, Node, Variable } from "../ir/graph.ts";
import { optimizationBarrierOperation } from "../ops/gradient_control.ts";
import { Rewriter } from "./rewrite.ts";

/** Products after which a copy is no longer held. */
const productsHeld = 1;

/** Results that each element of a copy must go into, so that rounding it again takes a few per cent of that. */
const leastResults = 2048;

/** The copy of an argument that is in use, and how many products there were when it was used last. */
interface Copy {
  readonly cast: Node;
  current: Variable;
  lastUse?: number;
}

/** The graph with casts of its arguments repeated where they are needed again much later. */
export function recast(graph: Graph): Graph {
  const rewriter = new Rewriter();
  const copies = new Map<Variable, Copy>();
  for (const cast of manyResults(graph)) {
    const [output] = cast.outputs as [Variable];
    copies.set(output, { cast, current: output });
  }
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
    if (node.operation.lower.kind === "contraction") products++;
  }
  // What leaves the program is the first copy; equal ones would do as well.
  return { ...graph, nodes: rewriter.nodes };
}

/** The casts of arguments whose every element goes into many results of each product that it is a factor of. */
function manyResults(graph: Graph): Node[] {
  const given = new Set(graph.inputs);
  const casts = graph.nodes.filter(({ operation, inputs }) =>
    operation.name === "astype" && given.has(inputs[0]!)
  );
  const results = new Map<Variable, number>();
  for (const node of [...graph.nodes].reverse()) {
    const [output] = node.outputs as [Variable];
    node.inputs.forEach((v, i) => {
      const count = resultsOf(node, i) ?? results.get(output) ?? 0;
      results.set(v, Math.min(results.get(v) ?? Infinity, count));
    });
  }
  return casts.filter(({ outputs }) => (results.get(outputs[0]!) ?? 0) >= leastResults);
}

/** How many results of a product each element of a factor goes into; undefined for what only moves it. */
function resultsOf({ operation, outputs }: Node, factor: number): number | undefined {
  const { kind } = operation.lower;
  if (kind === "view") return undefined;
  const shape = outputs[0]!.aval.shape;
  return kind === "contraction" ? shape[shape.length - (factor === 0 ? 1 : 2)] : 0;
}

/** Behind a barrier the copy is not taken for one that could as well be made where the first was. */
function repeat({ operation, params, inputs, path }: Node, rewriter: Rewriter): Variable {
  const [behind] = rewriter.add(optimizationBarrierOperation, {}, inputs, path);
  return rewriter.add(operation, params, [behind!], path)[0]!;
}
