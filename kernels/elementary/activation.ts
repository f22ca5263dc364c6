// Activations of neural networks: the logistic function and what is built on it.

import type { ElementaryFamily } from "./function.ts";

const log2E = "1.442695";

/** sigmoid, silu, softplus and both forms of gelu. */
export const activationFunctions: ElementaryFamily = {
  // -|x|, not below the limit.
  falling: {
    name: "accurate_falling",
    code: `fn accurate_falling(x: vec4f, limit: f32) -> vec4f {
  return max(bitcast<vec4f>(bitcast<vec4u>(x) | vec4u(0x80000000u)), vec4f(limit));
}`,
  },
  // 2^100 e^t for -155 < t <= 0: scaled so that it is not subnormal.
  expScaled: {
    name: "accurate_exp_scaled",
    code: `fn accurate_exp_scaled(t: vec4f) -> vec4f {
  let n = round(${log2E} * t);
  return (1.0 + accurate_exp_rest(t, vec4f(), n)) * accurate_power(n, 100);
}`,
    requires: ["expRest", "power"],
  },
  // NaN where x is NaN, and where it is -infinity, since JAX's product x * 0 is NaN there.
  gateEnds: {
    name: "accurate_gate_ends",
    code: `fn accurate_gate_ends(y: vec4f, x: vec4f) -> vec4f {
  let u = bitcast<vec4i>(x);
  let last = vec4i(0x7f800000) + (u >> vec4u(31u));
  return select(y, accurate_bits_constant(0x7fc00000u), (u & vec4i(0x7fffffff)) > last);
}`,
    requires: ["bitsConstant"],
  },
  // x / (1 + e) for x > 0 and x e / (1 + e) for x < 0, given 2^100 e, 0 <= e <= 1: x sigmoid(v) with
  // e = e^-|v|. limit bounds x from below where the result is 0. The power of two of a negative result comes
  // last, behind a seal, so that it is rounded once where it is subnormal.
  gate: {
    name: "accurate_gate",
    code: `fn accurate_gate(x: vec4f, scaled: vec4f, limit: f32) -> vec4f {
  let tail = accurate_seal(max(x, vec4f(limit)) * scaled) * 0x1p-100;
  let y = select(x, tail, bitcast<vec4i>(x) < vec4i(0)) / (1.0 + scaled * 0x1p-100);
  return accurate_gate_ends(y, x);
}`,
    requires: ["seal", "gateEnds"],
  },
  sigmoid: {
    name: "accurate_sigmoid",
    code: `fn accurate_sigmoid(x: vec4f) -> vec4f {
  let e = accurate_exp_scaled(accurate_falling(x, -110.0)) * 0x1p-100;
  return accurate_keep_nan(select(vec4f(1.0), e, x < vec4f()) / (1.0 + e), x);
}`,
    requires: ["falling", "expScaled", "keepNan"],
  },
  silu: {
    name: "accurate_silu",
    code: `fn accurate_silu(x: vec4f) -> vec4f {
  return accurate_gate(x, accurate_exp_scaled(accurate_falling(x, -110.0)), -128.0);
}`,
    requires: ["falling", "expScaled", "gate"],
  },
  // log(e^x + 1) = max(x, 0) + log(1 + e^-|x|).
  softplus: {
    name: "accurate_softplus",
    code: `fn accurate_softplus(x: vec4f) -> vec4f {
  let e = accurate_exp_scaled(accurate_falling(x, -110.0)) * 0x1p-100;
  return accurate_keep_nan(max(x, vec4f()) + accurate_log1p_inside(e), x);
}`,
    requires: ["falling", "expScaled", "log1pInside", "keepNan"],
  },
  // x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3): e^-2|u| = 2^v for v = t (c0 + c1 t^2), t = -|x|.
  // An error in v is a relative error of the left tail, where v reaches -150, so v is taken as an exact product
  // and a remainder: t = t1 + t2 with 8 bits in t1, c0 = 2.3017578125 + 4.5038565e-4, c1 = 0.1025390625 +
  // 4.041771e-4 (7 bits), so that t1^2 c1 is exact, its sum with c0 too from |x| = 2 on, and t1 times 16 bits.
  geluTanh: {
    name: "accurate_gelu_tanh",
    code: `fn accurate_gelu_tanh(x: vec4f) -> vec4f {
  let t = accurate_falling(x, -12.0);
  let t1 = bitcast<vec4f>(bitcast<vec4u>(t) & vec4u(0xffff0000u));
  let t2 = t - t1;
  let square1 = t1 * t1;
  let square2 = t2 * (t + t1);
  let slope = square1 * 0.1025390625 + 2.3017578125;
  let slope1 = bitcast<vec4f>(bitcast<vec4u>(slope) & vec4u(0xffffff00u));
  let rest = 0.10294324 * square2 + (square1 * 4.041771e-4 + 4.5038565e-4);
  let high = t1 * slope1;
  let low = t * ((slope - slope1) + rest) + t2 * slope1;
  let n = round(high + low);
  let f = accurate_seal(high - n) + low;
  return accurate_gate(x, accurate_exp2_fraction(f) * accurate_power(n, 100), -16.0);
}`,
    requires: ["falling", "seal", "exp2Fraction", "power", "gate"],
  },
  // x Phi(x): Phi(-t) = erfc(t / sqrt 2) / 2, and x - x Phi(-x) on the right. t^2 / 2 in two parts as for
  // erfc; -infinity as for the other gates.
  geluErf: {
    name: "accurate_gelu_erf",
    code: `fn accurate_gelu_erf(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(14.6));
  let h = bitcast<vec4f>(bitcast<vec4u>(t) & vec4u(0xfffff000u));
  let factor = 0.5 * t * accurate_erfcx(t * 0.70710677);
  let lost = accurate_decay(factor, 0.5 * h * h, 0.5 * (t - h) * (t + h));
  return accurate_gate_ends(select(x - lost, -lost, bitcast<vec4i>(x) < vec4i(0)), x);
}`,
    requires: ["decay", "erfcx", "gateEnds"],
  },
};
