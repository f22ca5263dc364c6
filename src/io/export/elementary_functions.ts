// Elementary functions in the few that every language has: exp, log and their forms near 0, roots, powers and
// the angle of a point.

import {
  centralCoefficients,
  erfCoefficients,
  erfcxCoefficients,
  tailCoefficients,
} from "../../../kernels/elementary/error_function.ts";
import { isFloating } from "../../core/dtype.ts";
import type { Value } from "../../ir/value.ts";
import { abs, add, copysign, div, mul, neg, sign, square, sub } from "../../ops/arithmetic.ts";
import { equal, greater, less, maximum, minimum, notEqual } from "../../ops/comparison.ts";
import { exp, expm1, log, log1p, power, sqrt } from "../../ops/elementary.ts";
import { logicalAnd } from "../../ops/logic.ts";
import { rem } from "../../ops/division.ts";
import { ceil, floor, round } from "../../ops/rounding.ts";
import { isinf, signbit, where } from "../../ops/selection.ts";
import { atan, atan2, tanh } from "../../ops/trigonometric.ts";
import type { Decompositions } from "./decomposition.ts";

/** The polynomial with these coefficients, lowest power first. */
function polynomial(x: Value, coefficients: readonly number[]): Value {
  const [lowest, ...rest] = coefficients as [number, ...number[]];
  return rest.length === 1
    ? add(mul(rest[0]!, x), lowest)
    : add(mul(polynomial(x, rest), x), lowest);
}

/** The cosine of the angle whose sine is x, and the sine of the angle whose cosine is x. */
const otherLeg = (x: Value) => sqrt(mul(sub(1, x), add(1, x)));

/** e^|x| / 2 and e^-|x| / 2, as squares of halves: they stay finite where cosh does. */
function halfExponentials(x: Value): [rising: Value, falling: Value] {
  const half = exp(mul(0.5, abs(x)));
  const rising = mul(mul(0.5, half), half);
  return [rising, div(0.25, rising)];
}

/** From e^x - 1 near 0, where the halves would cancel. */
function sinh(x: Value): Value {
  const [rising, falling] = halfExponentials(x);
  const e = expm1(minimum(abs(x), 1));
  const near = mul(0.5, add(e, div(e, add(e, 1))));
  return copysign(where(less(abs(x), 1), near, sub(rising, falling)), x);
}

/** From here on the square of a number is the square of its neighbour too, and may overflow. */
const huge = 2 ** 30;

/** log(1 + t), or log(2 t) where t is huge. */
const logOfSum = (t: Value, inside: Value) =>
  where(greater(t, huge), add(log(t), Math.LN2), log1p(inside));

/** log(t + sqrt(t^2 + 1)) with t taken out of the sum. */
function asinh(x: Value): Value {
  const t = abs(x);
  const squared = square(minimum(t, huge));
  return copysign(logOfSum(t, add(t, div(squared, add(1, sqrt(add(squared, 1)))))), x);
}

/** log(x + sqrt(x^2 - 1)) with 1 taken out of x. */
function acosh(x: Value): Value {
  const t = sub(x, 1);
  const near = minimum(t, huge);
  return where(less(t, 0), NaN, logOfSum(t, add(t, sqrt(mul(near, add(near, 2))))));
}

/** log((1 + t) / (1 - t)) / 2 with 2 t taken out of the quotient. */
function atanh(x: Value): Value {
  const t = abs(x);
  const inside = add(mul(2, t), div(mul(2, square(t)), sub(1, t)));
  return copysign(mul(0.5, log1p(inside)), x);
}

/** e^(t^2) erfc t for 0 <= t <= 10.5. */
const erfcx = (t: Value) =>
  div(polynomial(div(sub(t, 2), add(t, 2)), erfcxCoefficients), add(1, mul(2, t)));

function erf(x: Value): Value {
  const t = minimum(abs(x), 4);
  const near = add(t, mul(t, polynomial(square(t), erfCoefficients)));
  const far = sub(1, mul(erfcx(t), exp(neg(square(t)))));
  return copysign(where(greater(t, 1), far, near), x);
}

/** The square of t is taken in two parts, the first of them exact: an error in it is a relative one of the result. */
function erfc(x: Value): Value {
  const t = minimum(abs(x), 10.3);
  const h = mul(floor(mul(t, 256)), 1 / 256);
  const decay = mul(exp(neg(square(h))), exp(neg(mul(sub(t, h), add(t, h)))));
  const tail = mul(erfcx(t), decay);
  return where(less(x, 0), sub(2, tail), tail);
}

function erfInv(x: Value): Value {
  const t = abs(x);
  const w = neg(log(mul(sub(1, t), add(1, t))));
  const central = polynomial(sub(w, 2.5), centralCoefficients);
  const tail = polynomial(sub(sqrt(maximum(w, 1)), 3), tailCoefficients);
  const inside = mul(x, where(greater(w, 5), tail, central));
  return where(equal(t, 1), mul(x, Infinity), inside);
}

/** large sqrt(1 + (small / large)^2), so that no square overflows; infinity beats NaN, as in C. */
function hypot(x: Value, y: Value): Value {
  const [u, v] = [abs(x), abs(y)];
  const [large, small] = [maximum(u, v), minimum(u, v)];
  const ratio = div(small, where(equal(large, 0), 1, large));
  const finite = mul(large, sqrt(add(1, square(ratio))));
  return where(isinf(x), u, where(isinf(y), v, finite));
}

function logaddexp(x: Value, y: Value): Value {
  const large = maximum(x, y);
  const sum = add(large, log1p(exp(neg(abs(sub(x, y))))));
  return where(isinf(large), large, sum);
}

/** e^x - 1 = tanh(x / 2) (e^x + 1), in which nothing cancels. */
const expm1Of = (x: Value) => mul(tanh(mul(0.5, x)), add(exp(x), 1));

/** log(1 + x), less what was lost in the sum (Goldberg, 1991, theorem 4). */
function log1pOf(x: Value): Value {
  const sum = add(1, x);
  const inside = mul(log(sum), div(x, sub(sum, 1)));
  return where(equal(sum, 1), x, where(equal(sum, Infinity), sum, inside));
}

/** The angle in the first half of the first quadrant, brought to where the point is. */
function atan2Of(y: Value, x: Value): Value {
  const [u, v] = [abs(y), abs(x)];
  const [large, small] = [maximum(u, v), minimum(u, v)];
  const ratio = where(equal(u, v), where(equal(large, 0), 0, 1), div(small, large));
  const angle = atan(ratio);
  const turned = where(greater(u, v), sub(Math.PI / 2, angle), angle);
  return copysign(where(signbit(x), sub(Math.PI, turned), turned), y);
}

/** The remainder, with the divisor's sign. */
function mod(x: Value, y: Value): Value {
  const r = rem(x, y);
  const opposite = logicalAnd(notEqual(r, 0), notEqual(less(r, 0), less(y, 0)));
  const followed = where(opposite, add(r, y), r);
  return isFloating(x.aval.dtype) ? followed : where(equal(y, 0), 0, followed);
}

/** The number less its remainder is a multiple of the divisor: rounding only undoes the division's error. */
function floorDivide(x: Value, y: Value): Value {
  const r = rem(x, y);
  const whole = round(div(sub(x, r), y));
  const opposite = logicalAnd(notEqual(r, 0), notEqual(less(r, 0), less(y, 0)));
  return where(equal(y, 0), div(x, y), where(opposite, sub(whole, 1), whole));
}

/** Functions by the operation's name. */
export const elementaryFunctions: Decompositions = {
  square: ([x]) => mul(x!, x!),
  reciprocal: ([x]) => div(1, x!),
  sign: ([x]) =>
    x!.aval.dtype === "uint32"
      ? minimum(x!, 1)
      : where(greater(x!, 0), 1, where(less(x!, 0), -1, x!)),
  copysign: ([x, y]) => where(signbit(y!), neg(abs(x!)), abs(x!)),
  signbit: ([x]) => less(where(equal(x!, 0), div(1, x!), x!), 0),
  isnan: ([x]) => notEqual(x!, x!),
  isinf: ([x]) => equal(abs(x!), Infinity),
  isfinite: ([x]) => less(abs(x!), Infinity),
  trunc: ([x]) => where(less(x!, 0), ceil(x!), floor(x!)),
  exp2: ([x]) => power(2, x!),
  log2: ([x]) => mul(log(x!), Math.LOG2E),
  log10: ([x]) => mul(log(x!), Math.LOG10E),
  logaddexp: ([x, y]) => logaddexp(x!, y!),
  hypot: ([x, y]) => hypot(x!, y!),
  rsqrt: ([x]) => div(1, sqrt(x!)),
  cbrt: ([x]) => where(equal(x!, 0), x!, mul(sign(x!), power(abs(x!), 1 / 3))),
  expm1: ([x]) => expm1Of(x!),
  log1p: ([x]) => log1pOf(x!),
  atan2: ([y, x]) => atan2Of(y!, x!),
  asin: ([x]) => atan2(x!, otherLeg(x!)),
  acos: ([x]) => atan2(otherLeg(x!), x!),
  atan: ([x]) => atan2(x!, 1),
  sinh: ([x]) => sinh(x!),
  cosh: ([x]) => add(...halfExponentials(x!)),
  asinh: ([x]) => asinh(x!),
  acosh: ([x]) => acosh(x!),
  atanh: ([x]) => atanh(x!),
  erf: ([x]) => erf(x!),
  erfc: ([x]) => erfc(x!),
  erfInv: ([x]) => erfInv(x!),
  mod: ([x, y]) => mod(x!, y!),
  floorDivide: ([x, y]) => floorDivide(x!, y!),
};
