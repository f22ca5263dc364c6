// Trigonometric and hyperbolic functions and their inverses, of floats; integers become float32.

import type { Operation } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { add, div, mul, neg, reciprocal, square, sub } from "./arithmetic.ts";
import { defineElementwise, floatBinary, floatUnary } from "./define.ts";
import { defineElementary, rsqrt } from "./elementary.ts";
import type { Operand } from "./operand.ts";

/** 1 - x^2, in the form that does not cancel near 1. */
const oneLessSquare = (x: Value) => mul(sub(1, x), add(1, x));

/** The sine. */
export const sinOperation: Operation = defineElementary("sin", Math.sin, [-20, 20], (x) => cos(x));
/** The cosine. */
export const cosOperation: Operation = defineElementary(
  "cos",
  Math.cos,
  [-20, 20],
  (x) => neg(sin(x)),
);
/** The tangent. */
export const tanOperation: Operation = defineElementary(
  "tan",
  Math.tan,
  [-20, 20],
  (x) => add(1, square(tan(x))),
);
/** The inverse sine. */
export const asinOperation: Operation = defineElementary(
  "asin",
  Math.asin,
  [-1, 1],
  (x) => rsqrt(oneLessSquare(x)),
);
/** The inverse cosine. */
export const acosOperation: Operation = defineElementary(
  "acos",
  Math.acos,
  [-1, 1],
  (x) => neg(rsqrt(oneLessSquare(x))),
);
/** The inverse tangent. */
export const atanOperation: Operation = defineElementary(
  "atan",
  Math.atan,
  [-20, 20],
  (x) => reciprocal(add(1, square(x))),
);
/** The hyperbolic sine. */
export const sinhOperation: Operation = defineElementary(
  "sinh",
  Math.sinh,
  [-10, 10],
  (x) => cosh(x),
);
/** The hyperbolic cosine. */
export const coshOperation: Operation = defineElementary(
  "cosh",
  Math.cosh,
  [-10, 10],
  (x) => sinh(x),
);
/** The hyperbolic tangent. */
export const tanhOperation: Operation = defineElementary(
  "tanh",
  Math.tanh,
  [-5, 5],
  (x) => sub(1, square(tanh(x))),
);
/** The inverse hyperbolic sine. */
export const asinhOperation: Operation = defineElementary(
  "asinh",
  Math.asinh,
  [-100, 100],
  (x) => rsqrt(add(1, square(x))),
);
/** The inverse hyperbolic cosine. */
export const acoshOperation: Operation = defineElementary(
  "acosh",
  Math.acosh,
  [1, 100],
  (x) => rsqrt(mul(sub(x, 1), add(x, 1))),
);
/** The inverse hyperbolic tangent. */
export const atanhOperation: Operation = defineElementary(
  "atanh",
  Math.atanh,
  [-1, 1],
  (x) => reciprocal(oneLessSquare(x)),
);

/** The angle of the point (x, y). */
export const atan2Operation: Operation = defineElementwise({
  name: "atan2",
  accepts: "floats",
  precision: "full",
  functions: ["atan2"],
  reference: ([y, x]) => Math.atan2(y!, x!),
  wgsl: ([y, x]) => `accurate_atan2(${y}, ${x})`,
  partials: ([y, x]) => {
    const distance = add(square(y!), square(x!));
    return [div(x!, distance), neg(div(y!, distance))];
  },
  domain: [-4, 4],
});

/** The sine of an angle in radians. */
export const sin: (x: Operand) => Value = floatUnary(sinOperation);
/** The cosine of an angle in radians. */
export const cos: (x: Operand) => Value = floatUnary(cosOperation);
/** The tangent of an angle in radians. */
export const tan: (x: Operand) => Value = floatUnary(tanOperation);
/** The angle from -pi/2 to pi/2 with this sine. */
export const asin: (x: Operand) => Value = floatUnary(asinOperation);
/** The angle from 0 to pi with this cosine. */
export const acos: (x: Operand) => Value = floatUnary(acosOperation);
/** The angle from -pi/2 to pi/2 with this tangent. */
export const atan: (x: Operand) => Value = floatUnary(atanOperation);
/** The angle of the point (x, y), from -pi to pi. */
export const atan2: (y: Operand, x: Operand) => Value = floatBinary(atan2Operation);
/** The hyperbolic sine. */
export const sinh: (x: Operand) => Value = floatUnary(sinhOperation);
/** The hyperbolic cosine. */
export const cosh: (x: Operand) => Value = floatUnary(coshOperation);
/** The hyperbolic tangent. */
export const tanh: (x: Operand) => Value = floatUnary(tanhOperation);
/** The inverse of sinh. */
export const asinh: (x: Operand) => Value = floatUnary(asinhOperation);
/** The inverse of cosh; NaN below 1. */
export const acosh: (x: Operand) => Value = floatUnary(acoshOperation);
/** The inverse of tanh; NaN outside of -1 to 1. */
export const atanh: (x: Operand) => Value = floatUnary(atanhOperation);
