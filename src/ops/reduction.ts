// Reductions: many elements to one along some axes. Floats are joined in float32 and rounded once.

import { type DType, isFloating } from "../core/dtype.ts";
import { rowMajorStrides, type Shape, sizeOf } from "../core/shape.ts";
import { type Combiner, type Operation, registerOperation, type Tensor } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { div } from "./arithmetic.ts";
import { astype } from "./cast.ts";

/** The static arguments of a reduction: sorted, non-negative axes; reduced axes vanish. */
export interface ReduceParams {
  readonly [key: string]: unknown;
  readonly axes: readonly number[];
}

/** The shape that remains when axes are reduced. */
export function reducedShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** Walks every element with the number of the result that it belongs to. */
function forEachReduced(
  x: Tensor,
  axes: readonly number[],
  visit: (out: number, value: number, position: number) => void,
): void {
  const outStrides = rowMajorStrides(reducedShape(x.shape, axes));
  let kept = 0;
  const strides = x.shape.map((_, axis) => axes.includes(axis) ? 0 : outStrides[kept++]!);
  for (let i = 0; i < x.values.length; i++) {
    let rest = i;
    let out = 0;
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      const extent = x.shape[axis]!;
      out += (rest % extent) * strides[axis]!;
      rest = Math.floor(rest / extent);
    }
    visit(out, x.values[i]!, i);
  }
}

function defineReduction(
  combiner: Combiner,
  precision: "full" | "follow",
  identity: (dtype: DType) => number,
  join: (a: number, b: number, dtype: DType) => number,
): Operation<ReduceParams> {
  return registerOperation<ReduceParams>({
    name: `reduce_${combiner}`,
    precision,
    lower: { kind: "reduce", combiner },
    aval: ([x], { axes }) => ({ shape: reducedShape(x!.shape, axes), dtype: x!.dtype }),
    evaluate: ([x], { axes }, [output]) => {
      const out = new Float64Array(sizeOf(output!.shape)).fill(identity(x!.dtype));
      forEachReduced(x!, axes, (o, value) => out[o] = join(out[o]!, value, x!.dtype));
      return [out];
    },
  });
}

/** The least value of a dtype: the identity of max. */
export function lowest(dtype: DType): number {
  return dtype === "int32" ? -(2 ** 31) : isFloating(dtype) ? -Infinity : 0;
}

/** The greatest value of a dtype: the identity of min. */
export function highest(dtype: DType): number {
  if (isFloating(dtype)) return Infinity;
  return dtype === "int32" ? 2 ** 31 - 1 : dtype === "uint32" ? 2 ** 32 - 1 : 1;
}

const wrappingProduct = (a: number, b: number, dtype: DType) =>
  isFloating(dtype) ? a * b : Math.imul(a, b);

/** Sum. */
export const sumOperation: Operation<ReduceParams> = defineReduction(
  "sum",
  "full",
  () => 0,
  (a, b) => a + b,
);
/** Product. */
export const prodOperation: Operation<ReduceParams> = defineReduction(
  "prod",
  "full",
  () => 1,
  wrappingProduct,
);
/** Maximum; NaN wins. */
export const maxOperation: Operation<ReduceParams> = defineReduction(
  "max",
  "follow",
  lowest,
  (a, b) => Math.max(a, b),
);
/** Minimum; NaN wins. */
export const minOperation: Operation<ReduceParams> = defineReduction(
  "min",
  "follow",
  highest,
  (a, b) => Math.min(a, b),
);
/** Whether any is true. */
export const anyOperation: Operation<ReduceParams> = defineReduction(
  "any",
  "follow",
  () => 0,
  (a, b) => a || b,
);
/** Whether all are true. */
export const allOperation: Operation<ReduceParams> = defineReduction(
  "all",
  "follow",
  () => 1,
  (a, b) => a && b,
);

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
  });
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
