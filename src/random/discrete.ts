// Distributions of truth values, integers and classes.

import { type ArrayLike, asArray, asNDArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { iinfo } from "../core/finfo.ts";
import { checkShape, normalizeAxis, sameShape, type Shape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { argmax } from "../numpy/reduction.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { asIntegers, astype } from "../ops/cast.ts";
import { less, lessEqual } from "../ops/comparison.ts";
import { constant } from "../ops/constant.ts";
import { rem } from "../ops/division.ts";
import { where } from "../ops/selection.ts";
import { gumbelOf } from "./continuous.ts";
import { checkKey } from "./key.ts";
import { type Config, program, randomBits, twoKeys } from "./program.ts";
import { fitting, type FloatConfig, unitFloats } from "./uniform.ts";

const drawBernoulli = program<FloatConfig>(
  "random.bernoulli",
  (config, key, p) => less(unitFloats(key, config), p!),
);

/**
 * Truth values that are true with probability `p`.
 *
 * @param p a number, by default 0.5, or a floating array that broadcasts to the shape.
 * @param shape by default that of `p`.
 * @throws {TypeError} if `key` is not one key or `p` not floating; RangeError if `p` does not broadcast.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const keep = random.bernoulli(random.key(0), 0.9, [4]);
 * console.log(keep.dtype, await jnp.where(keep, 1 / 0.9, 0).toList());
 * ```
 */
export function bernoulli(key: NDArray, p: ArrayLike = 0.5, shape?: Shape): NDArray {
  const what = "random.bernoulli";
  return lifted(what, () => {
    const chance = typeof p === "number" ? constant(p, "float32") : asArray(p, what);
    const { dtype } = chance.aval;
    if (!isFloating(dtype)) {
      throw new TypeError(`Cannot ${what}: p must be floating, got ${describe(p)}`);
    }
    const drawn = shape === undefined ? chance.aval.shape : checkShape(what, shape);
    const checked = checkKey(what, key);
    return drawBernoulli({ shape: drawn, dtype }, checked, fitting(what, "p", chance, drawn));
  });
}

/** The type of random integers. */
export interface RandintOptions {
  /** int32 (the default) or uint32. */
  readonly dtype?: "int32" | "uint32";
}

interface IntegerConfig extends Config {
  readonly dtype: "int32" | "uint32";
}

/** Two words modulo the span, as one number of 64 bits would be, so that hardly any integer is favoured. */
const drawRandint = program<IntegerConfig>(
  "random.randint",
  ({ shape, dtype }, key, low, span) => {
    const [first, second] = twoKeys(key).map((own) => rem(randomBits(own, shape), span!));
    // 2**32 modulo the span. As in JAX the square wraps for spans past 2**16, which leaves the second word.
    const half = rem(constant(2 ** 16, "uint32"), span!);
    const weight = rem(mul(half, half), span!);
    const offset = rem(add(mul(first!, weight), second!), span!);
    return add(low!, astype(offset, dtype));
  },
);

/**
 * Integers from `minval` up to `maxval`, which is left out. Bounds are integers, or integer arrays of the
 * result's type that broadcast to the shape. Where `maxval` is not above `minval`, the result is `minval`.
 *
 * @throws {TypeError} if `key` is not one key or a bound not an integer of the type; RangeError if a number
 * is out of the type's range or an array does not broadcast.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * console.log(await random.randint(random.key(0), [5], 1, 7).toList()); // dice
 * ```
 */
export function randint(
  key: NDArray,
  shape: Shape,
  minval: ArrayLike,
  maxval: ArrayLike,
  options: RandintOptions = {},
): NDArray {
  const what = "random.randint";
  checkOptions(what, options, ["dtype"]);
  const { dtype = "int32" } = options;
  if (dtype !== "int32" && dtype !== "uint32") {
    throw new TypeError(`Cannot ${what}: dtype must be int32 or uint32, got ${describe(dtype)}`);
  }
  const config = { shape: checkShape(what, shape), dtype };
  return lifted(what, () => {
    const low = bound("minval", minval, config);
    const span = typeof minval === "number" && typeof maxval === "number"
      ? constant(literalSpan(minval, maxval, dtype), "uint32")
      : spanOf(low, bound("maxval", maxval, config));
    return drawRandint(config, checkKey(what, key), low, asNDArray(span));
  });
}

/** Checks a number that stands for an integer of a type, or for the one behind its largest. */
function checkInteger(
  name: string,
  x: number,
  dtype: IntegerConfig["dtype"],
  largest = iinfo(dtype).max,
): number {
  if (!Number.isInteger(x)) {
    throw new TypeError(`Cannot random.randint: ${name} must be an integer, got ${describe(x)}`);
  }
  const { min } = iinfo(dtype);
  if (x >= min && x <= largest) return x;
  throw new RangeError(
    `Cannot random.randint: ${name} must be within ${min} to ${largest} for ${dtype}, got ${x}`,
  );
}

function bound(name: string, x: ArrayLike, { shape, dtype }: IntegerConfig): NDArray {
  if (typeof x === "number") return asNDArray(constant(checkInteger(name, x, dtype), dtype));
  const array = asArray(x, "random.randint");
  const integers = array.aval.weak || array.dtype === dtype ? asIntegers(array, dtype) : undefined;
  if (integers) return fitting("random.randint", name, integers, shape);
  throw new TypeError(
    `Cannot random.randint: ${name} must be of the result's type ${dtype}, got ${describe(array)}`,
  );
}

/** How many integers there are from one number up to another, modulo 2**32: at least one. */
function literalSpan(low: number, high: number, dtype: IntegerConfig["dtype"]): number {
  checkInteger("maxval", high, dtype, iinfo(dtype).max + 1);
  return Math.max(high - low, 1) >>> 0;
}

function spanOf(low: Value, high: Value): Value {
  const span = astype(sub(high, low), "uint32");
  return where(lessEqual(high, low), constant(1, "uint32"), span);
}

/** How classes are drawn. */
export interface CategoricalOptions {
  /** The axis of the classes; by default the last. */
  readonly axis?: number;
  /** The shape of the result: by default that of the logits without `axis`, otherwise one that ends with it. */
  readonly shape?: Shape;
}

interface CategoricalConfig extends FloatConfig {
  readonly axis: number;
}

/** The largest of logits with Gumbel noise is a sample of their softmax (Gumbel, 1954). */
const drawCategorical = program<CategoricalConfig>(
  "random.categorical",
  (config, key, logits) =>
    argmax(asNDArray(add(gumbelOf(key, config), logits!)), { axis: config.axis }),
);

/**
 * Classes (int32) drawn with the probabilities softmax(logits).
 *
 * @throws {TypeError} if `key` is not one key or the logits not floating; RangeError if `shape` does not end with
 * that of the logits without `axis`.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const logits = jnp.log([0.1, 0.2, 0.7]);
 * console.log(await random.categorical(random.key(0), logits, { shape: [8] }).toList());
 * ```
 */
export function categorical(
  key: NDArray,
  logits: ArrayLike,
  options: CategoricalOptions = {},
): NDArray {
  const what = "random.categorical";
  checkOptions(what, options, ["axis", "shape"]);
  return lifted(what, () => {
    const array = asArray(logits, what);
    const { dtype } = array;
    if (!isFloating(dtype)) {
      throw new TypeError(`Cannot ${what}: logits must be floating, got ${describe(array)}`);
    }
    const axis = normalizeAxis(what, options.axis ?? -1, array.ndim);
    const batch = array.shape.toSpliced(axis, 1);
    const drawn = options.shape === undefined ? batch : checkShape(what, options.shape);
    const repeats = drawn.length - batch.length;
    if (repeats < 0 || !sameShape(drawn.slice(repeats), batch)) {
      throw new RangeError(
        `Cannot ${what}: shape must end with ${
          showShape(batch)
        }, that of the logits without their axis, got ${showShape(drawn)}`,
      );
    }
    const shape = [...drawn.slice(0, repeats), ...array.shape];
    return drawCategorical({ shape, dtype, axis: repeats + axis }, checkKey(what, key), array);
  });
}
