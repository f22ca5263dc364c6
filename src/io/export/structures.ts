// Operations that join the elements of an axis, in reductions, shifts and arithmetic.

import type { DType } from "../../core/dtype.ts";
import type { Combiner, Operation } from "../../ir/operation.ts";
import type { Value } from "../../ir/value.ts";
import { add, mul } from "../../ops/arithmetic.ts";
import { stretchReduced } from "../../ops/broadcast.ts";
import { equal, maximum, minimum } from "../../ops/comparison.ts";
import { iota } from "../../ops/constant.ts";
import { highest, lowest, maxOperation, minOperation, reduce } from "../../ops/reduction.ts";
import { logicalOr } from "../../ops/logic.ts";
import { type ScanParams, shiftAlong } from "../../ops/scan.ts";
import { isnan, where } from "../../ops/selection.ts";
import type { Decomposition, Decompositions } from "./decomposition.ts";

/** What a reduction of no elements gives. */
export function identityOf(combiner: Combiner, dtype: DType): number {
  if (combiner === "max") return lowest(dtype);
  if (combiner === "min") return highest(dtype);
  return combiner === "prod" || combiner === "all" ? 1 : 0;
}

/** The first place at which a row has its extreme, or NaN. */
function firstExtreme(
  operation: Operation<{ axes: readonly number[] }>,
): Decomposition<{ axis: number }> {
  return ([x], { axis }) => {
    const { shape } = x!.aval;
    const extreme = stretchReduced(reduce(operation, x!, [axis]), shape, [axis]);
    const found = logicalOr(equal(x!, extreme), isnan(x!));
    return reduce(minOperation, where(found, iota(shape, axis, "int32"), shape[axis]!), [axis]);
  };
}

/** Joins every element with the one before it, then with the two before those, and so on: log2 n steps. */
function scanned(
  join: (x: Value, y: Value) => Value,
  identity: (x: Value) => number,
): Decomposition<ScanParams> {
  return ([x], { axis, reverse }) => {
    let joined = x!;
    for (let reach = 1; reach < x!.aval.shape[axis]!; reach *= 2) {
      const before = shiftAlong(joined, axis, reverse ? -reach : reach, identity(x!));
      joined = join(before, joined);
    }
    return joined;
  };
}

/** Structures by the operation's name. */
export const structures: Decompositions = {
  argmax: firstExtreme(maxOperation),
  argmin: firstExtreme(minOperation),
  cumsum: scanned(add, () => 0),
  cumprod: scanned(mul, () => 1),
  cummax: scanned(maximum, (x) => lowest(x.aval.dtype)),
  cummin: scanned(minimum, (x) => highest(x.aval.dtype)),
};
