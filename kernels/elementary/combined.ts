// Functions made of the other families' pieces.

import type { ElementaryFamily } from "./function.ts";

/** hypot, logaddexp, floorDivide and mish. */
export const combinedFunctions: ElementaryFamily = {
  // large sqrt(1 + (small / large)^2), so that no square overflows. Infinity beats NaN, as in C.
  hypot: {
    name: "accurate_hypot",
    code: `fn accurate_hypot(x: vec4f, y: vec4f) -> vec4f {
  let u = accurate_magnitude_bits(x);
  let v = accurate_magnitude_bits(y);
  let large = bitcast<vec4f>(max(u, v));
  let small = bitcast<vec4f>(min(u, v));
  let ratio = small / select(large, vec4f(1.0), max(u, v) == vec4u(0u));
  let finite = large * accurate_root(1.0 + ratio * ratio);
  let end = vec4u(0x7f800000u);
  let invalid = select(finite, accurate_bits_constant(0x7fc00000u), max(u, v) > end);
  let endless = (u == end) | (v == end);
  return select(invalid, accurate_bits_constant(0x7f800000u), endless);
}`,
    requires: ["magnitudeBits", "root", "bitsConstant"],
  },
  // max(x, y) + log(1 + e^-|x - y|), whose difference would be NaN for two equal infinities.
  logaddexp: {
    name: "accurate_logaddexp",
    code: `fn accurate_logaddexp(x: vec4f, y: vec4f) -> vec4f {
  let large = max(x, y);
  let e = accurate_decay(vec4f(1.0), min(large - min(x, y), vec4f(110.0)), vec4f());
  let sum = large + accurate_log1p_inside(e);
  let u = accurate_magnitude_bits(x);
  let v = accurate_magnitude_bits(y);
  let invalid = max(u, v) > vec4u(0x7f800000u);
  let ended = select(sum, large, max(u, v) == vec4u(0x7f800000u));
  return select(ended, accurate_bits_constant(0x7fc00000u), invalid);
}`,
    requires: ["decay", "log1pInside", "magnitudeBits", "bitsConstant"],
  },
  // x - rem(x, y) is a multiple of y, so that rounding the quotient only undoes the error of the division;
  // where the remainder has the other sign than y, the quotient was rounded up.
  floorDivide: {
    name: "accurate_floor_divide",
    code: `fn accurate_floor_divide(x: vec4f, y: vec4f) -> vec4f {
  let r = accurate_rem(x, y);
  let q = round(accurate_seal(x - r) / y);
  let opposite = (bitcast<vec4i>(r) ^ bitcast<vec4i>(y)) < vec4i(0);
  let moved = select(q, q - 1.0, opposite & (accurate_magnitude_bits(r) != vec4u(0u)));
  return select(moved, x / y, accurate_magnitude_bits(y) == vec4u(0u));
}`,
    requires: ["rem", "seal", "magnitudeBits"],
  },
  // x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2), in which nothing cancels; 1 past x = 40.
  mish: {
    name: "accurate_mish",
    code: `fn accurate_mish(x: vec4f) -> vec4f {
  let e = accurate_exp(min(x, vec4f(40.0)));
  let n = e * (e + 2.0);
  return accurate_gate_ends(max(x, vec4f(-128.0)) * (n / (n + 2.0)), x);
}`,
    requires: ["exp", "gateEnds"],
  },
};
