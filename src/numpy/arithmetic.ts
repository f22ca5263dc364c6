// Arithmetic on arrays: JAX's functions under its names, and the short names of lax beside them. Operands are
// promoted as JAX promotes them, and shapes broadcast.

import type { ArrayLike, NDArray } from "../array.ts";
import * as ops from "../ops/arithmetic.ts";
import * as comparison from "../ops/comparison.ts";
import * as division from "../ops/division.ts";
import * as elementary from "../ops/elementary.ts";
import { lift1, lift2 } from "./lift.ts";

/** A function of one array, element by element. */
export type Unary = (x: ArrayLike) => NDArray;

/** A function of two arrays that broadcast, element by element. */
export type Binary = (x: ArrayLike, y: ArrayLike) => NDArray;

/**
 * x + y. A JS number takes the array's type; integers wrap; booleans are joined by or.
 *
 * @throws {RangeError} if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([1, 2, 3], { dtype: "float16" });
 * console.log(await jnp.add(x, 0.5).toList(), x.mul(2).dtype); // [1.5, 2.5, 3.5] "float16"
 * ```
 */
export const add: Binary = lift2("add", ops.add);
/** x - y; integers wrap. Booleans are a TypeError. */
export const subtract: Binary = lift2("subtract", ops.sub);
/** x - y, by its short name; see {@linkcode subtract}. */
export const sub: Binary = subtract;
/** x * y; integers wrap, booleans are joined by and. */
export const multiply: Binary = lift2("multiply", ops.mul);
/** x * y, by its short name; see {@linkcode multiply}. */
export const mul: Binary = multiply;
/** x / y as floats: integers become float32 first. */
export const divide: Binary = lift2("divide", ops.div);
/** x / y, by its short name; see {@linkcode divide}. */
export const div: Binary = divide;
/** x / y, by its long name; see {@linkcode divide}. */
export const trueDivide: Binary = divide;

/**
 * x / y rounded down. Integers divided by 0 give -1 for 0 and -2 otherwise (2**32 - 1 when unsigned), as in
 * JAX; nothing faults.
 */
export const floorDivide: Binary = lift2("floorDivide", division.floorDivide);

/**
 * The remainder of the quotient rounded down: it has the sign of `y`. Integers modulo 0 are 0, floats NaN.
 */
export const mod: Binary = lift2("mod", division.mod);
/** The remainder with the sign of `y`, by its long name; see {@linkcode mod}. */
export const remainder: Binary = mod;

/** The remainder of the quotient cut to a whole number: it has the sign of `x`. Integers modulo 0 are 0. */
export const fmod: Binary = lift2("fmod", division.fmod);

/**
 * x to the power y. Integers stay integers and wrap: a negative power of them is 0 but for 1 and -1, and an
 * error where it is written as a number. Booleans become int32.
 *
 * @throws {RangeError} for integers raised to a negative JS number.
 */
export const power: Binary = lift2("power", elementary.power);
/** x to the power y, by its short name; see {@linkcode power}. */
export const pow: Binary = power;

/** -x; unsigned integers wrap. Booleans are a TypeError. */
export const negative: Unary = lift1("negative", ops.neg);
/** -x, by its short name; see {@linkcode negative}. */
export const neg: Unary = negative;
/** |x|. */
export const abs: Unary = lift1("abs", ops.abs);
/** |x|, by its long name; see {@linkcode abs}. */
export const absolute: Unary = abs;
/** -1, 0 or 1 by the sign; NaN stays. */
export const sign: Unary = lift1("sign", ops.sign);
/** x * x. */
export const square: Unary = lift1("square", ops.square);
/** 1 / x as a float. */
export const reciprocal: Unary = lift1("reciprocal", ops.reciprocal);
/** |x| with the sign of y. */
export const copysign: Binary = lift2("copysign", ops.copysign);
/** sqrt(x * x + y * y) without overflow on the way. */
export const hypot: Binary = lift2("hypot", ops.hypot);
/** The greater of x and y; NaN where either is. */
export const maximum: Binary = lift2("maximum", comparison.maximum);
/** The lesser of x and y; NaN where either is. */
export const minimum: Binary = lift2("minimum", comparison.minimum);
