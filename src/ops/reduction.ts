// Reductions: many elements to one along some axes. Floats are joined in float32 and rounded once.

import { type DType, isFloating } from "../core/dtype.ts";
import { rowMajorStrides, sizeOf } from "../core/shape.ts";
import { type Derivative, type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { div, mul } from "./arithmetic.ts";
import { stretchReduced, sumOperation, widened } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { equal } from "./comparison.ts";
import {
  batchReduction,
  defineReduction,
  forEachReduced,
  highest,
  lowest,
  reducedShape,
  type ReduceParams,
} from "./define_reduction.ts";
import { productsOfOthers } from "./product.ts";
import { where } from "./selection.ts";

export { sumOperation } from "./broadcast.ts";
export { highest, lowest, reducedShape, type ReduceParams } from "./define_reduction.ts";

const wrappingProduct = (a: number, b: number, dtype: DType) =>
  isFloating(dtype) ? a * b : Math.imul(a, b);

const total = (x: Value, axes: readonly number[]): Value => bind1(sumOperation, { axes }, x);

/** The product of the other elements is what an element counts with: right where some are 0. */
const prodDerivative: Derivative<ReduceParams> = {
  kind: "structured",
  jvp: ([x], [tangent], _, { axes }) => [
    astype(total(mul(widened(tangent!), productsOfOthers(x!, axes)), axes), x!.aval.dtype),
  ],
  vjp: ([cotangent], [x], _, { axes }) => {
    const stretched = stretchReduced(cotangent!, x!.aval.shape, axes);
    return [astype(mul(stretched, productsOfOthers(x!, axes)), x!.aval.dtype)];
  },
};

/** Equal extremes share equally, as JAX has it. */
const extremeDerivative: Derivative<ReduceParams> = {
  kind: "structured",
  jvp: ([x], [tangent], [output], { axes }) => {
    const chosen = equal(x!, stretchReduced(output!, x!.aval.shape, axes));
    const moved = total(where(chosen, widened(tangent!), 0), axes);
    return [astype(div(moved, total(astype(chosen, "float32"), axes)), x!.aval.dtype)];
  },
  vjp: ([cotangent], [x], [output], { axes }) => {
    const { shape, dtype } = x!.aval;
    const chosen = equal(x!, stretchReduced(output!, shape, axes));
    const share = div(widened(cotangent!), total(astype(chosen, "float32"), axes));
    return [astype(where(chosen, stretchReduced(share, shape, axes), 0), dtype)];
  },
};

/** Product. */
export const prodOperation: Operation<ReduceParams> = defineReduction({
  combiner: "prod",
  precision: "full",
  identity: () => 1,
  join: wrappingProduct,
  derivative: prodDerivative,
});
/** Maximum; NaN wins. */
export const maxOperation: Operation<ReduceParams> = defineReduction({
  combiner: "max",
  precision: "follow",
  identity: lowest,
  join: (a, b) => Math.max(a, b),
  derivative: extremeDerivative,
});
/** Minimum; NaN wins. */
export const minOperation: Operation<ReduceParams> = defineReduction({
  combiner: "min",
  precision: "follow",
  identity: highest,
  join: (a, b) => Math.min(a, b),
  derivative: extremeDerivative,
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
