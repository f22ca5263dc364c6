// Remainders and whole quotients. Every divisor has a result, integer zeros too, and nothing faults.

import { type DType, isFloating } from "../core/dtype.ts";
import type { Operation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { div, neg } from "./arithmetic.ts";
import { equal } from "./comparison.ts";
import { defineElementwise, numberBinary, type Partials, promoteNumbers } from "./define.ts";
import type { Operand } from "./operand.ts";
import { trunc } from "./rounding.ts";
import { where } from "./selection.ts";

/** Defines an operation whose WGSL function is another one for floats, int32 and uint32. */
function defineDivision(
  name: string,
  keys: Readonly<Record<"float" | "int32" | "uint32", readonly [key: string, text: string]>>,
  ofFloats: (x: number, y: number) => number,
  ofIntegers: (x: number, y: number, dtype: DType) => number,
  partials: (inputs: readonly Value[]) => Partials,
): Operation {
  const family = (dtype: DType) => dtype === "int32" || dtype === "uint32" ? dtype : "float";
  return defineElementwise({
    name,
    accepts: "numbers",
    functions: Object.values(keys).map(([key]) => key),
    reference: ([x, y], { output }) =>
      family(output) === "float" ? ofFloats(x!, y!) : ofIntegers(x!, y!, output),
    wgsl: ([x, y], { output }) => `${keys[family(output)][1]}(${x}, ${y})`,
    domain: [-50, 50],
    partials,
  });
}

/** A remainder moved to the divisor's sign. */
const followDivisor = (r: number, y: number) => r !== 0 && (r < 0) !== (y < 0) ? r + y : r;

function floorQuotient(x: number, y: number): number {
  if (y === 0) return x / y;
  const r = x % y;
  const q = (x - r) / y;
  return r !== 0 && (r < 0) !== (y < 0) ? Math.round(q) - 1 : q;
}

function integerFloorQuotient(x: number, y: number, dtype: DType): number {
  if (y === 0) return dtype === "uint32" || x === 0 ? -1 : -2;
  return Math.floor(x / y);
}

/** The remainder of the truncated quotient, with the dividend's sign (C's fmod); integers modulo 0 stay. */
export const remOperation: Operation = defineDivision(
  "rem",
  {
    float: ["rem", "accurate_rem"],
    int32: ["signedRem", "integer_rem"],
    uint32: ["unsignedRem", "unsigned_rem"],
  },
  (x, y) => x % y,
  (x, y) => y === 0 ? x : x % y,
  ([x, y]) => [1, neg(trunc(div(x!, y!)))],
);

/** The remainder of the quotient rounded down, with the divisor's sign; integers modulo 0 are 0. */
export const modOperation: Operation = defineDivision(
  "mod",
  {
    float: ["mod", "accurate_mod"],
    int32: ["signedMod", "integer_mod"],
    uint32: ["unsignedMod", "unsigned_mod"],
  },
  (x, y) => followDivisor(x % y, y),
  (x, y) => y === 0 ? 0 : followDivisor(x % y, y),
  ([x, y]) => [1, neg(floorDivide(x!, y!))],
);

/** The quotient rounded down; integers by 0 as in JAX. */
export const floorDivideOperation: Operation = defineDivision(
  "floorDivide",
  {
    float: ["floorDivide", "accurate_floor_divide"],
    int32: ["signedFloorDivide", "integer_floor_divide"],
    uint32: ["unsignedFloorDivide", "unsigned_floor_divide"],
  },
  floorQuotient,
  integerFloorQuotient,
  () => [undefined, undefined],
);

/** The remainder with the dividend's sign, as `lax.rem`. */
export const rem: (x: Operand, y: Operand) => Value = numberBinary(remOperation);
/** The remainder with the divisor's sign, as `jnp.mod`. */
export const mod: (x: Operand, y: Operand) => Value = numberBinary(modOperation);
/** The quotient rounded down. */
export const floorDivide: (x: Operand, y: Operand) => Value = numberBinary(floorDivideOperation);

/** As {@linkcode rem}, but integers modulo 0 are 0, as `jnp.fmod` has it. */
export function fmod(x: Operand, y: Operand): Value {
  const [a, b] = promoteNumbers([x, y]) as [Value, Value];
  const remainder = bind1(remOperation, {}, a, b);
  return isFloating(a.aval.dtype) ? remainder : where(equal(b, 0), 0, remainder);
}
