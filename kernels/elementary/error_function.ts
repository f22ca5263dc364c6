// erf, erfc and the inverse of erf.

import { type ElementaryFamily, horner } from "./function.ts";

// erf r / r - 1 in r^2, |r| <= 1; Remez fit of degree 5, error 2^-24.5 relative to erf.
const erfCoefficients = [
  0.12837912,
  -0.3761232,
  0.112801135,
  -0.026709218,
  0.004914916,
  -0.0005619973,
];
// (1 + 2 t) e^(t^2) erfc t in v = (t - 2) / (t + 2), 0 <= t <= 10.5 (the variable and the factor are those
// of Shepherd and Laframboise, Math. Comp. 36, 1981); Remez fit of degree 9, error 2^-24.5.
const erfcxCoefficients = [
  1.2769784,
  -0.09276417,
  -0.16603005,
  0.16405821,
  -0.054216944,
  -0.008074634,
  0.008667933,
  0.0013481317,
  -0.0012622424,
  -0.0004304917,
];
// erfInv x / x with w = -log(1 - x^2), the variable of Giles (GPU Computing Gems 2, 2012): in w - 2.5 up to
// w = 5 and in sqrt(w) - 3 up to w = 16; Remez fits of degree 8, errors 2^-22.9.
const centralCoefficients = [
  1.5014094,
  0.24664082,
  -0.0041776164,
  -0.0012538511,
  0.00021849919,
  -4.343787e-6,
  -3.4972768e-6,
  3.3828906e-7,
  2.5682498e-8,
];
const tailCoefficients = [
  2.8329768,
  1.0016718,
  0.00944362,
  -0.0075906394,
  0.0057001347,
  -0.0037805373,
  0.0014610571,
  0.00020300936,
  -0.00030187843,
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
