// Arithmetic: sums, products and what IEEE 754 defines beside them.

import { isFloating } from "../core/dtype.ts";
import type { Operation } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { binary, defineElementwise, floatBinary, unary } from "./define.ts";
import type { Operand } from "./operand.ts";

/** x + y; integers wrap, booleans are joined by or. */
export const addOperation: Operation = defineElementwise({
  name: "add",
  reference: ([x, y]) => x! + y!,
  wgsl: ([x, y], { output }) => output === "bool" ? `(${x} | ${y})` : `(${x} + ${y})`,
});

/** x - y; integers wrap. */
export const subOperation: Operation = defineElementwise({
  name: "sub",
  reference: ([x, y]) => x! - y!,
  wgsl: ([x, y]) => `(${x} - ${y})`,
});

/** x * y; integers wrap, booleans are joined by and. */
export const mulOperation: Operation = defineElementwise({
  name: "mul",
  reference: ([x, y], { output }) => isFloating(output) ? x! * y! : Math.imul(x!, y!),
  wgsl: ([x, y], { output }) => output === "bool" ? `(${x} & ${y})` : `(${x} * ${y})`,
});

/** x / y of floats. */
export const divOperation: Operation = defineElementwise({
  name: "div",
  reference: ([x, y]) => x! / y!,
  wgsl: ([x, y]) => `(${x} / ${y})`,
});

/** -x; unsigned integers wrap. */
export const negOperation: Operation = defineElementwise({
  name: "neg",
  exact: true,
  reference: ([x]) => -x!,
  wgsl: ([x], { output }) => output === "uint32" ? `(vec4u(0u) - ${x})` : `(-${x})`,
});

/** Sum. */
export const add: (x: Operand, y: Operand) => Value = binary(addOperation);
/** Difference. */
export const sub: (x: Operand, y: Operand) => Value = binary(subOperation);
/** Product. */
export const mul: (x: Operand, y: Operand) => Value = binary(mulOperation);
/** True quotient: integers become float32 first. */
export const div: (x: Operand, y: Operand) => Value = floatBinary(divOperation);
/** Negation. */
export const neg: (x: Operand) => Value = unary(negOperation);
