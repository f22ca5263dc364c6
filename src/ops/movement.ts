// Movement: operations that rename elements without computing. They lower to views, which fusion folds into
// whatever reads them.

import { rowMajorStrides, sameShape, type Shape, sizeOf } from "../core/shape.ts";
import { denseView, forEachElement, moveChain, type Movement } from "../core/view.ts";
import type { Aval } from "../ir/aval.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";

/** Defines an operation that is a movement: its shape, its reference and its kernel all follow from it. */
function defineView<P extends Params>(
  name: string,
  movement: (input: Aval, params: P) => Movement,
): Operation<P> {
  const shapeOf = (input: Aval, params: P) => {
    const top = moveChain([denseView(input.shape)], movement(input, params));
    return top[top.length - 1]!.shape;
  };
  return registerOperation<P>({
    name,
    precision: "follow",
    lower: { kind: "view", movement: ([x], params) => movement(x!, params) },
    aval: ([x], params) => ({ shape: shapeOf(x!, params), dtype: x!.dtype, weak: x!.weak }),
    evaluate: ([x], params, [output]) => {
      const out = new Float64Array(sizeOf(output!.shape));
      const chain = moveChain([denseView(x!.shape)], movement(x!, params));
      forEachElement(chain, (source, position) => out[position] = x!.values[source]!);
      return [out];
    },
  });
}

/** Stretches axes of extent 1 and adds leading ones; shapes are checked by the caller. */
export const broadcastOperation: Operation<{ shape: Shape }> = defineView(
  "broadcastTo",
  (_, { shape }) => ({ kind: "broadcast", shape }),
);

/** The same elements in row-major order under another shape of the same size. */
export const reshapeOperation: Operation<{ shape: Shape }> = defineView(
  "reshape",
  (_, { shape }) => ({ kind: "reshape", shape }),
);

/** Axis i of the result is axis `axes[i]` of the input. */
export const transposeOperation: Operation<{ axes: readonly number[] }> = defineView(
  "transpose",
  (_, { axes }) => ({ kind: "transpose", axes }),
);

/** Every `steps[i]`-th element from `starts[i]` on; a negative step walks backwards. */
export const sliceOperation: Operation<
  { starts: readonly number[]; steps: readonly number[]; shape: Shape }
> = defineView(
  "slice",
  (_, { starts, steps, shape }) => ({ kind: "slice", starts, steps, shape }),
);

/** Surrounds an array with a constant: `low` and `high` elements are added at the ends of each axis. */
export const padOperation: Operation<{ low: readonly number[]; high: readonly number[] }> =
  registerOperation({
    name: "pad",
    precision: "follow",
    lower: { kind: "pad" },
    aval: ([x], { low, high }) => ({
      shape: x!.shape.map((extent, axis) => extent + low[axis]! + high[axis]!),
      dtype: x!.dtype,
    }),
    evaluate: ([x, fill], { low }, [output]) => {
      const out = new Float64Array(sizeOf(output!.shape)).fill(fill!.values[0]!);
      const strides = rowMajorStrides(output!.shape);
      const base = low.reduce((sum, l, axis) => sum + l * strides[axis]!, 0);
      const inner = [{ shape: x!.shape, strides, offset: base, bounds: [] }];
      forEachElement(inner, (target, source) => out[target] = x!.values[source]!);
      return [out];
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

/** Permutes the axes. */
export function transpose(x: Value, axes: readonly number[]): Value {
  return axes.every((a, i) => a === i) ? x : bind1(transposeOperation, { axes }, x);
}

/** A strided window: `shape[i]` elements from `starts[i]` in steps of `steps[i]`. */
export function slice(
  x: Value,
  starts: readonly number[],
  steps: readonly number[],
  shape: Shape,
): Value {
  return bind1(sliceOperation, { starts, steps, shape }, x);
}

/** Adds `low[i]` and `high[i]` elements of the scalar `fill` (of the same dtype) around each axis. */
export function pad(
  x: Value,
  fill: Value,
  low: readonly number[],
  high: readonly number[],
): Value {
  return bind1(padOperation, { low, high }, x, fill);
}
