// Comparison, logic and selection on arrays. Comparisons follow IEEE 754, and tests of NaN and infinity look at
// bits, so that no compiler's assumption can change them.

import { type ArrayLike, type NDArray, operand } from "../array.ts";
import { checkOptions } from "../core/errors.ts";
import { isFloating } from "../core/dtype.ts";
import { sameShape } from "../core/shape.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import type { CloseOptions, NanToNumOptions } from "../methods/elementwise.ts";
import { abs, add, mul, sub } from "../ops/arithmetic.ts";
import { astype, toValue } from "../ops/cast.ts";
import * as ops from "../ops/comparison.ts";
import { constant } from "../ops/constant.ts";
import { promoteOperands } from "../ops/define.ts";
import type { Operand } from "../ops/operand.ts";
import * as logic from "../ops/logic.ts";
import { allOperation, reduce } from "../ops/reduction.ts";
import * as selection from "../ops/selection.ts";
import type { Binary, Unary } from "./arithmetic.ts";
import { lift1, lift2, lifted } from "./lift.ts";

export type { CloseOptions, NanToNumOptions };

/** Whether x == y; NaN equals nothing. The result is bool, as of all comparisons. */
export const equal: Binary = lift2("equal", ops.equal);
/** Whether x != y; NaN differs from everything. */
export const notEqual: Binary = lift2("notEqual", ops.notEqual);
/** Whether x < y. */
export const less: Binary = lift2("less", ops.less);
/** Whether x <= y. */
export const lessEqual: Binary = lift2("lessEqual", ops.lessEqual);
/** Whether x > y. */
export const greater: Binary = lift2("greater", ops.greater);
/** Whether x >= y. */
export const greaterEqual: Binary = lift2("greaterEqual", ops.greaterEqual);

/** Whether both are true; anything but 0 is, NaN too. */
export const logicalAnd: Binary = lift2("logicalAnd", logic.logicalAnd);
/** Whether either is true. */
export const logicalOr: Binary = lift2("logicalOr", logic.logicalOr);
/** Whether one of the two is true and the other is not. */
export const logicalXor: Binary = lift2("logicalXor", logic.logicalXor);
/** Whether it is false. */
export const logicalNot: Unary = lift1("logicalNot", logic.logicalNot);
/** The bits that both have. Floats are a TypeError, as with all functions of bits. */
export const bitwiseAnd: Binary = lift2("bitwiseAnd", logic.bitwiseAnd);
/** The bits that either has. */
export const bitwiseOr: Binary = lift2("bitwiseOr", logic.bitwiseOr);
/** The bits that one of the two has. */
export const bitwiseXor: Binary = lift2("bitwiseXor", logic.bitwiseXor);
/** Every bit the other way; booleans are negated. */
export const bitwiseNot: Unary = lift1("bitwiseNot", logic.bitwiseNot);
/** Every bit the other way, by its short name; see {@linkcode bitwiseNot}. */
export const invert: Unary = bitwiseNot;
/** x shifted to higher bits by y: 0 where y is negative or at least 32. */
export const leftShift: Binary = lift2("leftShift", logic.leftShift);
/** x shifted to lower bits by y, copying the sign of signed integers. */
export const rightShift: Binary = lift2("rightShift", logic.rightShift);

/** Which elements are NaN. */
export const isnan: Unary = lift1("isnan", selection.isnan);
/** Which elements are infinite. */
export const isinf: Unary = lift1("isinf", selection.isinf);
/** Which elements are neither infinite nor NaN. */
export const isfinite: Unary = lift1("isfinite", selection.isfinite);
/** Which elements have their sign bit set: negative numbers and -0. */
export const signbit: Unary = lift1("signbit", selection.signbit);

/**
 * `x` where the condition is true (not 0), `y` elsewhere. Both are computed; the one not chosen leaves no trace.
 *
 * @throws {RangeError} if the three shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([1, NaN, 3]);
 * console.log(await jnp.where(jnp.isnan(x), 0, x).toList()); // [1, 0, 3]
 * ```
 */
export function where(condition: ArrayLike, x: ArrayLike, y: ArrayLike): NDArray {
  return lifted("where", () => {
    const [c, a, b] = [condition, x, y].map((v) => operand(v, "where"));
    return selection.where(c!, a!, b!);
  });
}

/** Elements moved into `min`..`max`, either of which may be left out; NaN stays, and `max` wins over `min`. */
export function clip(x: ArrayLike, min?: ArrayLike, max?: ArrayLike): NDArray {
  const bound = (v: ArrayLike | undefined) => v === undefined ? v : operand(v, "clip");
  return lifted("clip", () => selection.clip(operand(x, "clip"), bound(min), bound(max)), x);
}

/** Numbers in place of NaN and the infinities; integers stay as they are. */
export function nanToNum(x: ArrayLike, options: NanToNumOptions = {}): NDArray {
  checkOptions("nanToNum", options, ["nan", "posinf", "neginf"]);
  return lifted("nanToNum", () => {
    const value = toValue(operand(x, "nanToNum"));
    if (!isFloating(value.aval.dtype)) return value;
    const { nan = 0, posinf, neginf } = options;
    return bind1(selection.nanToNumOperation, { nan, posinf, neginf }, value);
  }, x);
}

/** Whether |x - y| <= atol + rtol |y|; infinities are close to themselves only. */
export function isclose(x: ArrayLike, y: ArrayLike, options: CloseOptions = {}): NDArray {
  checkOptions("isclose", options, ["rtol", "atol", "equalNan"]);
  return lifted("isclose", () => close(operand(x, "isclose"), operand(y, "isclose"), options));
}

/** Whether all elements are close; see {@linkcode isclose}. A bool without axes. */
export function allclose(x: ArrayLike, y: ArrayLike, options: CloseOptions = {}): NDArray {
  checkOptions("allclose", options, ["rtol", "atol", "equalNan"]);
  return lifted(
    "allclose",
    () => all(close(operand(x, "allclose"), operand(y, "allclose"), options)),
  );
}

/** Whether two arrays have the same shape and equal elements. A bool without axes. */
export function arrayEqual(x: ArrayLike, y: ArrayLike): NDArray {
  return lifted("arrayEqual", () => {
    const [a, b] = [x, y].map((v) => toValue(operand(v, "arrayEqual"))) as [Value, Value];
    if (!sameShape(a.aval.shape, b.aval.shape)) return constant(0, "bool");
    return all(ops.equal(a, b));
  });
}

function all(x: Value): Value {
  return reduce(allOperation, x, x.aval.shape.map((_, axis) => axis));
}

/** In float32 whatever the operands are, since float16 has no 1e-8. */
function close(x: Operand, y: Operand, options: CloseOptions): Value {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  const [a, b] = promoteOperands([x, y]).map((v) => astype(v, "float32")) as [Value, Value];
  const near = ops.lessEqual(abs(sub(a, b)), add(mul(abs(b), rtol), atol));
  const finite = logic.logicalAnd(selection.isfinite(a), selection.isfinite(b));
  const same = logic.logicalOr(logic.logicalAnd(near, finite), ops.equal(a, b));
  if (!equalNan) return same;
  return logic.logicalOr(same, logic.logicalAnd(selection.isnan(a), selection.isnan(b)));
}
