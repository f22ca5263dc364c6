// Elementary functions on arrays. Floats keep their type and are computed in float32 and rounded once;
// integers and booleans become float32. In float32 each is within 8 ulp of the exact result.

import { type ArrayLike, type NDArray, operand } from "../array.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { isFloating } from "../core/dtype.ts";
import type { RoundOptions } from "../methods/elementwise.ts";
import { div, mul } from "../ops/arithmetic.ts";
import { astype, toValue } from "../ops/cast.ts";
import * as ops from "../ops/elementary.ts";
import * as rounding from "../ops/rounding.ts";
import * as trigonometric from "../ops/trigonometric.ts";
import type { Binary, Unary } from "./arithmetic.ts";
import { lift1, lift2, lifted } from "./lift.ts";

export type { RoundOptions };

/**
 * e^x.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * console.log(await jnp.exp([0, 1]).toList(), await jnp.tanh(0.5).item());
 * ```
 */
export const exp: Unary = lift1("exp", ops.exp);
/** 2^x. */
export const exp2: Unary = lift1("exp2", ops.exp2);
/** e^x - 1, right near 0 too. */
export const expm1: Unary = lift1("expm1", ops.expm1);
/** The natural logarithm: -infinity at 0, NaN below. */
export const log: Unary = lift1("log", ops.log);
/** The logarithm to base 2. */
export const log2: Unary = lift1("log2", ops.log2);
/** The logarithm to base 10. */
export const log10: Unary = lift1("log10", ops.log10);
/** log(1 + x), right near 0 too. */
export const log1p: Unary = lift1("log1p", ops.log1p);
/** log(e^x + e^y) without overflow. */
export const logaddexp: Binary = lift2("logaddexp", ops.logaddexp);
/** The square root; NaN below 0. */
export const sqrt: Unary = lift1("sqrt", ops.sqrt);
/** 1 / sqrt(x). */
export const rsqrt: Unary = lift1("rsqrt", ops.rsqrt);
/** The cube root. */
export const cbrt: Unary = lift1("cbrt", ops.cbrt);
/** The error function. */
export const erf: Unary = lift1("erf", ops.erf);
/** 1 - erf(x), without cancellation. */
export const erfc: Unary = lift1("erfc", ops.erfc);
/** The inverse of erf; NaN outside of -1 to 1. */
export const erfInv: Unary = lift1("erfInv", ops.erfInv);

/** The sine of an angle in radians. */
export const sin: Unary = lift1("sin", trigonometric.sin);
/** The cosine of an angle in radians. */
export const cos: Unary = lift1("cos", trigonometric.cos);
/** The tangent of an angle in radians. */
export const tan: Unary = lift1("tan", trigonometric.tan);
/** The angle with this sine, in radians. */
export const asin: Unary = lift1("asin", trigonometric.asin);
/** The angle with this sine, by its long name; see {@linkcode asin}. */
export const arcsin: Unary = asin;
/** The angle with this cosine, in radians. */
export const acos: Unary = lift1("acos", trigonometric.acos);
/** The angle with this cosine, by its long name; see {@linkcode acos}. */
export const arccos: Unary = acos;
/** The angle with this tangent, in radians. */
export const atan: Unary = lift1("atan", trigonometric.atan);
/** The angle with this tangent, by its long name; see {@linkcode atan}. */
export const arctan: Unary = atan;
/** The angle of the point (x, y), in radians: y comes first. */
export const atan2: Binary = lift2("atan2", trigonometric.atan2);
/** The angle of the point (x, y), by its long name; see {@linkcode atan2}. */
export const arctan2: Binary = atan2;
/** The hyperbolic sine. */
export const sinh: Unary = lift1("sinh", trigonometric.sinh);
/** The hyperbolic cosine. */
export const cosh: Unary = lift1("cosh", trigonometric.cosh);
/** The hyperbolic tangent. */
export const tanh: Unary = lift1("tanh", trigonometric.tanh);
/** The inverse hyperbolic sine. */
export const asinh: Unary = lift1("asinh", trigonometric.asinh);
/** The inverse hyperbolic sine, by its long name; see {@linkcode asinh}. */
export const arcsinh: Unary = asinh;
/** The inverse hyperbolic cosine; NaN below 1. */
export const acosh: Unary = lift1("acosh", trigonometric.acosh);
/** The inverse hyperbolic cosine, by its long name; see {@linkcode acosh}. */
export const arccosh: Unary = acosh;
/** The inverse hyperbolic tangent; NaN outside of -1 to 1. */
export const atanh: Unary = lift1("atanh", trigonometric.atanh);
/** The inverse hyperbolic tangent, by its long name; see {@linkcode atanh}. */
export const arctanh: Unary = atanh;

/** Rounded down; integers stay as they are, as with all four. */
export const floor: Unary = lift1("floor", rounding.floor);
/** Rounded up. */
export const ceil: Unary = lift1("ceil", rounding.ceil);
/** Rounded towards 0. */
export const trunc: Unary = lift1("trunc", rounding.trunc);

/** Rounded to the nearest whole number, or number of `decimals` digits; ties go to the even one. */
export function round(x: ArrayLike, options: RoundOptions = {}): NDArray {
  checkOptions("round", options, ["decimals"]);
  const { decimals = 0 } = options;
  if (!Number.isInteger(decimals) || Math.abs(decimals) > 38) {
    throw new RangeError(
      `Cannot round: decimals must be an integer from -38 to 38, got ${describe(decimals)}`,
    );
  }
  return lifted("round", () => {
    const value = toValue(operand(x, "round"));
    const { dtype } = value.aval;
    if (decimals === 0 || (decimals > 0 && !isFloating(dtype))) return rounding.round(value);
    if (!isFloating(dtype)) {
      throw new RangeError(
        `Cannot round: decimals must not be negative for ${dtype}, got ${decimals}; convert with astype`,
      );
    }
    // In float32, since ten to a few digits is beyond float16.
    const wide = astype(value, "float32");
    const factor = 10 ** Math.abs(decimals);
    const rounded = decimals > 0
      ? div(rounding.round(mul(wide, factor)), factor)
      : mul(rounding.round(div(wide, factor)), factor);
    return astype(rounded, dtype);
  }, x);
}
