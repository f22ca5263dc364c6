// Logarithms: x = 2^k m with sqrt(1/2) <= m < sqrt(2), then log m through s = (m - 1) / (m + 1).

import { type ElementaryFamily, horner } from "./function.ts";

// 355 / 512: its products with |k| < 2^15 are exact. The rest is ln 2 - 355 / 512.
const ln2High = "0.693359375";
const ln2Low = "-2.1219444e-4";

// (log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2, s <= 0.1716; Remez fit of degree 2, error 2^-30.
const logCoefficients = [0.66666776, 0.39977583, 0.2987083];

/** log, log2, log10, log1p and the reduction that power and the inverse hyperbolic functions share. */
export const logarithmFunctions: ElementaryFamily = {
  // |x| = 2^k (1 + f): any finite x but 0.
  logReduce: {
    name: "accurate_log_reduce",
    code: `struct AccurateLogParts { k: vec4f, f: vec4f, exponent: vec4i }
fn accurate_log_reduce(x: vec4f) -> AccurateLogParts {
  let bits = accurate_normal_bits(x);
  let k = (bits - vec4i(0x3f3504f3)) >> vec4u(23u);
  let m = bitcast<vec4f>(bits - (k << vec4u(23u)));
  return AccurateLogParts(vec4f(k), m - 1.0, k);
}`,
    requires: ["normalBits"],
  },
  // log(1 + f) for sqrt(1/2) <= 1 + f <= sqrt(2), in the form of fdlibm's e_log.c: f stands outside, so
  // that only terms of f^2 and up carry the error of the division.
  logFraction: {
    name: "accurate_log_fraction",
    code: `fn accurate_log_fraction(f: vec4f) -> vec4f {
  let s = f / (2.0 + f);
  let z = s * s;
  let half_square = 0.5 * f * f;
  return f - (half_square - s * (half_square + z * ${horner("z", logCoefficients)}));
}`,
  },
  // The ends of a logarithm's domain: -infinity at both zeros, NaN below, x itself for infinity and NaN.
  logEnds: {
    name: "accurate_log_ends",
    code: `fn accurate_log_ends(y: vec4f, x: vec4f) -> vec4f {
  let u = bitcast<vec4i>(x);
  let above = select(y, x, u >= vec4i(0x7f800000));
  let below = select(above, accurate_bits_constant(0x7fc00000u), u < vec4i(0));
  return select(below, accurate_bits_constant(0xff800000u), (u << vec4u(1u)) == vec4i(0));
}`,
    requires: ["bitsConstant"],
  },
  log: {
    name: "accurate_log",
    code: `fn accurate_log(x: vec4f) -> vec4f {
  let p = accurate_log_reduce(x);
  let y = p.k * ${ln2High} + (accurate_log_fraction(p.f) + p.k * ${ln2Low});
  return accurate_log_ends(y, x);
}`,
    requires: ["logReduce", "logFraction", "logEnds"],
  },
  log2: {
    name: "accurate_log2",
    code: `fn accurate_log2(x: vec4f) -> vec4f {
  let p = accurate_log_reduce(x);
  return accurate_log_ends(p.k + 1.442695 * accurate_log_fraction(p.f), x);
}`,
    requires: ["logReduce", "logFraction", "logEnds"],
  },
  // log10(2) = 0.301025390625 (12 bits, products with k exact) + 4.6050390e-6.
  log10: {
    name: "accurate_log10",
    code: `fn accurate_log10(x: vec4f) -> vec4f {
  let p = accurate_log_reduce(x);
  let low = 0.4342945 * accurate_log_fraction(p.f) + p.k * 4.605039e-6;
  return accurate_log_ends(p.k * 0.301025390625 + low, x);
}`,
    requires: ["logReduce", "logFraction", "logEnds"],
  },
  // log(1 + y) for finite y > -1. The rounding error of 1 + y, which the seals keep exact (Dekker's fast
  // two-sum), joins the fraction at its scale, so that a tiny y is its own logarithm.
  log1pInside: {
    name: "accurate_log1p_inside",
    code: `fn accurate_log1p_inside(y: vec4f) -> vec4f {
  let swap = y > vec4f(1.0);
  let large = select(vec4f(1.0), y, swap);
  let small = select(y, vec4f(1.0), swap);
  let sum = accurate_seal(large + small);
  let lost = small - accurate_seal(sum - large);
  let p = accurate_log_reduce(sum);
  let unscale = bitcast<vec4f>(max(vec4i(127) - p.exponent, vec4i(0)) << vec4u(23u));
  let fraction = accurate_log_fraction(p.f + lost * unscale);
  return p.k * ${ln2High} + (fraction + p.k * ${ln2Low});
}`,
    requires: ["seal", "logReduce", "logFraction"],
  },
  log1p: {
    name: "accurate_log1p",
    code: `fn accurate_log1p(x: vec4f) -> vec4f {
  let u = bitcast<vec4u>(x);
  let y = accurate_pass(accurate_log1p_inside(x), x, 0x33000000u, 0x7f7fffffu);
  let below = select(y, accurate_bits_constant(0x7fc00000u), u > vec4u(0xbf800000u));
  return select(below, accurate_bits_constant(0xff800000u), u == vec4u(0xbf800000u));
}`,
    requires: ["log1pInside", "pass", "bitsConstant"],
  },
};
