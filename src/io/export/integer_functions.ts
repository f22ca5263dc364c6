// Functions of whole numbers in arithmetic on them: the hash that random bits come from, and positions.

import {
  threefryGroups,
  threefryParity,
  threefryRotations,
} from "../../../kernels/elementary/threefry.ts";
import type { Value } from "../../ir/value.ts";
import { abs, add, mul } from "../../ops/arithmetic.ts";
import { astype } from "../../ops/cast.ts";
import { equal, greaterEqual, less, notEqual } from "../../ops/comparison.ts";
import type { FlattenIndicesParams } from "../../ops/flatten_indices.ts";
import {
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  leftShift,
  logicalAnd,
  rightShift,
} from "../../ops/logic.ts";
import { clip, where } from "../../ops/selection.ts";
import type { ThreefryParams } from "../../ops/threefry.ts";
import type { Decomposition, Decompositions } from "./decomposition.ts";

/** The bits turned to the left. */
const rotated = (x: Value, turn: number) => bitwiseOr(leftShift(x, turn), rightShift(x, 32 - turn));

const threefry: Decomposition<ThreefryParams> = ([k0, k1, x0, x1], { output }) => {
  const schedule = [k0!, k1!, bitwiseXor(bitwiseXor(k0!, k1!), threefryParity)];
  let [a, b] = [add(x0!, k0!), add(x1!, k1!)];
  for (let group = 0; group < threefryGroups; group++) {
    for (const turn of threefryRotations[group % 2]!) {
      a = add(a, b);
      b = bitwiseXor(a, rotated(b, turn));
    }
    a = add(a, schedule[(group + 1) % 3]!);
    b = add(add(b, schedule[(group + 2) % 3]!), group + 1);
  }
  return output === "bits" ? bitwiseXor(a, b) : output === "first" ? a : b;
};

/**
 * By squaring, a bit of the exponent after the other. 1 over a power is a whole number only for 1 and -1, whose
 * powers repeat with the exponent's parity; otherwise it is 0.
 */
const integerPow: Decomposition = ([x, y]) => {
  const falling = less(y!, 0);
  const exponent = where(falling, bitwiseAnd(y!, 1), y!);
  let [base, power] = [x!, where(equal(bitwiseAnd(exponent, 1), 0), 1, x!)];
  for (let bit = 1; bit < 32; bit++) {
    base = mul(base, base);
    const isSet = notEqual(bitwiseAnd(rightShift(exponent, bit), 1), 0);
    power = where(isSet, mul(power, base), power);
  }
  return where(logicalAnd(falling, notEqual(abs(x!), 1)), 0, power);
};

/** What no array has as an index. */
const noIndex = 2 ** 32 - 1;

const flattenIndices: Decomposition<FlattenIndicesParams> = (indices, { extents, outside }) => {
  const counted = indices.map((index, axis) =>
    index.aval.dtype === "uint32" ? index : where(less(index, 0), add(index, extents[axis]!), index)
  );
  const flat = counted
    .map((index, axis) => astype(clip(index, 0, Math.max(extents[axis]! - 1, 0)), "uint32"))
    .reduce((sum, place, axis) => add(mul(sum, extents[axis]!), place));
  if (outside === "clamp") return flat;
  const valid = counted
    .map((index, axis) => logicalAnd(greaterEqual(index, 0), less(index, extents[axis]!)))
    .reduce((all, one) => logicalAnd(all, one));
  return where(valid, flat, noIndex);
};

/** Functions by the operation's name. */
export const integerFunctions: Decompositions = {
  threefry2x32: threefry,
  integerPow,
  flattenIndices,
};
