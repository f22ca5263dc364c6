// The limits of the element types, as JAX's finfo and iinfo give them.
import { describe } from "./errors.ts";
import { checkDType, type DType, type FloatDType, isFloating, isInteger } from "./dtype.ts";

/** The limits of a floating type. */
export interface FloatInfo {
  /** The type described. */
  readonly dtype: FloatDType;
  /** Bits of one element. */
  readonly bits: number;
  /** The largest finite number. */
  readonly max: number;
  /** The smallest finite number, `-max`. */
  readonly min: number;
  /** The smallest positive number with full precision. */
  readonly smallestNormal: number;
  /** The smallest positive number. */
  readonly smallestSubnormal: number;
  /** The distance from 1 to the next larger number. */
  readonly eps: number;
}

/** The limits of an integer type. */
export interface IntegerInfo {
  /** The type described. */
  readonly dtype: "int32" | "uint32";
  /** Bits of one element. */
  readonly bits: number;
  /** The smallest number. */
  readonly min: number;
  /** The largest number. */
  readonly max: number;
}

/** The limits of an IEEE 754 style format, from its significand bits (the hidden one too) and exponents. */
function floatInfo(
  dtype: FloatDType,
  bits: number,
  precision: number,
  maxExponent: number,
): FloatInfo {
  const minExponent = 1 - maxExponent;
  const max = (2 - 2 ** (1 - precision)) * 2 ** maxExponent;
  return Object.freeze({
    dtype,
    bits,
    max,
    min: -max,
    smallestNormal: 2 ** minExponent,
    smallestSubnormal: 2 ** (minExponent - precision + 1),
    eps: 2 ** (1 - precision),
  });
}

const floatInfos: Readonly<Record<FloatDType, FloatInfo>> = {
  float32: floatInfo("float32", 32, 24, 127),
  float16: floatInfo("float16", 16, 11, 15),
  bfloat16: floatInfo("bfloat16", 16, 8, 127),
};

const integerInfos: Readonly<Record<"int32" | "uint32", IntegerInfo>> = {
  int32: Object.freeze({ dtype: "int32", bits: 32, min: -(2 ** 31), max: 2 ** 31 - 1 }),
  uint32: Object.freeze({ dtype: "uint32", bits: 32, min: 0, max: 2 ** 32 - 1 }),
};

/**
 * The limits of a floating type.
 *
 * @throws TypeError for a type that is not floating.
 *
 * @example
 * ```ts
 * import { finfo } from "@zenith/jax";
 *
 * console.log(finfo("float16").max); // 65504
 * ```
 */
export function finfo(dtype: DType): FloatInfo {
  const checked = checkDType(dtype, "find finfo");
  if (isFloating(checked)) return floatInfos[checked];
  throw new TypeError(
    `Cannot find finfo: dtype must be float32, float16 or bfloat16, got ${
      describe(dtype)
    }; use iinfo for integers`,
  );
}

/**
 * The limits of an integer type.
 *
 * @throws TypeError for a type that is not an integer.
 *
 * @example
 * ```ts
 * import { iinfo } from "@zenith/jax";
 *
 * console.log(iinfo("int32").max); // 2147483647
 * ```
 */
export function iinfo(dtype: DType): IntegerInfo {
  const checked = checkDType(dtype, "find iinfo");
  if (isInteger(checked)) return integerInfos[checked];
  throw new TypeError(
    `Cannot find iinfo: dtype must be int32 or uint32, got ${
      describe(dtype)
    }; use finfo for floats`,
  );
}
