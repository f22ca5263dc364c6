// Movement: operations that rename elements without computing. They lower to views, which fusion folds into
// whatever reads them.

import { rowMajorStrides, type Shape, sizeOf } from "../core/shape.ts";
import { forEachElement } from "../core/view.ts";
import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { sub } from "./arithmetic.ts";
import { broadcastTo, reshape, sumOperation, withBatchAxis } from "./broadcast.ts";
import { constant } from "./constant.ts";
import { defineView } from "./define_view.ts";
import { where } from "./selection.ts";

export { broadcastOperation, broadcastTo, reshape, reshapeOperation } from "./broadcast.ts";

/** Axis i of the result is axis `axes[i]` of the input. */
export const transposeOperation: Operation<{ axes: readonly number[] }> = defineView({
  name: "transpose",
  movement: (_, { axes }) => ({ kind: "transpose", axes }),
  transpose: (cotangent, _, { axes }) => transpose(cotangent, axes.map((_, i) => axes.indexOf(i))),
  batch: ([x], _, { axes }) => [transpose(x!, [0, ...axes.map((axis) => axis + 1)])],
});

/** Static arguments of a strided window. */
interface SliceParams {
  readonly [key: string]: unknown;
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly shape: Shape;
}

/** Every `steps[i]`-th element from `starts[i]` on; a negative step walks backwards. */
export const sliceOperation: Operation<SliceParams> = defineView({
  name: "slice",
  movement: (_, { starts, steps, shape }) => ({ kind: "slice", starts, steps, shape }),
  transpose: (cotangent, x, { starts, steps }) => unslice(cotangent, starts, steps, x.aval.shape),
  batch: ([x], _, { starts, steps, shape }, size) => [
    slice(x!, [0, ...starts], [1, ...steps], [size, ...shape]),
  ],
});

/** Puts a window's elements back where they came from, zeros elsewhere. */
export function unslice(
  window: Value,
  starts: readonly number[],
  steps: readonly number[],
  shape: Shape,
): Value {
  let spread = window;
  const low: number[] = [];
  shape.forEach((extent, axis) => {
    const count = window.aval.shape[axis]!;
    const step = Math.abs(steps[axis]!);
    const backwards = steps[axis]! < 0;
    if (backwards) spread = flipAxis(spread, axis);
    if (step > 1) spread = dilate(spread, axis, step);
    low[axis] = backwards ? starts[axis]! - step * Math.max(count - 1, 0) : starts[axis]!;
    if (count === 0) low[axis] = Math.min(low[axis]!, extent);
  });
  const high = shape.map((extent, axis) => extent - low[axis]! - spread.aval.shape[axis]!);
  return pad(spread, constant(0, window.aval.dtype), low, high);
}

function flipAxis(x: Value, axis: number): Value {
  const { shape } = x.aval;
  const starts = shape.map((extent, a) => a === axis ? Math.max(extent - 1, 0) : 0);
  return slice(x, starts, shape.map((_, a) => a === axis ? -1 : 1), shape);
}

/** Puts `step - 1` zeros between neighbours: pads a new axis and folds it into the one before. */
export function dilate(x: Value, axis: number, step: number): Value {
  const { shape, dtype } = x.aval;
  const [before, count, after] = [shape.slice(0, axis), shape[axis]!, shape.slice(axis + 1)];
  const split = reshape(x, [...before, count, 1, ...after]);
  const none = split.aval.shape.map(() => 0);
  const high = none.map((_, a) => a === axis + 1 ? step - 1 : 0);
  const padded = pad(split, constant(0, dtype), none, high);
  const joined = reshape(padded, [...before, count * step, ...after]);
  const kept = [...before, Math.max(0, (count - 1) * step + 1), ...after];
  return count === 0 ? x : slice(joined, kept.map(() => 0), kept.map(() => 1), kept);
}

/** Surrounds an array with a constant: `low` and `high` elements are added at the ends of each axis. */
export const padOperation: Operation<{ low: readonly number[]; high: readonly number[] }> =
  registerOperation({
    name: "pad",
    precision: "follow",
    operandTypes: "first",
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
    derivative: {
      kind: "linear",
      transpose: (cotangent, [x, fill], { low }) => {
        const inner = slice(cotangent, low, low.map(() => 1), x!.aval.shape);
        const axes = x!.aval.shape.map((_, axis) => axis);
        const total = (v: Value) => bind1(sumOperation, { axes }, v);
        // The fill receives what falls outside: everything less the middle.
        return [inner, reshape(sub(total(cotangent), total(inner)), fill!.aval.shape)];
      },
    },
    batch: ([x, fill], [xBatched, fillBatched], { low, high }, size) => {
      const whole = xBatched ? x! : withBatchAxis(x!, size);
      const around = (v: Value, by: Value) => pad(v, by, [0, ...low], [0, ...high]);
      if (!fillBatched) return [around(whole, fill!)];
      const { shape, dtype } = whole.aval;
      const inside = around(broadcastTo(constant(1, "bool"), shape), constant(0, "bool"));
      const fills = reshape(fill!, [size, ...low.map(() => 1)]);
      return [where(inside, around(whole, constant(0, dtype)), fills)];
    },
  });

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
