// asin, acos, atan and atan2: one polynomial each, on a range that an identity reaches.

import { type ElementaryFamily, horner } from "./function.ts";

// (asin r / r - 1) / r^2 in r^2, |r| <= 1/2; Remez fit of degree 4, error 2^-27.6.
const asinCoefficients = [0.16666752, 0.074953064, 0.045469772, 0.024180774, 0.042166416];
// (atan r / r - 1) / r^2 in r^2, |r| <= 1; Remez fit of degree 7, error 2^-25.8.
const atanCoefficients = [
  -0.33333153,
  0.19993767,
  -0.14211003,
  0.10665786,
  -0.07551729,
  0.043205976,
  -0.016364245,
  0.00291976,
];

/** asin, acos, atan, atan2. */
export const inverseTrigonometricFunctions: ElementaryFamily = {
  // asin |x| where |x| <= 1/2, else asin sqrt((1 - |x|) / 2), which is (pi / 2 - asin |x|) / 2.
  asinInside: {
    name: "accurate_asin_inside",
    code: `fn accurate_asin_inside(x: vec4f) -> vec4f {
  let t = abs(x);
  let far = t > vec4f(0.5);
  let z = select(t * t, 0.5 * (1.0 - t), far);
  let s = select(t, accurate_root(z), far);
  return s + s * z * ${horner("z", asinCoefficients)};
}`,
    requires: ["root"],
  },
  asin: {
    name: "accurate_asin",
    code: `fn accurate_asin(x: vec4f) -> vec4f {
  let a = accurate_asin_inside(x);
  let y = accurate_with_sign(select(a, 1.5707964 - 2.0 * a, abs(x) > vec4f(0.5)), x);
  return accurate_invalid_above(y, x, 0x3f800000u);
}`,
    requires: ["asinInside", "withSign", "invalidAbove"],
  },
  acos: {
    name: "accurate_acos",
    code: `fn accurate_acos(x: vec4f) -> vec4f {
  let a = accurate_asin_inside(x);
  let near = 1.5707964 - accurate_with_sign(a, x);
  let far = select(2.0 * a, 3.1415927 - 2.0 * a, x < vec4f());
  return accurate_invalid_above(select(near, far, abs(x) > vec4f(0.5)), x, 0x3f800000u);
}`,
    requires: ["asinInside", "withSign", "invalidAbove"],
  },
  // atan r for 0 <= r <= 1.
  atanInside: {
    name: "accurate_atan_inside",
    code: `fn accurate_atan_inside(r: vec4f) -> vec4f {
  let z = r * r;
  return r + r * z * ${horner("z", atanCoefficients)};
}`,
  },
  atan: {
    name: "accurate_atan",
    code: `fn accurate_atan(x: vec4f) -> vec4f {
  let t = abs(x);
  let a = accurate_atan_inside(min(t, vec4f(1.0)) / max(t, vec4f(1.0)));
  let y = accurate_with_sign(select(a, 1.5707964 - a, t > vec4f(1.0)), x);
  return accurate_keep_nan(y, x);
}`,
    requires: ["atanInside", "withSign", "keepNan"],
  },
  // The scale keeps the divisor where WGSL bounds the error of a division (2^-126 to 2^126).
  atan2: {
    name: "accurate_atan2",
    code: `fn accurate_atan2(y: vec4f, x: vec4f) -> vec4f {
  let u = accurate_magnitude_bits(y);
  let v = accurate_magnitude_bits(x);
  let large = max(u, v);
  let up = select(vec4f(1.0), vec4f(0x1p40), large < vec4u(0x20000000u));
  let scale = select(up, vec4f(0x1p-40), large > vec4u(0x60000000u));
  let numerator = bitcast<vec4f>(min(u, v)) * scale;
  let ratio = numerator / (bitcast<vec4f>(large) * scale);
  let same = select(ratio, vec4f(1.0), u == v);
  let a = accurate_atan_inside(select(same, vec4f(), large == vec4u(0u)));
  let turned = select(a, 1.5707964 - a, u > v);
  let full = select(turned, 3.1415927 - turned, bitcast<vec4i>(x) < vec4i(0));
  return select(accurate_with_sign(full, y), accurate_bits_constant(0x7fc00000u),
    large > vec4u(0x7f800000u));
}`,
    requires: ["magnitudeBits", "atanInside", "withSign", "bitsConstant"],
  },
};
