// Activations: composites of one input, computed in float32 from load to store with nothing rounded between.

import type { Operation } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { defineElementwise, floatUnary } from "./define.ts";
import type { Operand } from "./operand.ts";

const sigmoidOf = (x: number) => x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

/** gelu in its tanh form: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) = x sigmoid(2 u). */
export const geluTanhOperation: Operation = defineElementwise({
  name: "geluTanh",
  precision: "full",
  reference: ([x]) => x! * sigmoidOf(2 * Math.sqrt(2 / Math.PI) * (x! + 0.044715 * x! ** 3)),
  wgsl: ([x]) => `accurate_gelu_tanh(${x})`,
  functions: ["geluTanh"],
  domain: [-6, 6],
});

/** gelu in its tanh form (Hendrycks and Gimpel, 2016, section 2). */
export const geluTanh: (x: Operand) => Value = floatUnary(geluTanhOperation);
