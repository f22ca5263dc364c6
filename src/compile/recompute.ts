// What is cheaper to compute again in every kernel that uses it than to store.

import { isHalf } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Node, Variable } from "../ir/graph.ts";

/** The node that computes a variable; inputs of the graph have none. */
type Producers = ReadonlyMap<Variable, Node>;

/** Movements, literals, one plain instruction of one array, and half arrays widened. */
export function isCheap({ operation, inputs, outputs }: Node, producers: Producers): boolean {
  const { lower } = operation;
  if (lower.kind === "pad" || lower.kind === "concatenate") return false;
  if (lower.kind !== "elementwise") return true;
  if (lower.functions?.length) return false;
  // Scalars are loaded once for a whole kernel.
  const arrays = inputs.filter((v) =>
    sizeOf(v.aval.shape) !== 1 && producers.get(v)?.operation.lower.kind !== "constant"
  );
  return arrays.length <= 1 || isWidened(outputs[0]!, arrays, producers);
}

/** Whether a float32 value is made of one half array and given ones: keeping those takes half its bytes. */
function isWidened(
  { aval }: Variable,
  operands: readonly Variable[],
  producers: Producers,
): boolean {
  const computed = operands.map((v) => uncast(v, producers)).filter((v) => producers.has(v));
  return aval.dtype === "float32" && computed.length === 1 && isHalf(computed[0]!.aval.dtype);
}

/** What a value was before it was cast. */
function uncast(variable: Variable, producers: Producers): Variable {
  const node = producers.get(variable);
  return node?.operation.name === "astype" ? uncast(node.inputs[0]!, producers) : variable;
}
