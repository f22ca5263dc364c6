// Remainders of division, exact for every quotient.

import type { ElementaryFamily } from "./function.ts";

/** rem (C's fmod, lax.rem) and mod (numpy.mod). */
export const remainderFunctions: ElementaryFamily = {
  // Long division on the significands as integers, 7 bits of the quotient a round: r 2^7 < 2^31 stays
  // exact, the quotient by floats is off by one at most, and most arguments need one round.
  rem: {
    name: "accurate_rem",
    code: `fn accurate_rem_step(r: vec4i, divisor: vec4i, inverse: vec4f) -> vec4i {
  let quotient = accurate_integer_bits(vec4f(r) * inverse) - vec4i(0x4b400000);
  let rest = r - quotient * divisor;
  let low = select(rest, rest + divisor, rest < vec4i(0));
  return select(low, low - divisor, low >= divisor);
}
fn accurate_rem(x: vec4f, y: vec4f) -> vec4f {
  let a = accurate_normal_bits(x);
  let b = accurate_normal_bits(y);
  let divisor = (b & vec4i(0x7fffff)) | vec4i(0x800000);
  let inverse = 1.0 / vec4f(divisor);
  let exponent = b >> vec4u(23u);
  let u = accurate_magnitude_bits(x);
  let v = accurate_magnitude_bits(y);
  let below = u < v;
  var left = select((a >> vec4u(23u)) - exponent, vec4i(0), below | (v == vec4u(0u)));
  var r = accurate_rem_step((a & vec4i(0x7fffff)) | vec4i(0x800000), divisor, inverse);
  while (any(left > vec4i(0))) {
    let shift = clamp(left, vec4i(0), vec4i(7));
    r = accurate_rem_step(r << bitcast<vec4u>(shift), divisor, inverse);
    left -= shift;
  }
  let half = (exponent - vec4i(150)) >> vec4u(1u);
  let first = bitcast<vec4f>((half + vec4i(127)) << vec4u(23u));
  let second = bitcast<vec4f>((exponent - half - vec4i(23)) << vec4u(23u));
  let z = accurate_with_sign(vec4f(r) * first * second, x);
  let invalid = (u > vec4u(0x7f7fffffu)) | (v > vec4u(0x7f800000u)) | (v == vec4u(0u));
  return select(select(z, x, below), accurate_bits_constant(0x7fc00000u), invalid);
}`,
    requires: ["normalBits", "integerBits", "magnitudeBits", "withSign", "bitsConstant"],
  },
  // The remainder with the divisor's sign; a zero keeps the dividend's, as in jax.numpy.
  mod: {
    name: "accurate_mod",
    code: `fn accurate_mod(x: vec4f, y: vec4f) -> vec4f {
  let r = accurate_rem(x, y);
  let opposite = (bitcast<vec4i>(r) ^ bitcast<vec4i>(y)) < vec4i(0);
  let moved = opposite & (accurate_magnitude_bits(r) != vec4u(0u));
  return select(r, r + y, moved);
}`,
    requires: ["rem", "magnitudeBits"],
  },
};
