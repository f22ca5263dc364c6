// erf, erfc and the inverse of erf.

import { type ElementaryFamily, horner } from "./function.ts";

/** erf r / r - 1 in r^2, |r| <= 1; Remez fit of degree 5, error 2^-24.6 relative to erf. */
export const erfCoefficients: readonly number[] = [
  0.12837912,
  -0.37612322,
  0.112801544,
  -0.026710732,
  0.004916999,
  -0.00056295336,
];
/**
 * (1 + 2 t) e^(t^2) erfc t in v = (t - 2) / (t + 2), 0 <= t <= 10.5 (the variable and the factor are those
 * of Shepherd and Laframboise, Math. Comp. 36, 1981); Remez fit of degree 9, error 2^-25.7.
 */
export const erfcxCoefficients: readonly number[] = [
  1.2769784,
  -0.09276393,
  -0.16603106,
  0.16405492,
  -0.054206025,
  -0.008059118,
  0.008634336,
  0.0013134548,
  -0.0012305903,
  -0.00040027185,
];
/**
 * erfInv x / x with w = -log(1 - x^2), the variable of Giles (GPU Computing Gems 2, 2012), in w - 2.5 up to
 * w = 5; Remez fit of degree 8, error 2^-23.
 */
export const centralCoefficients: readonly number[] = [
  1.5014094,
  0.24664071,
  -0.0041776937,
  -0.001253694,
  0.00021859664,
  -4.4005164e-6,
  -3.5280304e-6,
  3.4403809e-7,
  2.8493867e-8,
];
/** The same in sqrt(w) - 3 from w = 5 to w = 16. */
export const tailCoefficients: readonly number[] = [
  2.8329768,
  1.0016742,
  0.009440699,
  -0.007622642,
  0.0057314574,
  -0.0036738268,
  0.0013620068,
  0.000101623045,
  -0.00020675577,
];

/** erf, erfc, erfInv and the scaled complement that gelu needs too. */
export const errorFunctions: ElementaryFamily = {
  // e^(t^2) erfc t for 0 <= t <= 10.5.
  erfcx: {
    name: "accurate_erfcx",
    code: `fn accurate_erfcx(t: vec4f) -> vec4f {
  let v = accurate_quotient(t - 2.0, t + 2.0);
  return accurate_quotient(${horner("v", erfcxCoefficients)}, 1.0 + 2.0 * t);
}`,
    requires: ["quotient"],
  },
  erf: {
    name: "accurate_erf",
    code: `fn accurate_erf(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(4.0));
  let z = t * t;
  let near = t + t * ${horner("z", erfCoefficients)};
  let far = 1.0 - accurate_decay(accurate_erfcx(t), z, vec4f());
  let y = accurate_with_sign(select(near, far, t > vec4f(1.0)), x);
  return accurate_keep_nan(y, x);
}`,
    requires: ["decay", "erfcx", "withSign", "keepNan"],
  },
  // t = h + (t - h) with h of 12 bits, so that h^2 is exact: an error in t^2 is a relative error of the
  // result, and t^2 reaches 105.
  erfc: {
    name: "accurate_erfc",
    code: `fn accurate_erfc(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(10.3));
  let h = bitcast<vec4f>(bitcast<vec4u>(t) & vec4u(0xfffff000u));
  let tail = accurate_decay(accurate_erfcx(t), h * h, (t - h) * (t + h));
  return accurate_keep_nan(select(tail, 2.0 - tail, x < vec4f()), x);
}`,
    requires: ["decay", "erfcx", "keepNan"],
  },
  erfInv: {
    name: "accurate_erf_inv",
    code: `fn accurate_erf_inv(x: vec4f) -> vec4f {
  let t = abs(x);
  let p = accurate_log_reduce((1.0 - t) * (1.0 + t));
  let w = -(p.k * 0.6931472 + accurate_log_fraction(p.f));
  let c = w - 2.5;
  let s = accurate_root(max(w, vec4f(1.0))) - 3.0;
  let central = ${horner("c", centralCoefficients)};
  let tail = ${horner("s", tailCoefficients)};
  let y = x * select(central, tail, w > vec4f(5.0));
  let infinity = accurate_with_sign(accurate_bits_constant(0x7f800000u), x);
  let ended = select(y, infinity, accurate_magnitude_bits(x) == vec4u(0x3f800000u));
  return accurate_invalid_above(ended, x, 0x3f800000u);
}`,
    requires: [
      "logReduce",
      "logFraction",
      "root",
      "withSign",
      "bitsConstant",
      "magnitudeBits",
      "invalidAbove",
    ],
  },
};
