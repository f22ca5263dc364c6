// Division of integers where every divisor has a result: XLA's words for zero, wrapping for -2^31 / -1.

import type { ElementaryFamily } from "./function.ts";

/** What is done with every integer divisor. Functions on `vec4i` and `vec4u`. */
export const integerDivisionFunctions: ElementaryFamily = {
  // The truncated remainder; of 0 the dividend.
  signedRem: {
    name: "integer_rem",
    code: `fn integer_rem(x: vec4i, y: vec4i) -> vec4i {
  // -2^31 % -1 would overflow in the division behind it: any x is 0 modulo 1, and so modulo -1.
  let safe = select(y, vec4i(1), (y == vec4i(0)) | (y == vec4i(-1)));
  return select(x % safe, x, y == vec4i(0));
}`,
  },
  unsignedRem: {
    name: "unsigned_rem",
    code: `fn unsigned_rem(x: vec4u, y: vec4u) -> vec4u {
  let zero = y == vec4u(0u);
  return select(x % select(y, vec4u(1u), zero), x, zero);
}`,
  },
  // The remainder with the divisor's sign; of 0 it is 0.
  signedMod: {
    name: "integer_mod",
    code: `fn integer_mod(x: vec4i, y: vec4i) -> vec4i {
  let r = integer_rem(x, y);
  let moved = select(r, r + y, (r != vec4i(0)) & ((r ^ y) < vec4i(0)));
  return select(moved, vec4i(0), y == vec4i(0));
}`,
    requires: ["signedRem"],
  },
  unsignedMod: {
    name: "unsigned_mod",
    code: `fn unsigned_mod(x: vec4u, y: vec4u) -> vec4u {
  return select(unsigned_rem(x, y), vec4u(0u), y == vec4u(0u));
}`,
    requires: ["unsignedRem"],
  },
  // The quotient rounded down. By 0 it is -1, and one less where the dividend is not 0, as in JAX.
  signedFloorDivide: {
    name: "integer_floor_divide",
    code: `fn integer_floor_divide(x: vec4i, y: vec4i) -> vec4i {
  let zero = y == vec4i(0);
  let opposite = y == vec4i(-1);
  let safe = select(y, vec4i(1), zero | opposite);
  let quotient = select(select(x / safe, vec4i(0) - x, opposite), vec4i(-1), zero);
  let r = integer_rem(x, y);
  let inexact = (r != vec4i(0)) & (zero | ((r ^ y) < vec4i(0)));
  return quotient - select(vec4i(0), vec4i(1), inexact);
}`,
    requires: ["signedRem"],
  },
  // By 0 it is the largest number, as in JAX.
  unsignedFloorDivide: {
    name: "unsigned_floor_divide",
    code: `fn unsigned_floor_divide(x: vec4u, y: vec4u) -> vec4u {
  let zero = y == vec4u(0u);
  return select(x / select(y, vec4u(1u), zero), vec4u(0xffffffffu), zero);
}`,
  },
};
