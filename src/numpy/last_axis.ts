// Row operations over any axes: kernels know the last axis only, so the others are moved there and back.

import { sizeOf } from "../core/shape.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { reshape, transpose } from "../ops/movement.ts";
import { logSoftmaxOperation, logSumExpOperation, softmaxOperation } from "../ops/softmax.ts";

/** A function of rows: it keeps their length, or reduces each to one element. */
export type RowFunction = (rows: Value) => Value;

/** The logarithm of each row's summed exponentials. */
export const logSumExp: RowFunction = (rows) => bind1(logSumExpOperation, {}, rows);
/** Each row's exponentials over their sum. */
export const softmaxRows: RowFunction = (rows) => bind1(softmaxOperation, {}, rows);
/** The logarithm of each row's softmax. */
export const logSoftmaxRows: RowFunction = (rows) => bind1(logSoftmaxOperation, {}, rows);

/** Applies a function of rows over sorted axes, which are one row together. */
export function overLastAxis(x: Value, axes: readonly number[], fn: RowFunction): Value {
  const { shape } = x.aval;
  const kept = shape.flatMap((_, axis) => axes.includes(axis) ? [] : [axis]);
  const order = [...kept, ...axes];
  const moved = transpose(x, order);
  const outer = kept.map((axis) => shape[axis]!);
  const length = sizeOf(axes.map((axis) => shape[axis]!));
  const result = fn(reshape(moved, [...outer, length]));
  if (result.aval.shape.length === outer.length) return result;
  const back = order.map((_, axis) => order.indexOf(axis));
  return transpose(reshape(result, moved.aval.shape), back);
}
