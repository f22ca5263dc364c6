// Arithmetic: sums, products and what IEEE 754 defines beside them.

import { isFloating } from "../core/dtype.ts";
import type { Operation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "./cast.ts";
import {
  binary,
  defineElementwise,
  floatBinary,
  floatUnary,
  numberUnary,
  promoteOperands,
  unary,
} from "./define.ts";
import type { Operand } from "./operand.ts";
import { hasSignBit, magnitudeBits } from "./wgsl_bits.ts";

/** x + y; integers wrap, booleans are joined by or. */
export const addOperation: Operation = defineElementwise({
  name: "add",
  partials: () => [1, 1],
  reference: ([x, y]) => x! + y!,
  wgsl: ([x, y], { output }) => output === "bool" ? `(${x} | ${y})` : `(${x} + ${y})`,
});

/** x - y; integers wrap. */
export const subOperation: Operation = defineElementwise({
  name: "sub",
  accepts: "numbers",
  reference: ([x, y]) => x! - y!,
  wgsl: ([x, y]) => `(${x} - ${y})`,
  partials: () => [1, -1],
});

/** x * y; integers wrap, booleans are joined by and. */
export const mulOperation: Operation = defineElementwise({
  name: "mul",
  reference: ([x, y], { output }) => isFloating(output) ? x! * y! : Math.imul(x!, y!),
  wgsl: ([x, y], { output }) => output === "bool" ? `(${x} & ${y})` : `(${x} * ${y})`,
  partials: ([x, y]) => [y, x],
});

/** x / y of floats. */
export const divOperation: Operation = defineElementwise({
  name: "div",
  accepts: "floats",
  reference: ([x, y]) => x! / y!,
  wgsl: ([x, y]) => `(${x} / ${y})`,
  partials: ([x, y]) => [reciprocal(y!), neg(div(div(x!, y!), y!))],
});

/** -x; unsigned integers wrap. */
export const negOperation: Operation = defineElementwise({
  name: "neg",
  accepts: "numbers",
  exact: true,
  partials: () => [-1],
  reference: ([x]) => -x!,
  wgsl: ([x], { output }) => output === "uint32" ? `(vec4u(0u) - ${x})` : `(-${x})`,
});

/** |x|; the least integer wraps to itself. */
export const absOperation: Operation = defineElementwise({
  name: "abs",
  accepts: "numbers",
  exact: true,
  reference: ([x]) => Math.abs(x!),
  wgsl: ([x]) => `abs(${x})`,
  // At 0, and at -0 too, JAX takes the side of the positive numbers.
  partials: ([x]) => [sign(add(sign(x!), 0.5))],
});

/** -1, 0 or 1 by the sign; zeros and NaN stay what they are. */
export const signOperation: Operation = defineElementwise({
  name: "sign",
  accepts: "numbers",
  exact: true,
  derivative: { kind: "zero" },
  reference: ([x]) => Math.sign(x!),
  wgsl: ([x], { output }) => {
    if (output === "uint32") return `min(${x}, vec4u(1u))`;
    if (output === "int32") return `sign(${x})`;
    const magnitude = magnitudeBits(x!);
    // Zeros and NaN: one unsigned comparison finds both, as the magnitudes that are not 1 to infinity.
    const itself = `((${magnitude} - vec4u(1u)) > vec4u(0x7f7fffffu))`;
    return `select(select(vec4f(1.0), vec4f(-1.0), ${hasSignBit(x!)}), ${x}, ${itself})`;
  },
});

/** x * x; integers wrap. */
export const squareOperation: Operation = defineElementwise({
  name: "square",
  accepts: "numbers",
  reference: ([x], { output }) => isFloating(output) ? x! * x! : Math.imul(x!, x!),
  wgsl: ([x]) => `(${x} * ${x})`,
  partials: ([x]) => [mul(2, x!)],
});

/** 1 / x. */
export const reciprocalOperation: Operation = defineElementwise({
  name: "reciprocal",
  accepts: "floats",
  reference: ([x]) => 1 / x!,
  wgsl: ([x]) => `(1.0 / ${x})`,
  partials: ([x]) => [neg(square(reciprocal(x!)))],
});

/** |x| with the sign of y. */
export const copysignOperation: Operation = defineElementwise({
  name: "copysign",
  accepts: "floats",
  exact: true,
  reference: ([x, y]) => (y! < 0 || Object.is(y, -0) ? -1 : 1) * Math.abs(x!),
  wgsl: ([x, y]) =>
    `bitcast<vec4f>(${magnitudeBits(x!)} | (bitcast<vec4u>(${y}) & vec4u(0x80000000u)))`,
  partials: ([x, y]) => [mul(copysign(1, x!), copysign(1, y!)), undefined],
});

/** A leg over its hypotenuse; 1/2 where both are 0, as in JAX. */
function directionCosine(leg: Value, length: Value): Value {
  const isNone = sub(1, abs(sign(length)));
  return add(div(leg, add(length, isNone)), mul(0.5, isNone));
}

/** sqrt(x^2 + y^2), scaled so that nothing overflows on the way; infinity beats NaN, as in C. */
export const hypotOperation: Operation = defineElementwise({
  name: "hypot",
  accepts: "floats",
  functions: ["hypot"],
  reference: ([x, y]) => Math.hypot(x!, y!),
  wgsl: ([x, y]) => `accurate_hypot(${x}, ${y})`,
  partials: ([x, y]) => {
    const length = hypot(x!, y!);
    return [directionCosine(x!, length), directionCosine(y!, length)];
  },
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
/** The sign of each element. */
export const sign: (x: Operand) => Value = unary(signOperation);
/** The square; booleans become int32. */
export const square: (x: Operand) => Value = numberUnary(squareOperation);
/** The reciprocal, of integers as float32. */
export const reciprocal: (x: Operand) => Value = floatUnary(reciprocalOperation);
/** The magnitude of x with the sign of y. */
export const copysign: (x: Operand, y: Operand) => Value = floatBinary(copysignOperation);
/** The hypotenuse. */
export const hypot: (x: Operand, y: Operand) => Value = floatBinary(hypotOperation);

/** The magnitude; booleans and unsigned integers are their own. */
export function abs(x: Operand): Value {
  const [value] = promoteOperands([x]) as [Value];
  const { dtype } = value.aval;
  return dtype === "bool" || dtype === "uint32"
    ? astype(value, dtype)
    : bind1(absOperation, {}, value);
}
