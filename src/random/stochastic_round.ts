// Stochastic rounding: to one of the two neighbours in a half type, with probabilities that make the expected
// result the number itself, so that small updates of half parameters are not lost but rare.

import type { NDArray } from "../array.ts";
import type { HalfDType } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { finfo } from "../core/finfo.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { bitcast } from "../ops/bitcast.ts";
import { astype } from "../ops/cast.ts";
import { less, lessEqual } from "../ops/comparison.ts";
import { bitwiseAnd, bitwiseOr, rightShift } from "../ops/logic.ts";
import { floor } from "../ops/rounding.ts";
import { where } from "../ops/selection.ts";
import { checkKey } from "./key.ts";
import { type Config, program, randomBits } from "./program.ts";

interface RoundConfig extends Config {
  readonly dtype: HalfDType;
}

const drawRounded = program<RoundConfig>(
  "round stochastically",
  ({ shape, dtype }, key, x) => roundByBits(x!, randomBits(key, shape), dtype),
);

/**
 * Rounds float32 numbers to float16 or bfloat16 at random, so that the expected result is the number itself
 * (but for probabilities below 2**-32). Numbers of the half type stay what they are, NaN and infinity too; what
 * lies beyond its largest finite number is rounded to nearest.
 *
 * @throws {TypeError} if `key` is not one key or `x` not float32.
 */
export function stochasticRound(key: NDArray, x: NDArray, dtype: HalfDType): NDArray {
  const what = "round stochastically";
  if (x.dtype !== "float32") {
    throw new TypeError(`Cannot ${what}: a float32 array is required, got ${describe(x)}`);
  }
  return lifted(what, () => drawRounded({ shape: x.shape, dtype }, checkKey(what, key), x));
}

/** Float32 bits behind the significand of a half type. */
const droppedBits: Readonly<Record<HalfDType, number>> = { float16: 13, bfloat16: 16 };

const signBit = 2 ** 31;

/** Rounds away from zero where random words, taken as fractions of 2**32, are less than what would be cut off. */
export function roundByBits(x: Value, random: Value, dtype: HalfDType): Value {
  const bits = bitcast(x, "uint32");
  const magnitude = bitwiseAnd(bits, signBit - 1);
  let rounded = roundDropped(magnitude, random, droppedBits[dtype]);
  if (dtype === "float16") {
    // Below its normal numbers float16 has one step; bfloat16 has float32's exponents, and so its subnormals.
    const isSubnormal = less(magnitude, floatBits(finfo(dtype).smallestNormal));
    rounded = where(isSubnormal, roundSubnormal(magnitude, random), rounded);
  }
  const signed = bitwiseOr(rounded, bitwiseAnd(bits, signBit));
  const isInside = lessEqual(magnitude, floatBits(finfo(dtype).max));
  return astype(where(isInside, bitcast(signed, "float32"), x), dtype);
}

/** A carry goes where it has to: into the exponent. */
function roundDropped(magnitude: Value, random: Value, dropped: number): Value {
  const carried = add(magnitude, rightShift(random, 32 - dropped));
  return bitwiseAnd(carried, 2 ** 32 - 2 ** dropped);
}

/** Rounds to a multiple of float16's smallest number; the scaling is exact. */
function roundSubnormal(magnitude: Value, random: Value): Value {
  const step = finfo("float16").smallestSubnormal;
  const steps = mul(bitcast(magnitude, "float32"), 1 / step);
  const whole = floor(steps);
  const threshold = astype(mul(sub(steps, whole), 2 ** 32), "uint32");
  const up = astype(less(random, threshold), "float32");
  return bitcast(mul(add(whole, up), step), "uint32");
}

/** The word that holds a float32 number. */
function floatBits(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0]!;
}
