// Logic on truth values and on the bits of integers.

import type { Operation } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "./cast.ts";
import { binary, defineElementwise, numberBinary, unary } from "./define.ts";
import type { Operand } from "./operand.ts";
import { bind1 } from "../ir/trace.ts";

/** Defines an operation on bits; booleans are integers of one bit. */
function defineBitwise(
  name: string,
  symbol: "&" | "|" | "^",
  join: (x: number, y: number) => number,
): Operation {
  return defineElementwise({
    name,
    accepts: "bits",
    exact: true,
    reference: ([x, y]) => join(x!, y!),
    // WGSL has no ^ on booleans: there it is inequality.
    wgsl: ([x, y], { output }) =>
      `(${x} ${symbol === "^" && output === "bool" ? "!=" : symbol} ${y})`,
  });
}

/** x & y. */
export const bitwiseAndOperation: Operation = defineBitwise("bitwiseAnd", "&", (x, y) => x & y);
/** x | y. */
export const bitwiseOrOperation: Operation = defineBitwise("bitwiseOr", "|", (x, y) => x | y);
/** x ^ y. */
export const bitwiseXorOperation: Operation = defineBitwise("bitwiseXor", "^", (x, y) => x ^ y);

/** ~x; a boolean is negated. */
export const bitwiseNotOperation: Operation = defineElementwise({
  name: "bitwiseNot",
  accepts: "bits",
  exact: true,
  reference: ([x], { output }) => output === "bool" ? 1 - x! : ~x!,
  wgsl: ([x], { output }) => output === "bool" ? `(!${x})` : `(~${x})`,
});

/** Whether a shift of this many bits leaves any bit of the number. */
const inRange = (y: string) => `(vec4u(${y}) < vec4u(32u))`;

/** x << y; 0 where y is negative or at least 32. */
export const leftShiftOperation: Operation = defineElementwise({
  name: "leftShift",
  accepts: "integers",
  exact: true,
  reference: ([x, y]) => y! >= 0 && y! < 32 ? x! << y! : 0,
  wgsl: ([x, y], { output }) => {
    const zero = output === "int32" ? "vec4i(0)" : "vec4u(0u)";
    return `select(${zero}, ${x} << (vec4u(${y}) & vec4u(31u)), ${inRange(y!)})`;
  },
});

/** x >> y, copying the sign of signed integers; nothing but the sign is left where y is negative or at least 32. */
export const rightShiftOperation: Operation = defineElementwise({
  name: "rightShift",
  accepts: "integers",
  exact: true,
  reference: ([x, y], { output }) => {
    const inside = y! >= 0 && y! < 32;
    if (output === "uint32") return inside ? x! >>> y! : 0;
    return x! >> (inside ? y! : 31);
  },
  wgsl: ([x, y], { output }) =>
    output === "int32"
      ? `(${x} >> min(vec4u(${y}), vec4u(31u)))`
      : `select(vec4u(0u), ${x} >> (${y} & vec4u(31u)), ${inRange(y!)})`,
});

/** Bits set in both. */
export const bitwiseAnd: (x: Operand, y: Operand) => Value = binary(bitwiseAndOperation);
/** Bits set in either. */
export const bitwiseOr: (x: Operand, y: Operand) => Value = binary(bitwiseOrOperation);
/** Bits set in one of the two. */
export const bitwiseXor: (x: Operand, y: Operand) => Value = binary(bitwiseXorOperation);
/** All bits the other way. */
export const bitwiseNot: (x: Operand) => Value = unary(bitwiseNotOperation);
/** Shifted to higher bits. */
export const leftShift: (x: Operand, y: Operand) => Value = numberBinary(leftShiftOperation);
/** Shifted to lower bits. */
export const rightShift: (x: Operand, y: Operand) => Value = numberBinary(rightShiftOperation);

/** A function of truth values: anything but 0 is true. */
function ofTruth(operation: Operation): (...operands: Operand[]) => Value {
  return (...operands) => bind1(operation, {}, ...operands.map((x) => astype(x, "bool")));
}

/** Whether both are true. */
export const logicalAnd: (x: Operand, y: Operand) => Value = ofTruth(bitwiseAndOperation);
/** Whether either is true. */
export const logicalOr: (x: Operand, y: Operand) => Value = ofTruth(bitwiseOrOperation);
/** Whether one of the two is true. */
export const logicalXor: (x: Operand, y: Operand) => Value = ofTruth(bitwiseXorOperation);
/** Whether it is false. */
export const logicalNot: (x: Operand) => Value = ofTruth(bitwiseNotOperation);
