// The derivative of a scatter, by what happens where an update meets an element. Of the functions that it
// needs, those on indices come from the file that defines them: they are each other's derivatives.

import type { Derivative, Params, Tangent } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { add, div, mul } from "./arithmetic.ts";
import { broadcastTo, reshape, widened } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { equal, notEqual } from "./comparison.ts";
import { constant, iota } from "./constant.ts";
import { logicalAnd } from "./logic.ts";
import { where } from "./selection.ts";

/** What happens where an update meets an element. */
export type ScatterMode = "set" | "add" | "mul" | "min" | "max";

/** The static argument of a scatter. */
export interface ScatterParams extends Params {
  readonly mode: ScatterMode;
}

/** Functions on rows and their indices. */
interface Indexing {
  take(x: Value, indices: Value, axis: number): Value;
  scatter(operand: Value, indices: Value, updates: Value, mode: ScatterMode): Value;
  isInside(indices: Value, n: number): Value;
}

/** A scatter's inputs. */
type Inputs = readonly [operand: Value, indices: Value, updates: Value];

/** The slopes of an element of the result with respect to the operand's and to the updates that meet there. */
interface Slopes {
  readonly operand: Value;
  readonly updates: Value;
}

/** A mode's slopes; all but the product are 0, 1 or a share of it. */
function slopesOf(mode: ScatterMode, inputs: Inputs, output: Value, on: Indexing): Slopes {
  const [operand, indices, updates] = inputs;
  const inside = rowMask(on.isInside(indices, operand.aval.shape[0]!), updates);
  const one = constant(1, "float32");
  switch (mode) {
    case "add":
      return { operand: one, updates: astype(inside, "float32") };
    case "set":
      return setSlopes(inputs, on);
    case "min":
    case "max":
      return extremeSlopes(inputs, output, inside, on);
    case "mul":
      return productSlopes(inputs, inside, on);
  }
}

function rowMask(mask: Value, updates: Value): Value {
  return broadcastTo(reshape(mask, [mask.aval.shape[0]!, 1]), updates.aval.shape);
}

/** Rows that are set leave nothing of the operand; of several the last one counts. */
function setSlopes([operand, indices, updates]: Inputs, on: Indexing): Slopes {
  const [n] = operand.aval.shape as [number];
  const [count] = updates.aval.shape as [number];
  const own = iota([count, 1], 0, "int32");
  const none = broadcastTo(constant(-1, "int32"), [n, 1]);
  const last = on.scatter(none, indices, own, "set");
  const counts = rowMask(reshape(equal(on.take(last, indices, 0), own), [count]), updates);
  return {
    operand: broadcastTo(astype(equal(last, -1), "float32"), operand.aval.shape),
    updates: astype(counts, "float32"),
  };
}

/** Whatever equals the extreme shares in it equally. */
function extremeSlopes(
  [operand, indices, updates]: Inputs,
  output: Value,
  inside: Value,
  on: Indexing,
): Slopes {
  const chosen = astype(equal(operand, output), "float32");
  const meets = logicalAnd(inside, equal(updates, on.take(output, indices, 0)));
  const met = astype(meets, "float32");
  const count = on.scatter(chosen, indices, met, "add");
  return { operand: div(chosen, count), updates: div(met, on.take(count, indices, 0)) };
}

/** The product of all others that meet in the same element: by division, but for zeros. */
function productSlopes([operand, indices, updates]: Inputs, inside: Value, on: Indexing): Slopes {
  const [x, u] = [widened(operand), widened(updates)];
  const isZero = (v: Value) => astype(equal(v, 0), "float32");
  const orOne = (v: Value) => where(notEqual(v, 0), v, 1);
  const zeros = on.take(on.scatter(isZero(x), indices, isZero(u), "add"), indices, 0);
  const product = on.take(on.scatter(orOne(x), indices, orOne(u), "mul"), indices, 0);
  const others = where(equal(zeros, isZero(u)), div(product, orOne(u)), 0);
  const ones = broadcastTo(constant(1, "float32"), x.aval.shape);
  return {
    operand: on.scatter(ones, indices, u, "mul"),
    updates: where(inside, others, 0),
  };
}

/** The derivative of a scatter, with respect to the operand and the updates. */
export function scatterDerivative(on: Indexing): Derivative<ScatterParams> {
  return {
    kind: "structured",
    jvp: (inputs, [operandTangent, , updatesTangent], [output], { mode }): Tangent[] => {
      const [operand, indices, updates] = inputs as Inputs;
      const slopes = slopesOf(mode, [operand, indices, updates], output!, on);
      const zeros = broadcastTo(constant(0, "float32"), operand.aval.shape);
      const base = operandTangent ? mul(widened(operandTangent), slopes.operand) : zeros;
      const moved = updatesTangent &&
        on.scatter(zeros, indices, mul(widened(updatesTangent), slopes.updates), "add");
      return [astype(moved ? add(base, moved) : base, output!.aval.dtype)];
    },
    vjp: ([cotangent], inputs, [output], { mode }): Tangent[] => {
      const [operand, indices, updates] = inputs as Inputs;
      const slopes = slopesOf(mode, [operand, indices, updates], output!, on);
      const { dtype } = operand.aval;
      const picked = on.take(cotangent!, indices, 0);
      return [
        astype(mul(cotangent!, slopes.operand), dtype),
        undefined,
        astype(mul(picked, slopes.updates), dtype),
      ];
    },
  };
}
