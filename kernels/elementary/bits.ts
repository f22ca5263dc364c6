// The bit-level pieces under every elementary function: the seal, constants that WGSL text cannot hold,
// and tests for NaN and infinity that a compiler cannot remove.

import type { ElementaryFamily } from "./function.ts";

/**
 * Pieces of the other families. `seal` and `bitsConstant` call `zero() -> u32`, which every kernel
 * declares: it returns a 0 loaded at run time.
 */
export const bitFunctions: ElementaryFamily = {
  // The compiler cannot know that the word is 0, so it may not reassociate across it.
  seal: {
    name: "accurate_seal",
    code: `fn accurate_seal(t: vec4f) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(t) ^ vec4u(zero()));
}`,
  },
  // NaN and infinity: as constant expressions WGSL rejects both, so they are made at run time.
  bitsConstant: {
    name: "accurate_bits_constant",
    code: `fn accurate_bits_constant(bits: u32) -> vec4f {
  return bitcast<vec4f>(vec4u(bits ^ zero()));
}`,
  },
  magnitudeBits: {
    name: "accurate_magnitude_bits",
    code: `fn accurate_magnitude_bits(x: vec4f) -> vec4u {
  return bitcast<vec4u>(x) & vec4u(0x7fffffffu);
}`,
  },
  // |y| with the sign of x.
  withSign: {
    name: "accurate_with_sign",
    code: `fn accurate_with_sign(y: vec4f, x: vec4f) -> vec4f {
  let sign = bitcast<vec4u>(x) & vec4u(0x80000000u);
  return bitcast<vec4f>(accurate_magnitude_bits(y) | sign);
}`,
    requires: ["magnitudeBits"],
  },
  // y, or x itself where the bits of |x| lie outside low..high: one comparison tests both ends (unsigned in
  // meaning, moved by 2^31 because CPU vectors only compare signed). high 0x7f800000 passes NaN on,
  // 0x7f7fffff infinity too; low passes zeros and small numbers on.
  pass: {
    name: "accurate_pass",
    code: `fn accurate_pass(y: vec4f, x: vec4f, low: u32, high: u32) -> vec4f {
  let offset = bitcast<vec4i>(accurate_magnitude_bits(x) - vec4u(low ^ 0x80000000u));
  return select(y, x, offset > vec4i(bitcast<i32>((high - low) ^ 0x80000000u)));
}`,
    requires: ["magnitudeBits"],
  },
  // y, or x where x is NaN.
  keepNan: {
    name: "accurate_keep_nan",
    code: `fn accurate_keep_nan(y: vec4f, x: vec4f) -> vec4f {
  return select(y, x, bitcast<vec4i>(accurate_magnitude_bits(x)) > vec4i(0x7f800000));
}`,
    requires: ["magnitudeBits"],
  },
  // NaN where the bits of |x| are above the limit.
  invalidAbove: {
    name: "accurate_invalid_above",
    code: `fn accurate_invalid_above(y: vec4f, x: vec4f, limit: u32) -> vec4f {
  let nan = accurate_bits_constant(0x7fc00000u);
  return select(y, nan, bitcast<vec4i>(accurate_magnitude_bits(x)) > vec4i(i32(limit)));
}`,
    requires: ["bitsConstant", "magnitudeBits"],
  },
  // The integer in a float n, |n| < 2^22, as the low 22 bits of a word: an exact addition, where WGSL's own
  // conversion saturates and costs ten times as much. The bits above are those of 1.5 2^23: 0x4b400000.
  integerBits: {
    name: "accurate_integer_bits",
    code: `fn accurate_integer_bits(n: vec4f) -> vec4i {
  return bitcast<vec4i>(n + 12582912.0);
}`,
  },
  // The bits of |x| as if its exponent had no lower end: a subnormal is an integer count of 2^-149, so an
  // integer conversion normalises it even where the device flushes subnormals in float arithmetic.
  normalBits: {
    name: "accurate_normal_bits",
    code: `fn accurate_normal_bits(x: vec4f) -> vec4i {
  let u = bitcast<vec4i>(x) & vec4i(0x7fffffff);
  let from_count = bitcast<vec4i>(vec4f(u)) - vec4i(149 << 23u);
  return select(u, from_count, u < vec4i(0x00800000));
}`,
  },
  // n / d within about 1 ulp for moderate n and d: WGSL lets a division be 2.5 ulp off, and a step on the
  // remainder takes that back. The seal keeps n - (n / d) d from being simplified away.
  quotient: {
    name: "accurate_quotient",
    code: `fn accurate_quotient(n: vec4f, d: vec4f) -> vec4f {
  let inverse = 1.0 / d;
  let q = accurate_seal(n * inverse);
  return q + (n - q * d) * inverse;
}`,
    requires: ["seal"],
  },
  // sqrt(z) for z = 0 or 1e-30 <= z <= 1e30 within 1 ulp: WGSL lets sqrt be 5 ulp off, inverseSqrt 2, and
  // one Newton step leaves little but the last rounding.
  root: {
    name: "accurate_root",
    code: `fn accurate_root(z: vec4f) -> vec4f {
  let g = inverseSqrt(max(z, vec4f(1e-30)));
  let s = z * g;
  return s + 0.5 * g * (z - s * s);
}`,
  },
};
