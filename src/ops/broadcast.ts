// Stretching, reshaping and summing: broadcasting and summation are each other's transpose, so they live
// together.

import { isHalf } from "../core/dtype.ts";
import { sameShape, type Shape } from "../core/shape.ts";
import type { Operation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "./cast.ts";
import { defineReduction, type ReduceParams } from "./define_reduction.ts";
import { defineView } from "./define_view.ts";

/** Stretches axes of extent 1 and adds leading ones; shapes are checked by the caller. */
export const broadcastOperation: Operation<{ shape: Shape }> = defineView({
  name: "broadcastTo",
  movement: (_, { shape }) => ({ kind: "broadcast", shape }),
  transpose: (cotangent, x) => unbroadcast(cotangent, x.aval.shape),
  batch: ([x], _, { shape }, size) => {
    // New axes of the shape come behind the batch axis.
    const [, ...own] = x!.aval.shape;
    const aligned = reshape(x!, [size, ...new Array(shape.length - own.length).fill(1), ...own]);
    return [broadcastTo(aligned, [size, ...shape])];
  },
});

/** The same elements in row-major order under another shape of the same size. */
export const reshapeOperation: Operation<{ shape: Shape }> = defineView({
  name: "reshape",
  movement: (_, { shape }) => ({ kind: "reshape", shape }),
  transpose: (cotangent, x) => reshape(cotangent, x.aval.shape),
  batch: ([x], _, { shape }, size) => [reshape(x!, [size, ...shape])],
});

/** Sum. */
export const sumOperation: Operation<ReduceParams> = defineReduction({
  combiner: "sum",
  precision: "full",
  identity: () => 0,
  join: (a, b) => a + b,
  derivative: {
    kind: "linear",
    transpose: (cotangent, [x], { axes }) => [stretchReduced(cotangent, x!.aval.shape, axes)],
  },
});

/** Stretches to a shape that the value's own broadcasts to. */
export function broadcastTo(x: Value, shape: Shape): Value {
  return sameShape(x.aval.shape, shape) ? x : bind1(broadcastOperation, { shape }, x);
}

/** The same elements under another shape of the same size. */
export function reshape(x: Value, shape: Shape): Value {
  return sameShape(x.aval.shape, shape) ? x : bind1(reshapeOperation, { shape }, x);
}

/** Repeats the result of a reduction along the axes that it reduced. */
export function stretchReduced(reduced: Value, shape: Shape, axes: readonly number[]): Value {
  const kept = shape.map((extent, axis) => axes.includes(axis) ? 1 : extent);
  return broadcastTo(reshape(reduced, kept), shape);
}

/** Sums over what broadcasting had stretched, in float32. */
export function unbroadcast(stretched: Value, shape: Shape): Value {
  const from = stretched.aval.shape;
  if (sameShape(from, shape)) return stretched;
  const lead = from.length - shape.length;
  const axes = from.flatMap((extent, axis) =>
    axis < lead || (shape[axis - lead] === 1 && extent !== 1) ? [axis] : []
  );
  return reshape(axes.length ? bind1(sumOperation, { axes }, stretched) : stretched, shape);
}

/** Repeats a value along a new leading axis. */
export function withBatchAxis(x: Value, size: number): Value {
  return broadcastTo(reshape(x, [1, ...x.aval.shape]), [size, ...x.aval.shape]);
}

/** Gives every value a leading batch axis: what batching rules do that cannot tell the values apart. */
export function allBatched(
  values: readonly Value[],
  batched: readonly boolean[],
  size: number,
): Value[] {
  return values.map((x, i) => batched[i] ? x : withBatchAxis(x, size));
}

/** Half floats as float32, anything else as it is: what rules compute in before they round once. */
export function widened(x: Value): Value {
  return isHalf(x.aval.dtype) ? astype(x, "float32") : x;
}
