// What operations are made of where another language has no word for them: their own decomposition where the
// record has one, and for the rest the tables of this folder.

import { isHalf } from "../../core/dtype.ts";
import type { Node } from "../../ir/graph.ts";
import type { Value } from "../../ir/value.ts";
import { astype } from "../../ops/cast.ts";
import { activations } from "./activations.ts";
import type { Decompositions } from "./decomposition.ts";
import { elementaryFunctions } from "./elementary_functions.ts";
import { integerFunctions } from "./integer_functions.ts";
import { structures } from "./structures.ts";

const tables: Decompositions = {
  ...activations,
  ...elementaryFunctions,
  ...integerFunctions,
  ...structures,
};

/** How to take a node apart; undefined for what is simple already. */
export function decompositionOf(
  { operation, params, outputs }: Node,
): ((inputs: readonly Value[]) => readonly Value[]) | undefined {
  const { name, lower } = operation;
  if ("decompose" in lower) {
    return (inputs) => lower.decompose(inputs, params);
  }
  if (!Object.hasOwn(tables, name)) return undefined;
  const { dtype } = outputs[0]!.aval;
  const wide = (x: Value) => isHalf(x.aval.dtype) ? astype(x, "float32") : x;
  return (inputs) => [astype(tables[name]!(inputs.map(wide), params), dtype)];
}
