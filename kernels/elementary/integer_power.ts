// Powers of integers, by squaring: 32 steps at most, one a bit of the largest exponent.

import type { ElementaryFamily } from "./function.ts";

function powerOf(name: string, vector: "vec4i" | "vec4u", one: string): string {
  return `fn ${name}(x: ${vector}, y: vec4u) -> ${vector} {
  var base = x;
  var left = y;
  var result = ${vector}(${one});
  while (any(left != vec4u(0u))) {
    result *= select(${vector}(${one}), base, (left & vec4u(1u)) != vec4u(0u));
    base *= base;
    left = left >> vec4u(1u);
  }
  return result;
}`;
}

/** The integer powers; they are on `vec4i` and `vec4u`, not on `vec4f`. */
export const integerPowerFunctions: ElementaryFamily = {
  // x^-n is a whole number only for 1 and -1, whose powers repeat with n's parity; otherwise it is 0.
  signedPower: {
    name: "integer_power",
    code: `${powerOf("integer_power_up", "vec4i", "1")}
fn integer_power(x: vec4i, y: vec4i) -> vec4i {
  let falling = y < vec4i(0);
  let unit = abs(x) == vec4i(1);
  let up = integer_power_up(x, vec4u(select(y, y & vec4i(1), falling)));
  return select(up, vec4i(0), falling & !unit);
}`,
  },
  unsignedPower: {
    name: "unsigned_power",
    code: powerOf("unsigned_power", "vec4u", "1u"),
  },
};
