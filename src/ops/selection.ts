// Selection: elements of one array or another, and what is told apart by its bits.

import { type FloatDType, isFloating } from "../core/dtype.ts";
import { finfo } from "../core/finfo.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype, toValue } from "./cast.ts";
import { maximum, minimum } from "./comparison.ts";
import { constant } from "./constant.ts";
import { defineElementwise, promoteOperands } from "./define.ts";
import { broadcastTo, unbroadcast } from "./broadcast.ts";
import type { Operand } from "./operand.ts";
import { hasSignBit, isNaNBits, magnitudeBits } from "./wgsl_bits.ts";

/** x where the condition is true, y elsewhere. */
export const whereOperation: Operation = defineElementwise({
  name: "where",
  exact: true,
  conditions: 1,
  reference: ([condition, x, y]) => condition ? x! : y!,
  wgsl: ([condition, x, y]) => `select(${y}, ${x}, ${condition})`,
  derivative: {
    kind: "linear",
    inputs: [1, 2],
    transpose: (cotangent, [condition, x, y]) => [
      undefined,
      unbroadcast(where(condition!, cotangent, 0), x!.aval.shape),
      unbroadcast(where(condition!, 0, cotangent), y!.aval.shape),
    ],
  },
});

/** x where the condition is not 0, y elsewhere. */
export function where(condition: Operand, x: Operand, y: Operand): Value {
  return bind1(whereOperation, {}, astype(condition, "bool"), ...promoteOperands([x, y]));
}

/** Every element moved into min..max; NaN stays, and max wins where min is above it. */
export function clip(x: Operand, min?: Operand, max?: Operand): Value {
  const above = min === undefined ? toValue(x) : maximum(x, min);
  return max === undefined ? above : minimum(above, max);
}

/** Defines a test of a float's bits. */
function defineTest(
  name: string,
  reference: (x: number) => boolean,
  wgsl: (x: string) => string,
): Operation {
  return defineElementwise({
    name,
    accepts: "floats",
    exact: true,
    result: "bool",
    reference: ([x]) => Number(reference(x!)),
    wgsl: ([x]) => wgsl(x!),
  });
}

/** Whether it is NaN. */
export const isNaNOperation: Operation = defineTest("isnan", Number.isNaN, isNaNBits);

/** Whether it is infinite. */
export const isInfOperation: Operation = defineTest(
  "isinf",
  (x) => Math.abs(x) === Infinity,
  (x) => `(${magnitudeBits(x)} == vec4u(0x7f800000u))`,
);

/** Whether it is neither infinite nor NaN. */
export const isFiniteOperation: Operation = defineTest(
  "isfinite",
  Number.isFinite,
  (x) => `(${magnitudeBits(x)} < vec4u(0x7f800000u))`,
);

/** Whether it has the sign bit: negative numbers and -0. */
export const signBitOperation: Operation = defineTest(
  "signbit",
  (x) => x < 0 || Object.is(x, -0),
  hasSignBit,
);

/** A test of floats; integers and booleans all have the one answer. */
function floatTest(operation: Operation, ofIntegers: boolean): (x: Operand) => Value {
  return (x) => {
    const value = toValue(x);
    if (isFloating(value.aval.dtype)) return bind1(operation, {}, value);
    return broadcastTo(constant(Number(ofIntegers), "bool"), value.aval.shape);
  };
}

/** Which elements are NaN. */
export const isnan: (x: Operand) => Value = floatTest(isNaNOperation, false);
/** Which elements are infinite. */
export const isinf: (x: Operand) => Value = floatTest(isInfOperation, false);
/** Which elements are neither infinite nor NaN. */
export const isfinite: (x: Operand) => Value = floatTest(isFiniteOperation, true);

/** Which elements have their sign bit set. */
export function signbit(x: Operand): Value {
  const value = toValue(x);
  // An integer's sign survives its rounding to float32.
  return bind1(
    signBitOperation,
    {},
    isFloating(value.aval.dtype) ? value : astype(value, "float32"),
  );
}

/** The static arguments of `nanToNum`; infinities become the ends of the type where nothing else is stated. */
export interface NanToNumParams extends Params {
  readonly nan: number;
  readonly posinf?: number;
  readonly neginf?: number;
}

/** Numbers in place of NaN and the infinities. One operation, so that the ends are those of the type it computes in. */
export const nanToNumOperation: Operation<NanToNumParams> = registerOperation<NanToNumParams>({
  name: "nanToNum",
  precision: "follow",
  aval: ([x]) => x!,
  lower: {
    kind: "composite",
    decompose: ([x], { nan, posinf, neginf }) => {
      const { max, min } = finfo(x!.aval.dtype as FloatDType);
      const ends = where(signbit(x!), constant(neginf ?? min, x!.aval.dtype), posinf ?? max);
      return [where(isnan(x!), nan, where(isinf(x!), ends, x!))];
    },
  },
});
