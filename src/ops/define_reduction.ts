// What defines a reduction as an operation: many elements to one along some axes, floats joined in float32
// and rounded once.

import { type DType, isFloating } from "../core/dtype.ts";
import { rowMajorStrides, type Shape, sizeOf } from "../core/shape.ts";
import {
  type BatchRule,
  type Combiner,
  type Derivative,
  type Operation,
  registerOperation,
  type Tensor,
} from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";

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
export function forEachReduced(
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

/** Reduces the same axes behind a leading batch axis. */
export function batchReduction(operation: () => Operation<ReduceParams>): BatchRule<ReduceParams> {
  return ([x], _, { axes }) => [bind1(operation(), { axes: axes.map((axis) => axis + 1) }, x!)];
}

/** A reduction as its family's file states it. */
export interface ReductionRecord {
  readonly combiner: Combiner;
  readonly precision: "full" | "follow";
  /** What an empty axis gives. */
  identity(dtype: DType): number;
  join(a: number, b: number, dtype: DType): number;
  readonly derivative?: Derivative<ReduceParams>;
}

/** Defines a reduction. */
export function defineReduction(record: ReductionRecord): Operation<ReduceParams> {
  const { combiner, precision, identity, join, derivative } = record;
  const operation: Operation<ReduceParams> = registerOperation<ReduceParams>({
    name: `reduce_${combiner}`,
    precision,
    lower: { kind: "reduce", combiner },
    aval: ([x], { axes }) => ({ shape: reducedShape(x!.shape, axes), dtype: x!.dtype }),
    evaluate: ([x], { axes }, [output]) => {
      const out = new Float64Array(sizeOf(output!.shape)).fill(identity(x!.dtype));
      forEachReduced(x!, axes, (o, value) => out[o] = join(out[o]!, value, x!.dtype));
      return [out];
    },
    derivative,
    batch: batchReduction(() => operation),
  });
  return operation;
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
