// Conversion between dtypes.

import { type DType, isFloating, isInteger, type WeakKind } from "../core/dtype.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1, isTracing } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { isLiteral, literalType, type Operand } from "./operand.ts";
import { constant } from "./constant.ts";

/** The static arguments of a conversion. */
export interface CastParams extends Params {
  readonly dtype: DType;
  readonly weak?: WeakKind;
  /** Set where promotion converts, not the program: mixed precision promotes again by what operands have become. */
  readonly implicit?: true;
}

/** `astype`: rounds to nearest even; floats become integers by truncation, saturating; anything but 0 is true. */
export const astypeOperation: Operation<CastParams> = registerOperation<CastParams>({
  name: "astype",
  precision: "follow",
  aval: ([x], { dtype, weak }) => ({ shape: x!.shape, dtype, weak }),
  lower: {
    kind: "elementwise",
    wgsl: ([x], { inputs, output }) => castExpression(x!, inputs[0]!, output),
  },
  evaluate: ([x], { dtype }) => [castValues(x!.values, x!.dtype, dtype)],
  derivative: { kind: "linear", transpose: (cotangent, [x]) => [astype(cotangent, x!.aval.dtype)] },
});

function castValues(values: Float64Array, from: DType, to: DType): Float64Array {
  if (to === "bool") return values.map((v) => Number(v !== 0));
  if (!isFloating(from) || isFloating(to)) return values;
  const [low, high] = to === "int32" ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return values.map((v) => Number.isNaN(v) ? 0 : Math.min(Math.max(Math.trunc(v), low), high));
}

/**
 * WGSL of a conversion. Float to integer is out of WGSL's promise for NaN, and its saturation stops at the
 * largest float below the integer's end: both are made explicit by bits.
 */
function castExpression(x: string, from: DType, to: DType): string {
  if (from === to) return x;
  if (to === "bool") {
    if (!isFloating(from)) return `(${x} != ${from === "int32" ? "vec4i(0)" : "vec4u(0u)"})`;
    return `((bitcast<vec4u>(${x}) & vec4u(0x7fffffffu)) != vec4u(0u))`;
  }
  if (isFloating(to)) return isFloating(from) ? x : `vec4f(${x})`;
  if (!isFloating(from)) return `${to === "int32" ? "vec4i" : "vec4u"}(${x})`;
  const number = `(bitcast<vec4u>(${x}) & vec4u(0x7fffffffu)) <= vec4u(0x7f800000u)`;
  if (to === "int32") {
    return `select(vec4i(0), select(vec4i(clamp(${x}, vec4f(-2147483648.0), vec4f(2147483520.0))), vec4i(2147483647), ${x} >= vec4f(2147483648.0)), ${number})`;
  }
  return `select(vec4u(0u), select(vec4u(clamp(${x}, vec4f(0.0), vec4f(4294967040.0))), vec4u(4294967295u), ${x} >= vec4f(4294967296.0)), ${number})`;
}

/** Integers as those of a type, wrapped; undefined for other numbers. A traced JavaScript integer is one too. */
export function asIntegers(x: Value, dtype: "int32" | "uint32"): Value | undefined {
  if (isInteger(x.aval.dtype)) return astype(x, dtype);
  // Small ones are weak float32. By way of int32, since from floats uint32 would not wrap.
  return x.aval.weak === "integer" ? astype(astype(x, "int32"), dtype) : undefined;
}

/** Converts an operand; nothing happens where it has the dtype (and weakness) already. */
export function astype(x: Operand, dtype: DType, weak?: WeakKind): Value {
  if (isLiteral(x)) return constant(Number(x), dtype, weak);
  if (x.aval.dtype === dtype && x.aval.weak === weak) return x;
  return bind1(astypeOperation, { dtype, weak }, x);
}

/** As {@linkcode astype}, where operands of different types meet. */
export function promote(x: Operand, dtype: DType, weak?: WeakKind): Value {
  if (isLiteral(x)) return constant(Number(x), dtype, weak);
  if (x.aval.dtype === dtype && x.aval.weak === weak) return x;
  return bind1(astypeOperation, { dtype, weak, implicit: true }, x);
}

/**
 * As {@linkcode astype}, where a program asks for the type. A trace records it also where it changes nothing:
 * mixed precision may change what is converted, and what was asked for must stay.
 */
export function convert(x: Operand, dtype: DType): Value {
  const recorded = isTracing() && !isLiteral(x) && isFloating(x.aval.dtype) && isFloating(dtype);
  return recorded ? bind1(astypeOperation, { dtype }, x) : astype(x, dtype);
}

/** An operand as a value; a literal alone takes its own type. */
export function toValue(x: Operand): Value {
  if (!isLiteral(x)) return x;
  const { dtype, weak } = literalType(x);
  return constant(Number(x), dtype, weak);
}
