// Concatenation: arrays joined along an axis that they have in common.

import { rowMajorStrides, sameShape, type Shape, sizeOf } from "../core/shape.ts";
import { showShape } from "../core/errors.ts";
import { forEachElement } from "../core/view.ts";
import type { Aval } from "../ir/aval.ts";
import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { allBatched } from "./broadcast.ts";
import { slice } from "./movement.ts";

/** Every element of a result looks at each input, and kernels bind few arrays: more are joined in a tree. */
const mostInputs = 4;

function concatenatedShape(inputs: readonly Aval[], axis: number): Shape {
  const [first] = inputs as [Aval];
  const without = (shape: Shape) => shape.map((extent, a) => a === axis ? 0 : extent);
  for (const { shape } of inputs) {
    if (shape.length === first.shape.length && sameShape(without(shape), without(first.shape))) {
      continue;
    }
    throw new RangeError(
      `Cannot concatenate: shapes must match except along axis ${axis}, got ${
        showShape(first.shape)
      } and ${showShape(shape)}`,
    );
  }
  const total = inputs.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  return first.shape.map((extent, a) => a === axis ? total : extent);
}

/** The inputs, of one dtype, one after the other along `axis`. */
export const concatenateOperation: Operation<{ axis: number }> = registerOperation({
  name: "concatenate",
  precision: "follow",
  lower: { kind: "concatenate" },
  aval: (inputs, { axis }) => ({
    shape: concatenatedShape(inputs, axis),
    dtype: inputs[0]!.dtype,
  }),
  evaluate: (inputs, { axis }, [output]) => {
    const out = new Float64Array(sizeOf(output!.shape));
    const strides = rowMajorStrides(output!.shape);
    let start = 0;
    for (const { shape, values } of inputs) {
      const place = [{ shape, strides, offset: start * strides[axis]!, bounds: [] }];
      forEachElement(place, (target, source) => out[target] = values[source]!);
      start += shape[axis]!;
    }
    return [out];
  },
  derivative: {
    kind: "linear",
    transpose: (cotangent, inputs, { axis }) => {
      let start = 0;
      return inputs.map(({ aval: { shape } }) => {
        const starts = shape.map((_, a) => a === axis ? start : 0);
        start += shape[axis]!;
        return slice(cotangent, starts, shape.map(() => 1), shape);
      });
    },
  },
  batch: (inputs, batched, { axis }, size) => [
    bind1(concatenateOperation, { axis: axis + 1 }, ...allBatched(inputs, batched, size)),
  ],
});

/** Joins values of one dtype along an axis. */
export function concatenate(values: readonly Value[], axis: number): Value {
  if (values.length === 1) return values[0]!;
  if (values.length <= mostInputs) return bind1(concatenateOperation, { axis }, ...values);
  // As few levels as possible: every level copies what the ones below it joined.
  const part = mostInputs ** (Math.ceil(Math.log(values.length) / Math.log(mostInputs)) - 1);
  const joined: Value[] = [];
  for (let i = 0; i < values.length; i += part) {
    joined.push(concatenate(values.slice(i, i + part), axis));
  }
  return concatenate(joined, axis);
}
