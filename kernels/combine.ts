// The operations that scans and scatters accumulate with: how an element enters the accumulator, how two
// accumulators become one, and how the result leaves it.

import { computeType, type ElementType, type StorageFormat } from "./storage.ts";

/** An associative operation (up to rounding) on two elements. */
export type CombineOperation = "add" | "mul" | "min" | "max";

/** WGSL for one operation on elements of one type. */
export interface Combiner {
  /** The scalar type of an accumulator; that of four elements is `vec4<scalar>`. */
  readonly scalar: "f32" | "i32" | "u32";
  /** An expression that changes nothing when combined, of the scalar type. */
  readonly identity: string;
  /**
   * Functions for one element (suffix 1) and for four (suffix 4): `enter` turns a loaded value into an
   * accumulator, `combine` joins an earlier and a later one, `leave` turns one back into a value.
   */
  readonly functions: string;
}

/** The element type that a format stores. */
export function formatType(format: StorageFormat): ElementType {
  return format === "float16_native" || format === "float16_packed" ? "float16" : format;
}

/** The text of `enter`, `combine` and `leave`, written with placeholders for the types of one width. */
interface CombinerText {
  readonly scalar: "f32" | "i32" | "u32";
  readonly identity: string;
  /**
   * Expressions of `x`, of `a` and `b`, and of `a`: `$w` is the width; `$i`, `$u`, `$f` and `$b` are
   * `i32`, `u32`, `f32` and `bool` of that width.
   */
  readonly enter: string;
  readonly combine: string;
  readonly leave: string;
}

function integerText(operation: CombineOperation, signed: boolean): CombinerText {
  const smallest = signed ? "i32(-2147483648)" : "0u";
  const largest = signed ? "2147483647i" : "0xffffffffu";
  const identity = {
    add: signed ? "0i" : "0u",
    mul: signed ? "1i" : "1u",
    min: largest,
    max: smallest,
  };
  const combine = { add: "a + b", mul: "a * b", min: "min(a, b)", max: "max(a, b)" };
  return {
    scalar: signed ? "i32" : "u32",
    identity: identity[operation],
    enter: "x",
    combine: combine[operation],
    leave: "a",
  };
}

/** Booleans: add and max are "or", mul and min are "and". */
function boolText(operation: CombineOperation): CombinerText {
  const or = operation === "add" || operation === "max";
  return {
    scalar: "u32",
    identity: or ? "0u" : "1u",
    enter: "select($u(0u), $u(1u), x)",
    combine: or ? "a | b" : "a & b",
    leave: "(a != $u(0u))",
  };
}

/**
 * The identity of addition is -0: -0 + x is x for every x, while 0 + -0 would be 0. It is written as
 * bits because a compiler may fold `-0.0` to `0.0`.
 */
function floatText(operation: "add" | "mul"): CombinerText {
  return {
    scalar: "f32",
    identity: operation === "add" ? "bitcast<f32>(0x80000000u | params.zero)" : "1.0f",
    enter: "x",
    combine: operation === "add" ? "a + b" : "a * b",
    leave: "a",
  };
}

/**
 * Floats are compared as integers: flipping the low 31 bits of the negative ones makes the order of the
 * bits that of the numbers, -0 below +0. A NaN becomes the largest key for max and the smallest for min,
 * so that it wins there, as in JAX; WGSL's own `min` and `max` may drop it.
 */
function floatExtremumText(operation: "min" | "max"): CombinerText {
  const nan = operation === "max" ? "0x7fc00000i" : "i32(-2143289345)";
  return {
    scalar: "i32",
    identity: operation === "max" ? "i32(-2147483648)" : "2147483647i",
    enter: `select(order_bits$w(bitcast<$i>(x)), $i(${nan}), is_nan$w(bitcast<$i>(x)))`,
    combine: `${operation}(a, b)`,
    leave: "bitcast<$f>(order_bits$w(a))",
  };
}

const orderFunctions = `
fn order_bits$w(b: $i) -> $i { return b ^ ((b >> $u(31u)) & $i(0x7fffffffi)); }
fn is_nan$w(b: $i) -> $b { return (b & $i(0x7fffffffi)) > $i(0x7f800000i); }
`;

function combinerText(operation: CombineOperation, type: ElementType): CombinerText {
  if (type === "bool") return boolText(operation);
  if (type === "int32" || type === "uint32") return integerText(operation, type === "int32");
  return operation === "add" || operation === "mul"
    ? floatText(operation)
    : floatExtremumText(operation);
}

function functionsOfWidth(text: CombinerText, type: ElementType, width: 1 | 4): string {
  const wide = (scalar: string) => width === 1 ? scalar : `vec4<${scalar}>`;
  const scalarValue = { vec4f: "f32", vec4i: "i32", vec4u: "u32", "vec4<bool>": "bool" };
  const value = wide(scalarValue[computeType(type)]);
  const accumulator = wide(text.scalar);
  const all = `${text.enter.includes("order_bits") ? orderFunctions : ""}
fn enter$w(x: ${value}) -> ${accumulator} { return ${text.enter}; }
fn combine$w(a: ${accumulator}, b: ${accumulator}) -> ${accumulator} { return ${text.combine}; }
fn leave$w(a: ${accumulator}) -> ${value} { return ${text.leave}; }
`;
  return all
    .replaceAll("$w", `${width}`)
    .replaceAll("$i", wide("i32"))
    .replaceAll("$u", wide("u32"))
    .replaceAll("$f", wide("f32"))
    .replaceAll("$b", wide("bool"));
}

/**
 * The combiner of an operation for arrays of a format: floats accumulate in float32 (minimum and maximum
 * on their bits, exactly), integers wrap around.
 */
export function combiner(operation: CombineOperation, format: StorageFormat): Combiner {
  const type = formatType(format);
  const text = combinerText(operation, type);
  return {
    scalar: text.scalar,
    identity: text.identity,
    functions: functionsOfWidth(text, type, 1) + functionsOfWidth(text, type, 4),
  };
}
