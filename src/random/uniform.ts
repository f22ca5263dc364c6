// Random bits, and the numbers between two bounds that are made of them.

import { type ArrayLike, asNDArray, type NDArray, operand } from "../array.ts";
import { type FloatDType, isFloating, isHalf } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { finfo } from "../core/finfo.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { maximum } from "../ops/comparison.ts";
import { bitwiseAnd, rightShift } from "../ops/logic.ts";
import { checkKey } from "./key.ts";
import { type Config, type KeyWords, program, randomBits } from "./program.ts";

/** What is drawn, of which shape. */
export interface FloatConfig extends Config {
  readonly dtype: FloatDType;
}

/** The type of what is drawn. */
export interface FloatOptions {
  /** float32 (the default), float16 or bfloat16. */
  readonly dtype?: FloatDType;
}

/** The type of random bits. */
export interface BitsOptions {
  /** uint32, the only unsigned type there is. */
  readonly dtype?: "uint32";
}

/** Checks a `dtype` option that must be floating. */
export function floatDType(what: string, dtype: unknown): FloatDType {
  const chosen = dtype ?? "float32";
  if (typeof chosen === "string" && isFloating(chosen as FloatDType)) return chosen as FloatDType;
  throw new TypeError(
    `Cannot ${what}: dtype must be float32, float16 or bfloat16, got ${describe(dtype)}`,
  );
}

const drawBits = program("random.bits", ({ shape }, key) => randomBits(key, shape));

/**
 * 32 random bits for every element, as uint32.
 *
 * @throws {TypeError} if `key` is not one key.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * console.log(await random.bits(random.key(0), [3]).toList());
 * ```
 */
export function bits(key: NDArray, shape: Shape = [], options: BitsOptions = {}): NDArray {
  const what = "random.bits";
  checkOptions(what, options, ["dtype"]);
  const { dtype = "uint32" } = options;
  if (dtype !== "uint32") {
    throw new TypeError(`Cannot ${what}: dtype must be uint32, got ${describe(dtype)}`);
  }
  const config = { shape: checkShape(what, shape) };
  return lifted(what, () => drawBits(config, checkKey(what, key)));
}

/** The bits that a type's uniform numbers use, of 32: as JAX, which draws 16 for float16 and 8 for bfloat16. */
const drawnBits: Readonly<Record<FloatDType, number>> = { float32: 32, float16: 16, bfloat16: 8 };

/**
 * Uniform numbers in [0, 1): as many random bits as the type's significand has behind the point, times its eps.
 * Both conversions are exact.
 */
export function unitFloats(key: KeyWords, { shape, dtype }: FloatConfig): Value {
  const { eps } = finfo(dtype);
  const drawn = drawnBits[dtype];
  const random = randomBits(key, shape);
  const low = isHalf(dtype) ? bitwiseAnd(random, 2 ** drawn - 1) : random;
  const integers = rightShift(low, drawn + Math.log2(eps));
  return astype(mul(astype(integers, "float32"), eps), dtype);
}

/** Uniform numbers in [low, high), bounds of the same dtype. */
export function uniformBetween(key: KeyWords, config: FloatConfig, low: Value, high: Value): Value {
  // Rounding may carry the sum below the lower bound where the bounds are close.
  return maximum(low, add(mul(unitFloats(key, config), sub(high, low)), low));
}

/** Between what uniform numbers lie. */
export interface UniformOptions extends FloatOptions {
  /** The lower bound, which is included; by default 0. A number or an array that broadcasts to the shape. */
  readonly minval?: ArrayLike;
  /** The upper bound, which is not; by default 1. */
  readonly maxval?: ArrayLike;
}

const drawUnit = program<FloatConfig>("random.uniform", (config, key) => unitFloats(key, config));
const drawUniform = program<FloatConfig>(
  "random.uniform",
  (config, key, low, high) => uniformBetween(key, config, low!, high!),
);

/**
 * Uniform numbers in [minval, maxval).
 *
 * @throws {TypeError} if `key` is not one key or `dtype` not floating; RangeError if a bound does not broadcast
 * to the shape.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * const x = random.uniform(random.key(0), [2, 3], { minval: -1, maxval: 1, dtype: "bfloat16" });
 * console.log(x.dtype, await x.toList());
 * ```
 */
export function uniform(key: NDArray, shape: Shape = [], options: UniformOptions = {}): NDArray {
  const what = "random.uniform";
  checkOptions(what, options, ["minval", "maxval", "dtype"]);
  const { minval = 0, maxval = 1 } = options;
  const dtype = floatDType(what, options.dtype);
  const config = { shape: checkShape(what, shape), dtype };
  return lifted(what, () => {
    const checked = checkKey(what, key);
    if (minval === 0 && maxval === 1) return drawUnit(config, checked);
    const [low, high] = [minval, maxval].map((x) =>
      fitting(what, "bounds", astype(operand(x, what), dtype), config.shape)
    );
    return drawUniform(config, checked, low!, high!);
  });
}

/** Checks that a parameter broadcasts to the shape that is drawn. */
export function fitting(what: string, name: string, parameter: Value, to: Shape): NDArray {
  const { shape } = parameter.aval;
  const lead = to.length - shape.length;
  if (lead >= 0 && shape.every((extent, i) => extent === 1 || extent === to[lead + i])) {
    return asNDArray(parameter);
  }
  throw new RangeError(
    `Cannot ${what}: ${name} must broadcast to the shape ${showShape(to)}, got ${showShape(shape)}`,
  );
}
