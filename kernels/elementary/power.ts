// Roots and powers.

import { type ElementaryFamily, horner } from "./function.ts";

// cbrt m, 1 <= m <= 8; Remez fit of degree 4, error 2^-9, a start for Halley's step.
const cbrtCoefficients = [0.6272956, 0.44919252, -0.083774574, 0.009583737, -0.00043209628];
// (log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2, s <= 0.1716; Remez fit of degree 3, error 2^-35.
const logCoefficients = [0.6666666, 0.40000972, 0.28498796, 0.24278912];

/** sqrt, rsqrt, cbrt, pow. */
export const powerFunctions: ElementaryFamily = {
  // WGSL bounds sqrt by 5 ulp and leaves the result for a negative argument open.
  sqrt: {
    name: "accurate_sqrt",
    code: `fn accurate_sqrt(x: vec4f) -> vec4f {
  let u = bitcast<vec4i>(x);
  let negative = (u < vec4i(0)) & ((u << vec4u(1u)) != vec4i(0));
  return select(sqrt(x), accurate_bits_constant(0x7fc00000u), negative);
}`,
    requires: ["bitsConstant"],
  },
  // inverseSqrt of 2^-2k x, k out of the exponent, so that no driver meets a subnormal in it.
  rsqrt: {
    name: "accurate_rsqrt",
    code: `fn accurate_rsqrt(x: vec4f) -> vec4f {
  let bits = accurate_normal_bits(x);
  let k = (bits - vec4i(0x3f000000)) >> vec4u(24u);
  let y = inverseSqrt(bitcast<vec4f>(bits - (k << vec4u(24u))));
  let scaled = bitcast<vec4f>(bitcast<vec4i>(y) - (k << vec4u(23u)));
  let u = bitcast<vec4i>(x);
  let above = select(scaled, vec4f(), u == vec4i(0x7f800000));
  let invalid = (u < vec4i(0)) | (u > vec4i(0x7f800000));
  let ended = select(above, accurate_bits_constant(0x7fc00000u), invalid);
  let zeros = accurate_with_sign(accurate_bits_constant(0x7f800000u), x);
  return select(ended, zeros, (u << vec4u(1u)) == vec4i(0));
}`,
    requires: ["normalBits", "withSign", "bitsConstant"],
  },
  // |x| = 2^3q m with 1 <= m < 8, then one step of Halley's iteration, which cubes the error. The factor
  // 1/3 cannot misplace a quotient of the exponent: it is at least 1/6 away from an integer.
  cbrt: {
    name: "accurate_cbrt",
    code: `fn accurate_cbrt(x: vec4f) -> vec4f {
  let bits = accurate_normal_bits(x);
  let exponent = vec4f((bits >> vec4u(23u)) - vec4i(127));
  let q = accurate_integer_bits(floor((exponent + 0.5) * 0.33333334)) << vec4u(23u);
  let m = bitcast<vec4f>(bits - (q + q + q));
  let t = ${horner("m", cbrtCoefficients)};
  let cube = t * t * t;
  let y = t + t * ((m - cube) / (2.0 * cube + m));
  let scaled = bitcast<vec4f>(bitcast<vec4i>(y) + q);
  return accurate_pass(accurate_with_sign(scaled, x), x, 1u, 0x7f7fffffu);
}`,
    requires: ["normalBits", "integerBits", "withSign", "pass"],
  },
  // log2 |x| = high + low to about 2^-33 relative, for finite x but 0. s = (m - 1) / (m + 1) is taken as
  // 12 bits and a remainder, and so is 2 / ln 2 = 2.884765625 + 6.244568e-4, so that the leading product is
  // exact; the terms from s^3 on are below 1/100 of the sum and need no more than float32.
  log2Parts: {
    name: "accurate_log2_parts",
    code: `struct AccurateSum { high: vec4f, low: vec4f }
fn accurate_upper(t: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(t) & vec4u(0xfffff000u));
}
fn accurate_log2_parts(x: vec4f) -> AccurateSum {
  let p = accurate_log_reduce(x);
  let d = 2.0 + p.f;
  let d1 = accurate_upper(d);
  let d2 = accurate_seal(2.0 - d1) + p.f;
  let s1 = accurate_upper(p.f / d);
  let s2 = (accurate_seal(p.f - s1 * d1) - s1 * d2) / d;
  let s = s1 + s2;
  let z = s * s;
  let series = s * z * ${horner("z", logCoefficients)};
  let rest = s1 * 6.244568e-4 + (2.88539 * s2 + 1.442695 * series);
  let lead = s1 * 2.884765625;
  let high = accurate_seal(p.k + lead);
  return AccurateSum(high, (lead - accurate_seal(high - p.k)) + rest);
}`,
    requires: ["seal", "logReduce"],
  },
  // |x|^y = 2^(y log2 |x|) for finite x but 0. Beyond |y| = 2^33 the power is 0, 1 or infinity already.
  powMagnitude: {
    name: "accurate_pow_magnitude",
    code: `fn accurate_pow_magnitude(x: vec4f, y: vec4f) -> vec4f {
  let log2x = accurate_log2_parts(x);
  let e = clamp(y, vec4f(-0x1p33), vec4f(0x1p33));
  let e1 = accurate_upper(e);
  let h1 = accurate_upper(log2x.high);
  let lead = e1 * h1;
  let rest = e1 * (log2x.high - h1) + ((e - e1) * log2x.high + e * log2x.low);
  let high = clamp(lead, vec4f(-300.0), vec4f(300.0));
  let low = select(rest, vec4f(), abs(lead) > vec4f(300.0));
  let n = clamp(round(high + low), vec4f(-160.0), vec4f(130.0));
  let f = clamp(accurate_seal(high - n) + low, vec4f(-1.0), vec4f(1.0));
  return accurate_scale(accurate_exp2_fraction(f), n);
}`,
    requires: ["log2Parts", "exp2Fraction", "scale", "seal"],
  },
  // IEEE 754's pow: 1 for y = 0 or x = 1 whatever the other is, the sign of a negative base where y is odd,
  // NaN where a finite negative base has a fractional y. Floats from 2^24 on are even, so halving shows it.
  pow: {
    name: "accurate_pow",
    code: `fn accurate_pow(x: vec4f, y: vec4f) -> vec4f {
  let u = accurate_magnitude_bits(x);
  let v = accurate_magnitude_bits(y);
  let e = clamp(y, vec4f(-0x1p33), vec4f(0x1p33));
  let integral = floor(e) == e;
  let odd = integral & (floor(0.5 * e) != 0.5 * e);
  let infinity = accurate_bits_constant(0x7f800000u);
  let nan = accurate_bits_constant(0x7fc00000u);
  let rising = (bitcast<vec4i>(y) < vec4i(0)) == (u == vec4u(0u));
  let endless = (u == vec4u(0u)) | (u == vec4u(0x7f800000u));
  let magnitude = select(accurate_pow_magnitude(x, y), select(vec4f(), infinity, rising), endless);
  let negative = bitcast<vec4i>(x) < vec4i(0);
  let signed = select(magnitude, -magnitude, negative & odd);
  let invalid = (u > vec4u(0x7f800000u)) | (v > vec4u(0x7f800000u)) |
    (negative & !integral & !endless);
  let one = (v == vec4u(0u)) | (bitcast<vec4u>(x) == vec4u(0x3f800000u));
  return select(select(signed, nan, invalid), vec4f(1.0), one);
}`,
    requires: ["powMagnitude", "magnitudeBits", "bitsConstant"],
  },
};
