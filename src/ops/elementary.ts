// Elementary functions: exponentials, logarithms, roots, powers, and the error function. All are computed
// in float32 by the library's own formulas, within 8 ulp of the exact result over their whole domain.

import { isFloating, isInteger } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import type { Operation, PrecisionRule } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "./cast.ts";
import { add, div, mul, neg, reciprocal, square, sub } from "./arithmetic.ts";
import { equal } from "./comparison.ts";
import { defineElementwise, floatBinary, floatUnary, promoteNumbers } from "./define.ts";
import { isLiteral, type Operand } from "./operand.ts";
import {
  erf as erfReference,
  erfc as erfcReference,
  erfInv as erfInvReference,
} from "./special_functions.ts";
import { where } from "./selection.ts";
import { pow as powReference } from "./special_functions.ts";

/**
 * Defines a function of one float that is in the table of elementary functions.
 *
 * @param name its key in the table. @param reference the same in float64.
 * @param domain the range that tests sample. @param slope its derivative; `y` is the result, once rounded.
 */
export function defineElementary(
  name: string,
  reference: (x: number) => number,
  domain: readonly [number, number],
  slope: (x: Value, y: Value) => Value,
  precision: PrecisionRule = "full",
): Operation {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return defineElementwise({
    name,
    accepts: "floats",
    precision,
    functions: [name],
    reference: ([x]) => reference(x!),
    wgsl: ([x]) => `accurate_${snake}(${x})`,
    domain,
    partials: ([x], y) => [slope(x!, y)],
  });
}

/** 2 / sqrt(pi) e^(-x^2), the slope of erf. */
const normalSlope = (x: Value) => mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))));

/** e^x. */
export const expOperation: Operation = defineElementary("exp", Math.exp, [-10, 10], (_, y) => y);
/** 2^x. */
export const exp2Operation: Operation = defineElementary(
  "exp2",
  (x) => 2 ** x,
  [-14, 14],
  (_, y) => mul(Math.LN2, y),
);
/** e^x - 1, right near 0 too. */
export const expm1Operation: Operation = defineElementary(
  "expm1",
  Math.expm1,
  [-10, 10],
  (x) => exp(x),
);
/** The natural logarithm. */
export const logOperation: Operation = defineElementary("log", Math.log, [0, 100], reciprocal);
/** The logarithm to base 2. */
export const log2Operation: Operation = defineElementary(
  "log2",
  Math.log2,
  [0, 100],
  (x) => div(Math.LOG2E, x),
);
/** The logarithm to base 10. */
export const log10Operation: Operation = defineElementary(
  "log10",
  Math.log10,
  [0, 100],
  (x) => div(Math.LOG10E, x),
);
/** log(1 + x), right near 0 too. */
export const log1pOperation: Operation = defineElementary(
  "log1p",
  Math.log1p,
  [-1, 100],
  (x) => reciprocal(add(1, x)),
);
/** The square root. */
export const sqrtOperation: Operation = defineElementary(
  "sqrt",
  Math.sqrt,
  [0, 100],
  (x) => div(0.5, sqrt(x)),
  "follow",
);
/** 1 / sqrt x. */
export const rsqrtOperation: Operation = defineElementary(
  "rsqrt",
  (x) => 1 / Math.sqrt(x),
  [0, 100],
  (x) => mul(-0.5, div(rsqrt(x), x)),
  "follow",
);
/** The cube root. */
export const cbrtOperation: Operation = defineElementary(
  "cbrt",
  Math.cbrt,
  [-100, 100],
  (x) => reciprocal(mul(3, square(cbrt(x)))),
  "follow",
);
/** The error function. */
export const erfOperation: Operation = defineElementary("erf", erfReference, [-4, 4], normalSlope);
/** 1 - erf x, without cancellation. */
export const erfcOperation: Operation = defineElementary(
  "erfc",
  erfcReference,
  [-4, 4],
  (x) => neg(normalSlope(x)),
);
/** The inverse of erf. */
export const erfInvOperation: Operation = defineElementary(
  "erfInv",
  erfInvReference,
  [-1, 1],
  (x) => mul(Math.sqrt(Math.PI) / 2, exp(square(erfInv(x)))),
);

/** e^x; integers become float32, as with every function here. */
export const exp: (x: Operand) => Value = floatUnary(expOperation);
/** 2^x. */
export const exp2: (x: Operand) => Value = floatUnary(exp2Operation);
/** e^x - 1. */
export const expm1: (x: Operand) => Value = floatUnary(expm1Operation);
/** The natural logarithm. */
export const log: (x: Operand) => Value = floatUnary(logOperation);
/** The logarithm to base 2. */
export const log2: (x: Operand) => Value = floatUnary(log2Operation);
/** The logarithm to base 10. */
export const log10: (x: Operand) => Value = floatUnary(log10Operation);
/** log(1 + x). */
export const log1p: (x: Operand) => Value = floatUnary(log1pOperation);
/** The square root. */
export const sqrt: (x: Operand) => Value = floatUnary(sqrtOperation);
/** The reciprocal of the square root. */
export const rsqrt: (x: Operand) => Value = floatUnary(rsqrtOperation);
/** The cube root. */
export const cbrt: (x: Operand) => Value = floatUnary(cbrtOperation);
/** The error function. */
export const erf: (x: Operand) => Value = floatUnary(erfOperation);
/** 1 - erf x. */
export const erfc: (x: Operand) => Value = floatUnary(erfcOperation);
/** The inverse of erf. */
export const erfInv: (x: Operand) => Value = floatUnary(erfInvOperation);

/** log(e^x + e^y), without overflow. */
export const logaddexpOperation: Operation = defineElementwise({
  name: "logaddexp",
  accepts: "floats",
  precision: "full",
  functions: ["logaddexp"],
  reference: ([x, y]) => {
    const large = Math.max(x!, y!);
    return Math.abs(large) === Infinity ? large : large + Math.log1p(Math.exp(-Math.abs(x! - y!)));
  },
  wgsl: ([x, y]) => `accurate_logaddexp(${x}, ${y})`,
  partials: ([x, y]) => {
    const total = logaddexp(x!, y!);
    // Of an infinite sum the infinite part has all: infinity less infinity must not be NaN.
    const share = (part: Value) => exp(where(equal(part, total), 0, sub(part, total)));
    return [share(x!), share(y!)];
  },
  domain: [-20, 20],
});

/** log(e^x + e^y). */
export const logaddexp: (x: Operand, y: Operand) => Value = floatBinary(logaddexpOperation);

/** x^y of floats, as IEEE 754's pow. */
export const powOperation: Operation = defineElementwise({
  name: "pow",
  accepts: "floats",
  precision: "full",
  functions: ["pow"],
  reference: ([x, y]) => powReference(x!, y!),
  wgsl: ([x, y]) => `accurate_pow(${x}, ${y})`,
  partials: ([x, y], output) => [
    where(equal(y!, 0), 0, mul(y!, power(x!, sub(y!, 1)))),
    mul(log(where(equal(x!, 0), 1, x!)), output),
  ],
  domain: [[0, 8], [-4, 4]],
});

function integerPower(x: number, y: number): number {
  if (y < 0) return Math.abs(x) === 1 ? (y % 2 === 0 ? 1 : x) : 0;
  let result = 1;
  let base = x;
  for (let left = y; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

/** x^y of integers by repeated squaring, wrapping; 0 for a negative y, unless x is 1 or -1. */
export const integerPowOperation: Operation = defineElementwise({
  name: "integerPow",
  accepts: "integers",
  functions: ["signedPower", "unsignedPower"],
  reference: ([x, y]) => integerPower(x!, y!),
  wgsl: ([x, y], { output }) =>
    `${output === "int32" ? "integer_power" : "unsigned_power"}(${x}, ${y})`,
  domain: [-9, 9],
});

/**
 * x^y. Integers stay integers, booleans become int32.
 *
 * @throws RangeError for integers raised to a negative number that is written out, as in JAX.
 */
export function power(x: Operand, y: Operand): Value {
  const [base, exponent] = promoteNumbers([x, y]) as [Value, Value];
  const { dtype } = base.aval;
  if (isInteger(dtype)) {
    if (isLiteral(y) && Number(y) < 0) {
      throw new RangeError(
        `Cannot power: integers cannot be raised to a negative power, got ${
          describe(y)
        } for ${dtype}; convert them with astype`,
      );
    }
    return bind1(integerPowOperation, {}, base, exponent);
  }
  // The common literal: one product, exactly rounded, in place of a logarithm and an exponential.
  if (y === 2 && !isLiteral(x) && isFloating(x.aval.dtype)) return square(x);
  return bind1(powOperation, {}, base, astype(exponent, dtype, exponent.aval.weak));
}
