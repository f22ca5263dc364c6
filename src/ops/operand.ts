// Operands: what operations take in place of an array. A JS number is weak: it follows the array beside it.

import type { DType, WeakKind } from "../core/dtype.ts";
import type { Value } from "../ir/value.ts";

/** An array, or a JS number or boolean that stands for a scalar. */
export type Operand = Value | number | boolean;

/** Whether an operand is a JS number or boolean. */
export function isLiteral(x: Operand): x is number | boolean {
  return typeof x === "number" || typeof x === "boolean";
}

/** Largest magnitude up to which float32 holds every integer. */
const exactInteger = 2 ** 24;

/**
 * The type of a literal: numbers are weak float32. An integral one beyond 2**24, which float32 may not
 * hold, is a weak int32 or uint32 where it fits, so that seeds and bit masks stay exact.
 */
export function literalType(x: number | boolean): { dtype: DType; weak?: WeakKind } {
  if (typeof x === "boolean") return { dtype: "bool" };
  if (!Number.isInteger(x)) return { dtype: "float32", weak: "float" };
  if (Math.abs(x) <= exactInteger) return { dtype: "float32", weak: "integer" };
  if (x >= -(2 ** 31) && x < 2 ** 31) return { dtype: "int32", weak: "integer" };
  if (x >= 0 && x < 2 ** 32) return { dtype: "uint32", weak: "integer" };
  return { dtype: "float32", weak: "float" };
}
