// Search: where values belong in a sorted row.

import { isFloating } from "../core/dtype.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add } from "./arithmetic.ts";
import { greaterEqual, less, lessEqual } from "./comparison.ts";
import { constant } from "./constant.ts";
import { take } from "./indexing.ts";
import { logicalAnd, logicalNot, logicalOr } from "./logic.ts";
import { broadcastTo } from "./movement.ts";
import { isnan, where } from "./selection.ts";

/** The static argument of a search. */
export interface SearchParams extends Params {
  /** Whether a value goes before the elements that equal it, or behind them. */
  readonly side: "left" | "right";
}

/** Which elements stand before a value; NaN is larger than everything else, as in a sort. */
function standsBefore(element: Value, value: Value, side: "left" | "right"): Value {
  const before = side === "left" ? less(element, value) : lessEqual(element, value);
  if (!isFloating(value.aval.dtype)) return before;
  const past = side === "left"
    ? logicalAnd(isnan(value), logicalNot(isnan(element)))
    : isnan(value);
  return logicalOr(before, past);
}

/**
 * How many elements of the first input, a sorted row, stand before each of the second: a binary search for all
 * values at once, one gather for each halving.
 */
export const searchsortedOperation: Operation<SearchParams> = registerOperation<SearchParams>({
  name: "searchsorted",
  precision: "follow",
  aval: ([_, values]) => ({ shape: values!.shape, dtype: "int32" }),
  lower: {
    kind: "composite",
    decompose: ([sorted, values], { side }) => {
      const length = sorted!.aval.shape[0]!;
      let found = broadcastTo(constant(0, "int32"), values!.aval.shape);
      if (length === 0) return [found];
      for (let step = 2 ** Math.floor(Math.log2(length)); step >= 1; step /= 2) {
        const candidate = add(found, step);
        const element = take(sorted!, add(found, step - 1), 0);
        const inside = greaterEqual(constant(length, "int32"), candidate);
        const moves = logicalAnd(inside, standsBefore(element, values!, side));
        found = where(moves, candidate, found);
      }
      return [found];
    },
  },
});

/** Where values, of the dtype of a sorted row, belong in it. */
export function searchsorted(sorted: Value, values: Value, side: "left" | "right"): Value {
  return bind1(searchsortedOperation, { side }, sorted, values);
}
