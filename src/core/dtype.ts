// The table of element types and JAX's promotion between them, weak JavaScript numbers included.
import { describe } from "./errors.ts";

/** An element type, named as JAX and IEEE 754 name it. */
export type DType = "float32" | "float16" | "bfloat16" | "int32" | "uint32" | "bool";

/** An element type that holds real numbers. */
export type FloatDType = "float32" | "float16" | "bfloat16";

/** An element type of 16 bits. */
export type HalfDType = "float16" | "bfloat16";

/**
 * What a JavaScript number is while no array has decided its type: an integral number (`2`) keeps an
 * integer array integer, a fractional one (`0.5`) does not.
 */
export type WeakKind = "integer" | "float";

/** What the library knows about one element type. */
export interface DTypeRecord {
  /** The name users write. */
  readonly name: DType;
  /** Bytes of one element on the device; bool is a `u32` of 0 or 1 there. */
  readonly bytes: 2 | 4;
  /** The family that promotion and kernels go by. */
  readonly kind: "float" | "signed" | "unsigned" | "bool";
  /** The name in printed graphs, as JAX prints it: `f32`. */
  readonly shortName: string;
  /** The name in StableHLO text: `f32`, `ui32`, `i1`. */
  readonly stableName: string;
}

/** Every element type's record, by name. */
export const dtypes: Readonly<Record<DType, DTypeRecord>> = Object.freeze({
  float32: record("float32", 4, "float", "f32", "f32"),
  float16: record("float16", 2, "float", "f16", "f16"),
  bfloat16: record("bfloat16", 2, "float", "bf16", "bf16"),
  int32: record("int32", 4, "signed", "i32", "i32"),
  uint32: record("uint32", 4, "unsigned", "u32", "ui32"),
  bool: record("bool", 4, "bool", "bool", "i1"),
});

function record(
  name: DType,
  bytes: 2 | 4,
  kind: DTypeRecord["kind"],
  shortName: string,
  stableName: string,
): DTypeRecord {
  return Object.freeze({ name, bytes, kind, shortName, stableName });
}

/** True if `x` is the name of an element type. */
export function isDType(x: unknown): x is DType {
  return typeof x === "string" && Object.hasOwn(dtypes, x);
}

/**
 * Returns `value` as an element type.
 *
 * @throws TypeError that starts with `Cannot <what>` and lists the allowed names.
 */
export function checkDType(value: unknown, what: string): DType {
  if (isDType(value)) return value;
  const allowed = Object.keys(dtypes).join(", ");
  throw new TypeError(`Cannot ${what}: dtype must be one of ${allowed}; got ${describe(value)}`);
}

/** True for float32, float16 and bfloat16. */
export function isFloating(dtype: DType): dtype is FloatDType {
  return dtype === "float32" || dtype === "float16" || dtype === "bfloat16";
}

/** True for float16 and bfloat16. */
export function isHalf(dtype: DType): dtype is HalfDType {
  return dtype === "float16" || dtype === "bfloat16";
}

/** True for int32 and uint32, not for bool. */
export function isInteger(dtype: DType): dtype is "int32" | "uint32" {
  return dtype === "int32" || dtype === "uint32";
}

/** Bytes of `elements` elements laid out without gaps on the device (a binding pads to 4 itself). */
export function byteSize(dtype: DType, elements: number): number {
  return dtypes[dtype].bytes * elements;
}

/** What promotion looks at: an element type, and whether it came from a JavaScript number. */
export interface Typed {
  /** The type the operand has when it is alone. */
  readonly dtype: DType;
  /** Set for a JavaScript number, which takes the type of the arrays it meets. */
  readonly weak?: WeakKind;
}

/** The join of two types of arrays in JAX's lattice with 64-bit types switched off. */
function join(a: DType, b: DType): DType {
  if (a === b || b === "bool") return a;
  if (a === "bool") return b;
  const floating = isFloating(a);
  if (floating !== isFloating(b)) return floating ? a : b;
  // float16 and bfloat16 hold neither each other's range nor precision: only float32 holds both.
  // int32 with uint32 would be int64, which JAX narrows to int32.
  return floating ? "float32" : "int32";
}

function promoteWeak(operands: readonly Typed[]): { dtype: DType; weak: WeakKind } {
  const first = operands[0].dtype;
  if (operands.some((operand) => operand.weak === "float")) {
    return { dtype: "float32", weak: "float" };
  }
  const same = isInteger(first) && operands.every((operand) => operand.dtype === first);
  return { dtype: same ? first : "float32", weak: "integer" };
}

/**
 * The type an operation computes in, as JAX promotes: half with float32 gives float32; float16 with
 * bfloat16 gives float32; int32 with uint32 gives int32; integers with floats give the float; bool
 * gives way to all. A weak operand takes the type of the strong ones: an integral number with
 * booleans gives int32, a fractional one with integers or booleans gives float32. The result is weak
 * only if every operand is.
 *
 * @throws RangeError if there is no operand.
 */
export function promoteTypes(operands: readonly Typed[]): { dtype: DType; weak?: WeakKind } {
  if (operands.length === 0) {
    throw new RangeError("Cannot promote types: at least one operand is required, got none");
  }
  let strong: DType | undefined;
  let weak: WeakKind | undefined;
  for (const operand of operands) {
    if (operand.weak === undefined) {
      strong = strong === undefined ? operand.dtype : join(strong, operand.dtype);
    } else if (weak !== "float") {
      weak = operand.weak;
    }
  }
  if (strong === undefined) return promoteWeak(operands);
  if (weak === undefined || isFloating(strong)) return { dtype: strong };
  if (weak === "float") return { dtype: "float32" };
  return { dtype: strong === "bool" ? "int32" : strong };
}
