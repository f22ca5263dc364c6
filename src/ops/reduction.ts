// Reductions: many elements to one along some axes. Floats are joined in float32 and rounded once.

import { type DType, isFloating } from "../core/dtype.ts";
import { rowMajorStrides, sizeOf } from "../core/shape.ts";
import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { div } from "./arithmetic.ts";
import { sumOperation } from "./broadcast.ts";
import { astype } from "./cast.ts";
import {
  batchReduction,
  defineReduction,
  forEachReduced,
  highest,
  lowest,
  reducedShape,
  type ReduceParams,
} from "./define_reduction.ts";

export { sumOperation } from "./broadcast.ts";
export { highest, lowest, reducedShape, type ReduceParams } from "./define_reduction.ts";

const wrappingProduct = (a: number, b: number, dtype: DType) =>
  isFloating(dtype) ? a * b : Math.imul(a, b);

/** Product. */
export const prodOperation: Operation<ReduceParams> = defineReduction({
  combiner: "prod",
  precision: "full",
  identity: () => 1,
  join: wrappingProduct,
});
/** Maximum; NaN wins. */
export const maxOperation: Operation<ReduceParams> = defineReduction({
  combiner: "max",
  precision: "follow",
  identity: lowest,
  join: (a, b) => Math.max(a, b),
});
/** Minimum; NaN wins. */
export const minOperation: Operation<ReduceParams> = defineReduction({
  combiner: "min",
  precision: "follow",
  identity: highest,
  join: (a, b) => Math.min(a, b),
});
/** Whether any is true. */
export const anyOperation: Operation<ReduceParams> = defineReduction({
  combiner: "any",
  precision: "follow",
  identity: () => 0,
  join: (a, b) => a || b,
});
/** Whether all are true. */
export const allOperation: Operation<ReduceParams> = defineReduction({
  combiner: "all",
  precision: "follow",
  identity: () => 1,
  join: (a, b) => a && b,
});

/** The mean of floats: divided in float32 before the one rounding, so that a half sum cannot overflow. */
export const meanOperation: Operation<ReduceParams> = registerOperation<ReduceParams>({
  name: "mean",
  precision: "full",
  lower: {
    kind: "composite",
    decompose: ([x], { axes }) => {
      const count = axes.reduce((n, axis) => n * x!.aval.shape[axis]!, 1);
      const total = bind1(sumOperation, { axes }, astype(x!, "float32"));
      return [astype(div(total, count), x!.aval.dtype)];
    },
  },
  aval: ([x], { axes }) => ({ shape: reducedShape(x!.shape, axes), dtype: x!.dtype }),
  batch: batchReduction(() => meanOperation),
});

function defineArgReduction(combiner: "max" | "min"): Operation<{ axis: number }> {
  return registerOperation<{ axis: number }>({
    name: `arg${combiner}`,
    precision: "follow",
    lower: { kind: "argReduce", combiner },
    aval: ([x], { axis }) => ({ shape: reducedShape(x!.shape, [axis]), dtype: "int32" }),
    evaluate: ([x], { axis }, [output]) => {
      const out = new Float64Array(sizeOf(output!.shape));
      const best = new Float64Array(out.length);
      const seen = new Uint8Array(out.length);
      const stride = rowMajorStrides(x!.shape)[axis]!;
      forEachReduced(x!, [axis], (o, value, position) => {
        const better = combiner === "max" ? value > best[o]! : value < best[o]!;
        if (seen[o] && !(better || (Number.isNaN(value) && !Number.isNaN(best[o]!)))) return;
        if (seen[o] && Number.isNaN(best[o]!)) return;
        seen[o] = 1;
        best[o] = value;
        out[o] = Math.floor(position / stride) % x!.shape[axis]!;
      });
      return [out];
    },
    derivative: { kind: "zero" },
    batch: ([x], _, { axis }) => [bind1(argReduction(combiner), { axis: axis + 1 }, x!)],
  });
}

function argReduction(combiner: "max" | "min"): Operation<{ axis: number }> {
  return combiner === "max" ? argmaxOperation : argminOperation;
}

/** Index of the first maximum along one axis; the first NaN wins. */
export const argmaxOperation: Operation<{ axis: number }> = defineArgReduction("max");
/** Index of the first minimum along one axis; the first NaN wins. */
export const argminOperation: Operation<{ axis: number }> = defineArgReduction("min");

/** Applies a reduction over axes; none leaves the value as it is. */
export function reduce(
  operation: Operation<ReduceParams>,
  x: Value,
  axes: readonly number[],
): Value {
  return bind1(operation, { axes }, x);
}
