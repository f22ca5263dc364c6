// exp and its kin: Cody and Waite's reduction x = n ln 2 + r, a polynomial on |r| <= ln(2) / 2, and the
// power of two put back by integer arithmetic on the exponent.

import { type ElementaryFamily, horner } from "./function.ts";

// 355 / 512: its products with |n| < 2^15 are exact. The rest is ln 2 - 355 / 512.
const ln2High = "0.693359375";
const ln2Low = "-2.1219444e-4";
const log2E = "1.442695";

// (e^r - 1 - r) / r^2 on |r| <= 0.3475; Remez fit of degree 4 relative to e^r - 1, error 2^-26.
const expCoefficients = [0.49999997, 0.16666545, 0.041667446, 0.008366447, 0.0013869844];
// (2^f - 1) / f on |f| <= 0.5; Remez fit of degree 5 relative to 2^f, error 2^-28.
const exp2Coefficients = [
  0.6931472,
  0.24022648,
  0.0555036,
  0.009618506,
  0.0013390812,
  0.00015326496,
];

/** exp, exp2, expm1 and the pieces that activations, hyperbolic and error functions share. */
export const exponentialFunctions: ElementaryFamily = {
  // e^(high + low) 2^-n - 1 where n is the integer nearest to (high + low) / ln 2, |low| small beside 1/8.
  expRest: {
    name: "accurate_exp_rest",
    code: `fn accurate_exp_rest(high: vec4f, low: vec4f, n: vec4f) -> vec4f {
  let r = accurate_seal(high - n * ${ln2High}) - (n * ${ln2Low} - low);
  return r + r * r * ${horner("r", expCoefficients)};
}`,
    requires: ["seal"],
  },
  // y 2^n for 0.7 < |y| < 1.5 and -160 <= n <= 130, rounded once: n / 2 goes into the exponent field, and
  // the rest is a multiplication, which overflows or becomes subnormal as it should.
  scale: {
    name: "accurate_scale",
    code: `fn accurate_scale(y: vec4f, n: vec4f) -> vec4f {
  let whole = accurate_integer_bits(n) << vec4u(23u);
  let half = (whole >> vec4u(1u)) & vec4i(-0x00800000);
  let part = bitcast<vec4f>(bitcast<vec4i>(y) + half);
  return part * bitcast<vec4f>(whole - half + vec4i(0x3f800000));
}`,
    requires: ["integerBits"],
  },
  // 2^(n + offset) where -126 <= n + offset <= 127.
  power: {
    name: "accurate_power",
    code: `fn accurate_power(n: vec4f, offset: i32) -> vec4f {
  return bitcast<vec4f>((accurate_integer_bits(n) << vec4u(23u)) + vec4i((offset + 127) << 23u));
}`,
    requires: ["integerBits"],
  },
  // factor e^-(high + low) for 0 <= high + low < 140; rounded once where it is subnormal. The seal keeps the
  // driver from moving the constant inward, where a small factor would vanish.
  decay: {
    name: "accurate_decay",
    code: `fn accurate_decay(factor: vec4f, high: vec4f, low: vec4f) -> vec4f {
  let n = round(-${log2E} * (high + low));
  let rest = accurate_exp_rest(-high, -low, n);
  return accurate_seal((factor + factor * rest) * accurate_power(n, 100)) * 0x1p-100;
}`,
    requires: ["expRest", "power", "seal"],
  },
  exp: {
    name: "accurate_exp",
    code: `fn accurate_exp(x: vec4f) -> vec4f {
  let t = clamp(x, vec4f(-104.5), vec4f(89.0));
  let n = round(${log2E} * t);
  let y = accurate_scale(1.0 + accurate_exp_rest(t, vec4f(), n), n);
  return accurate_keep_nan(y, x);
}`,
    requires: ["expRest", "scale", "keepNan"],
  },
  // 2^f for |f| <= 1/2.
  exp2Fraction: {
    name: "accurate_exp2_fraction",
    code: `fn accurate_exp2_fraction(f: vec4f) -> vec4f {
  return 1.0 + f * ${horner("f", exp2Coefficients)};
}`,
  },
  exp2: {
    name: "accurate_exp2",
    code: `fn accurate_exp2(x: vec4f) -> vec4f {
  let t = clamp(x, vec4f(-151.0), vec4f(129.0));
  let n = round(t);
  let y = accurate_scale(accurate_exp2_fraction(t - n), n);
  return accurate_keep_nan(y, x);
}`,
    requires: ["exp2Fraction", "scale", "keepNan"],
  },
  // Halved throughout, since 2^128 is not a float32 though e^88.7 is.
  expm1: {
    name: "accurate_expm1",
    code: `fn accurate_expm1(x: vec4f) -> vec4f {
  let t = clamp(x, vec4f(-18.0), vec4f(89.0));
  let n = round(${log2E} * t);
  let half = accurate_power(n, -1);
  let y = 2.0 * (half * accurate_exp_rest(t, vec4f(), n) + (half - 0.5));
  return accurate_pass(y, x, 0x33000000u, 0x7f800000u);
}`,
    requires: ["expRest", "power", "pass"],
  },
};
