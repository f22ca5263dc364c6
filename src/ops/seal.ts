// The seal: what keeps a compiler from rearranging float32 arithmetic.

import type { Operation } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { defineElementwise, unary } from "./define.ts";

/**
 * The value itself, behind a step that a shader compiler cannot see through. Drivers take float32 sums for
 * associative, and would make 0 of what a compensated sum is after, such as `(a + b) - a - b`.
 */
export const sealOperation: Operation = defineElementwise({
  name: "seal",
  accepts: "floats",
  exact: true,
  functions: ["seal"],
  reference: ([x]) => x!,
  wgsl: ([x]) => `accurate_seal(${x})`,
  derivative: { kind: "linear", transpose: (cotangent) => [cotangent] },
});

/** See {@linkcode sealOperation}. */
export const seal: (x: Value) => Value = unary(sealOperation);
