// What operations over the last axis are written with: a value for each row, and back beside its elements.

import type { BatchRule, Operation, Params } from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add, div, square } from "./arithmetic.ts";
import { allBatched, reshape } from "./broadcast.ts";
import { rsqrt } from "./elementary.ts";
import { reduce, type ReduceParams, sumOperation } from "./reduction.ts";

/** What a reduction makes of each row. */
export function alongRow(operation: Operation<ReduceParams>, rows: Value): Value {
  return reduce(operation, rows, [rows.aval.shape.length - 1]);
}

/** The sum of each row. */
export function rowSum(rows: Value): Value {
  return alongRow(sumOperation, rows);
}

/** A value a row, beside the elements of the row. */
export function besideRow(x: Value): Value {
  return reshape(x, [...x.aval.shape, 1]);
}

/** What a reduction makes of each row, beside its elements. */
export function overRow(operation: Operation<ReduceParams>, rows: Value): Value {
  return besideRow(alongRow(operation, rows));
}

/** The sum of each row, beside its elements. */
export function sumOverRow(rows: Value): Value {
  return overRow(sumOperation, rows);
}

/** The mean of each row, beside its elements. */
export function meanOverRow(rows: Value): Value {
  return div(sumOverRow(rows), rows.aval.shape[rows.aval.shape.length - 1]!);
}

/** 1 over the root of each row's mean square and eps, beside its elements. */
export function inverseRoot(rows: Value, eps: number): Value {
  return rsqrt(add(meanOverRow(square(rows)), eps));
}

/** The same operation serves any leading axes, one of a batch too; vectors beside the first input have none. */
export function batchFirst<P extends Params>(operation: () => Operation<P>): BatchRule<P> {
  return (inputs, [first, ...rest], params) =>
    first && !rest.includes(true) ? bind(operation(), params, ...inputs) : undefined;
}

/** The same for operations whose inputs all have the leading axes. */
export function batchAll<P extends Params>(operation: () => Operation<P>): BatchRule<P> {
  return (inputs, batched, params, size) =>
    bind(operation(), params, ...allBatched(inputs, batched, size));
}
