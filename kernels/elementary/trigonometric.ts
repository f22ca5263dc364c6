// sin, cos and tan for every finite float32: x = q pi/2 + r with r right to float32's relative precision,
// by Cody and Waite up to 3216 and by Payne and Hanek in 32-bit integers beyond.

import { type ElementaryFamily, horner } from "./function.ts";

// pi / 2 in three parts of at most 13 bits, whose products with q < 2^11 are exact, and a fourth: 63 bits.
const halfPi = [
  "1.570556640625",
  "2.39670276641845703125e-4",
  "1.589069142937660217285e-8",
  "2.563344e-12",
];
const largestCodyWaite = 0x45490000; // the bits of 3216

// 2 / pi in binary, 32 bits a word, after one word of zeros.
const twoOverPi = [
  0,
  0xa2f9836e,
  0x4e441529,
  0xfc2757d1,
  0xf534ddc0,
  0xdb629599,
  0x3c439041,
  0xfe5163ab,
];

// (sin r / r - 1) / r^2 and (cos r - 1 + r^2 / 2) / r^4 in r^2, |r| <= pi / 4; Remez fits of degree 2,
// errors 2^-27.9 and 2^-33.
const sinCoefficients = [-0.16666655, 0.008332188, -0.00019518095];
const cosCoefficients = [0.041666646, -0.001388731, 2.4432327e-5];

/** The four-lane choice of word `offset + index` where `index` is 0 to 4. */
function wordAt(offset: number): string {
  const word = (i: number): string => `vec4u(0x${twoOverPi[offset + i].toString(16)}u)`;
  const low = `select(${word(0)}, ${word(1)}, one)`;
  const middle = `select(${word(2)}, ${word(3)}, one)`;
  return `select(select(${low}, ${middle}, two), ${word(4)}, four)`;
}

/** sin, cos, tan and the reduction that they share. */
export const trigonometricFunctions: ElementaryFamily = {
  // The bits of 2 / pi that count for x = M 2^e are the 96 from weight 2^(1 - e) on: those above give
  // multiples of 4 quarter turns, those below less than 2^-70. M times them, modulo 2^96, is the angle in
  // quarter turns with two bits before the point.
  reduceHuge: {
    name: "accurate_reduce_huge",
    code: `struct AccurateAngle { r: vec4f, q: vec4i }
fn accurate_high_product(m: vec4u, w: vec4u) -> vec4u {
  let s = vec4u(16u);
  let mask = vec4u(0xffffu);
  let m0 = m & mask;
  let m1 = m >> s;
  let w0 = w & mask;
  let w1 = w >> s;
  let middle = m0 * w1 + ((m0 * w0) >> s);
  return m1 * w1 + (middle >> s) + (((middle & mask) + m1 * w0) >> s);
}
fn accurate_reduce_huge(x: vec4f) -> AccurateAngle {
  let u = accurate_magnitude_bits(x);
  let m = (u & vec4u(0x7fffffu)) | vec4u(0x800000u);
  let first = max(u >> vec4u(23u), vec4u(120u)) - vec4u(120u);
  let index = first >> vec4u(5u);
  let one = (index & vec4u(1u)) != vec4u(0u);
  let two = (index & vec4u(2u)) != vec4u(0u);
  let four = index > vec4u(3u);
  let t0 = ${wordAt(0)};
  let t1 = ${wordAt(1)};
  let t2 = ${wordAt(2)};
  let t3 = ${wordAt(3)};
  let left = first & vec4u(31u);
  let right = vec4u(31u) - left;
  let w0 = (t0 << left) | ((t1 >> vec4u(1u)) >> right);
  let w1 = (t1 << left) | ((t2 >> vec4u(1u)) >> right);
  let w2 = (t2 << left) | ((t3 >> vec4u(1u)) >> right);
  let product = m * w1;
  let low = product + accurate_high_product(m, w2);
  let carry = select(vec4u(0u), vec4u(1u), low < product);
  let high = m * w0 + accurate_high_product(m, w1) + carry;
  let q = (high + vec4u(0x20000000u)) >> vec4u(30u);
  let f1 = (high << vec4u(2u)) | (low >> vec4u(30u));
  let sign = vec4u(0u) - (f1 >> vec4u(31u));
  let f = vec4f(f1 ^ sign) * 0x1p-32 + vec4f((low << vec4u(2u)) ^ sign) * 0x1p-64;
  let negative = bitcast<vec4u>(x) >> vec4u(31u);
  let flip = ((sign >> vec4u(31u)) ^ negative) << vec4u(31u);
  let r = bitcast<vec4f>(bitcast<vec4u>(f * 1.5707964) ^ flip);
  return AccurateAngle(r, select(vec4i(q), -vec4i(q), negative != vec4u(0u)));
}`,
    requires: ["magnitudeBits"],
  },
  reduceAngle: {
    name: "accurate_reduce_angle",
    code: `fn accurate_reduce_angle(x: vec4f) -> AccurateAngle {
  let u = accurate_magnitude_bits(x);
  let n = round(x * 0.63661975);
  let r1 = accurate_seal(x - n * ${halfPi[0]});
  let r2 = accurate_seal(r1 - n * ${halfPi[1]});
  let r3 = accurate_seal(r2 - n * ${halfPi[2]});
  var angle = AccurateAngle(r3 - n * ${halfPi[3]}, accurate_integer_bits(n));
  let huge = bitcast<vec4i>(u) > vec4i(${largestCodyWaite});
  if (any(huge)) {
    let other = accurate_reduce_huge(x);
    angle.r = select(angle.r, other.r, huge);
    angle.q = select(angle.q, other.q, huge);
  }
  return angle;
}`,
    requires: ["magnitudeBits", "integerBits", "reduceHuge", "seal"],
  },
  // sin and cos of the remainder, for |r| <= pi / 4.
  quarterSin: {
    name: "accurate_quarter_sin",
    code: `fn accurate_quarter_sin(r: vec4f, z: vec4f) -> vec4f {
  return r + r * z * ${horner("z", sinCoefficients)};
}
fn accurate_quarter_cos(z: vec4f) -> vec4f {
  return 1.0 - (0.5 * z - z * z * ${horner("z", cosCoefficients)});
}`,
  },
  // sin(r + q pi / 2): cos where q is odd, negated where its second bit is set.
  quadrantSin: {
    name: "accurate_quadrant_sin",
    code: `fn accurate_quadrant_sin(r: vec4f, q: vec4i) -> vec4f {
  let z = r * r;
  let odd = (q & vec4i(1)) != vec4i(0);
  let y = select(accurate_quarter_sin(r, z), accurate_quarter_cos(z), odd);
  let flip = (bitcast<vec4u>(q) & vec4u(2u)) << vec4u(30u);
  return bitcast<vec4f>(bitcast<vec4u>(y) ^ flip);
}`,
    requires: ["quarterSin"],
  },
  sin: {
    name: "accurate_sin",
    code: `fn accurate_sin(x: vec4f) -> vec4f {
  let angle = accurate_reduce_angle(x);
  let y = accurate_pass(accurate_quadrant_sin(angle.r, angle.q), x, 0x39000000u, 0x7f800000u);
  return accurate_invalid_above(y, x, 0x7f7fffffu);
}`,
    requires: ["reduceAngle", "quadrantSin", "pass", "invalidAbove"],
  },
  cos: {
    name: "accurate_cos",
    code: `fn accurate_cos(x: vec4f) -> vec4f {
  let angle = accurate_reduce_angle(x);
  let y = accurate_quadrant_sin(angle.r, angle.q + vec4i(1));
  return accurate_invalid_above(y, x, 0x7f7fffffu);
}`,
    requires: ["reduceAngle", "quadrantSin", "invalidAbove"],
  },
  tan: {
    name: "accurate_tan",
    code: `fn accurate_tan(x: vec4f) -> vec4f {
  let angle = accurate_reduce_angle(x);
  let z = angle.r * angle.r;
  let s = accurate_quarter_sin(angle.r, z);
  let c = accurate_quarter_cos(z);
  let odd = (angle.q & vec4i(1)) != vec4i(0);
  let y = select(s, -c, odd) / select(c, s, odd);
  return accurate_invalid_above(accurate_pass(y, x, 0x39000000u, 0x7f800000u), x, 0x7f7fffffu);
}`,
    requires: ["reduceAngle", "quarterSin", "pass", "invalidAbove"],
  },
};
