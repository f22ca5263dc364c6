// Operations that compute nothing and tell the transforms something: where derivatives end, and what the
// compiler must not merge.

import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { defineView } from "./define_view.ts";
import type { Operand } from "./operand.ts";
import { toValue } from "./cast.ts";

/** The value itself, which derivatives take for a constant. */
export const stopGradientOperation: Operation = registerOperation({
  name: "stopGradient",
  precision: "follow",
  aval: ([x]) => x!,
  lower: { kind: "composite", decompose: ([x]) => [x!] },
  derivative: { kind: "zero" },
  batch: ([x]) => [stopGradient(x!)],
});

/** See {@linkcode stopGradientOperation}. */
export function stopGradient(x: Operand): Value {
  return bind1(stopGradientOperation, {}, toValue(x));
}

/**
 * The value itself under another name: simplification keeps it, so that what is computed from it is not
 * taken for what was computed from the value before. It costs nothing: the bytes are the same.
 */
export const optimizationBarrierOperation: Operation = defineView({
  name: "optimizationBarrier",
  movement: (x) => ({ kind: "reshape", shape: x.shape }),
  transpose: (cotangent) => optimizationBarrier(cotangent),
  batch: ([x]) => [optimizationBarrier(x!)],
});

/** See {@linkcode optimizationBarrierOperation}. */
export function optimizationBarrier(x: Value): Value {
  return bind1(optimizationBarrierOperation, {}, x);
}
