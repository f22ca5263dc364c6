// Hyperbolic functions from e^x and e^x - 1, their inverses from log(1 + y).

import { type ElementaryFamily, horner } from "./function.ts";

const log2E = "1.442695";

// (sinh r / r - 1) / r^2 in r^2, |r| <= 1; Remez fit of degree 2, error 2^-25.3.
const sinhCoefficients = [0.16666716, 0.008330271, 0.0002037334];

/** tanh, sinh, cosh, asinh, acosh, atanh. */
export const hyperbolicFunctions: ElementaryFamily = {
  // -tanh |x| = d / (2 + d) with d = e^-2|x| - 1, which has no cancellation anywhere.
  tanh: {
    name: "accurate_tanh",
    code: `fn accurate_tanh(x: vec4f) -> vec4f {
  let t = max(-2.0 * abs(x), vec4f(-20.0));
  let n = round(${log2E} * t);
  let power = accurate_power(n, 0);
  let d = power * accurate_exp_rest(t, vec4f(), n) + (power - 1.0);
  return accurate_keep_nan(accurate_with_sign(d / (2.0 + d), x), x);
}`,
    requires: ["expRest", "power", "withSign", "keepNan"],
  },
  // e^|x| / 2 for |x| up to 90: it stays finite where cosh does.
  halfExp: {
    name: "accurate_half_exp",
    code: `fn accurate_half_exp(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(90.0));
  let n = round(${log2E} * t);
  return accurate_scale(1.0 + accurate_exp_rest(t, vec4f(), n), n - 1.0);
}`,
    requires: ["expRest", "scale"],
  },
  sinh: {
    name: "accurate_sinh",
    code: `fn accurate_sinh(x: vec4f) -> vec4f {
  let e = accurate_half_exp(x);
  let far = accurate_with_sign(e - 0.25 / e, x);
  let z = x * x;
  let near = x + x * z * ${horner("z", sinhCoefficients)};
  return accurate_pass(select(far, near, abs(x) < vec4f(1.0)), x, 0x39000000u, 0x7f800000u);
}`,
    requires: ["halfExp", "withSign", "pass"],
  },
  cosh: {
    name: "accurate_cosh",
    code: `fn accurate_cosh(x: vec4f) -> vec4f {
  let e = accurate_half_exp(x);
  return accurate_keep_nan(e + 0.25 / e, x);
}`,
    requires: ["halfExp", "keepNan"],
  },
  // log(t + sqrt(t^2 + 1)) with t taken out of the sum; log(2 t) where t^2 could overflow.
  asinh: {
    name: "accurate_asinh",
    code: `fn accurate_asinh(x: vec4f) -> vec4f {
  let t = abs(x);
  let huge = t > vec4f(0x1p30);
  let square = min(t, vec4f(0x1p30)) * min(t, vec4f(0x1p30));
  let inside = select(t + square / (1.0 + accurate_root(square + 1.0)), t, huge);
  let y = accurate_log1p_inside(inside) + select(vec4f(), vec4f(0.6931472), huge);
  return accurate_pass(accurate_with_sign(y, x), x, 0u, 0x7f7fffffu);
}`,
    requires: ["root", "log1pInside", "withSign", "pass"],
  },
  acosh: {
    name: "accurate_acosh",
    code: `fn accurate_acosh(x: vec4f) -> vec4f {
  let t = x - 1.0;
  let huge = t > vec4f(0x1p30);
  let square = clamp(t, vec4f(), vec4f(0x1p30)) * (clamp(t, vec4f(), vec4f(0x1p30)) + 2.0);
  let inside = select(t + accurate_root(square), t, huge);
  let y = accurate_log1p_inside(inside) + select(vec4f(), vec4f(0.6931472), huge);
  let below = bitcast<vec4i>(x) < vec4i(0x3f800000);
  return select(accurate_pass(y, x, 0u, 0x7f7fffffu), accurate_bits_constant(0x7fc00000u), below);
}`,
    requires: ["root", "log1pInside", "pass", "bitsConstant"],
  },
  // log((1 + t) / (1 - t)) / 2 with 2 t taken out of the quotient.
  atanh: {
    name: "accurate_atanh",
    code: `fn accurate_atanh(x: vec4f) -> vec4f {
  let t = abs(x);
  let y = 0.5 * accurate_log1p_inside(2.0 * t + 2.0 * t * t / (1.0 - t));
  let end = accurate_magnitude_bits(x) == vec4u(0x3f800000u);
  let ended = select(y, accurate_bits_constant(0x7f800000u), end);
  return accurate_invalid_above(accurate_with_sign(ended, x), x, 0x3f800000u);
}`,
    requires: ["log1pInside", "magnitudeBits", "withSign", "bitsConstant", "invalidAbove"],
  },
};
