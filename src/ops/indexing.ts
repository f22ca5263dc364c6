// Indexing by arrays: gathers and scatters over one axis. Public functions bring every other form to these.
// Gathers and scatters are each other's derivatives, so they live together.

import { type DType, isFloating } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { allBatched, broadcastTo, reshape } from "./broadcast.ts";
import { add, mul } from "./arithmetic.ts";
import { astype } from "./cast.ts";
import { greaterEqual, less } from "./comparison.ts";
import { constant, iota } from "./constant.ts";
import { logicalAnd } from "./logic.ts";
import { transpose } from "./movement.ts";
import { scatterDerivative, type ScatterMode, type ScatterParams } from "./scatter_derivative.ts";
import { clip, where } from "./selection.ts";

export type { ScatterMode, ScatterParams };
export {
  flattenIndices,
  flattenIndicesOperation,
  type FlattenIndicesParams,
} from "./flatten_indices.ts";

/** The static argument of operations along one axis, counted from 0. */
export interface AxisParams extends Params {
  readonly axis: number;
}

/** An array seen as `[outer, n, inner]` around an axis. */
export function aroundAxis(
  shape: Shape,
  axis: number,
): { readonly outer: number; readonly n: number; readonly inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    n: shape[axis]!,
    inner: sizeOf(shape.slice(axis + 1)),
  };
}

function checkIndices(what: string, { dtype }: Aval): void {
  if (dtype === "int32" || dtype === "uint32") return;
  throw new TypeError(
    `Cannot ${what}: indices must be int32 or uint32, got ${dtype}; convert them with astype("int32")`,
  );
}

function checkNotEmpty(what: string, x: Aval, axis: number, output: Shape): void {
  if (x.shape[axis] !== 0 || sizeOf(output) === 0) return;
  throw new RangeError(
    `Cannot ${what}: axis ${axis} must not be empty where indices are given, got shape ${
      showShape(x.shape)
    }`,
  );
}

const clamp = (index: number, n: number): number => Math.min(Math.max(index, 0), n - 1);

/** Rows picked along an axis by one list of indices, of any shape; those out of range clamp. */
export const takeOperation: Operation<AxisParams> = registerOperation<AxisParams>({
  name: "take",
  precision: "follow",
  lower: { kind: "kernel", kernel: "take" },
  aval: ([x, indices], { axis }) => {
    checkIndices("take", indices!);
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)];
    checkNotEmpty("take", x!, axis, shape);
    return { shape, dtype: x!.dtype, weak: x!.weak };
  },
  evaluate: ([x, indices], { axis }, [output]) => {
    const { outer, n, inner } = aroundAxis(x!.shape, axis);
    const out = new Float64Array(sizeOf(output!.shape));
    let to = 0;
    for (let o = 0; o < outer; o++) {
      for (const index of indices!.values) {
        const from = (o * n + clamp(index, n)) * inner;
        out.set(x!.values.subarray(from, from + inner), to);
        to += inner;
      }
    }
    return [out];
  },
  derivative: {
    kind: "linear",
    inputs: [0],
    transpose: (cotangent, [x, indices], { axis }) => [
      addRows(cotangent, indices!, axis, x!.aval.shape),
    ],
  },
  batch: ([x, indices], batched, { axis }, size) => [
    batchTake(x!, indices!, axis, batched, size),
  ],
});

/** One element for every index: shapes agree except along the axis; indices out of range clamp. */
export const takeAlongAxisOperation: Operation<AxisParams> = registerOperation<AxisParams>({
  name: "takeAlongAxis",
  precision: "follow",
  lower: { kind: "kernel", kernel: "takeAlongAxis" },
  aval: ([x, indices], { axis }) => {
    checkIndices("takeAlongAxis", indices!);
    const fits = x!.shape.length === indices!.shape.length &&
      x!.shape.every((extent, a) => a === axis || extent === indices!.shape[a]);
    if (!fits) {
      throw new RangeError(
        `Cannot takeAlongAxis: shapes must match except along axis ${axis}, got ${
          showShape(x!.shape)
        } and ${showShape(indices!.shape)}`,
      );
    }
    checkNotEmpty("takeAlongAxis", x!, axis, indices!.shape);
    return { shape: indices!.shape, dtype: x!.dtype, weak: x!.weak };
  },
  evaluate: ([x, indices], { axis }) => {
    const { n, inner } = aroundAxis(x!.shape, axis);
    const block = indices!.shape[axis]! * inner;
    return [
      indices!.values.map((index, at) =>
        x!.values[(Math.floor(at / block) * n + clamp(index, n)) * inner + at % inner]!
      ),
    ];
  },
  derivative: {
    kind: "linear",
    inputs: [0],
    transpose: (cotangent, [x, indices], { axis }) => [
      addAlongAxis(cotangent, indices!, axis, x!.aval.shape),
    ],
  },
  batch: (inputs, batched, { axis }, size) => {
    const [x, indices] = allBatched(inputs, batched, size) as [Value, Value];
    return [takeAlongAxis(x, indices, axis + 1)];
  },
});

function combine(mode: ScatterMode, dtype: DType, a: number, b: number): number {
  switch (mode) {
    case "set":
      return b;
    case "add":
      return dtype === "bool" ? a || b : a + b;
    case "mul":
      return isFloating(dtype) ? a * b : Math.imul(a, b);
    case "min":
      return Math.min(a, b);
    case "max":
      return Math.max(a, b);
  }
}

/**
 * Updates `[count, inner]` joined with rows of an operand `[n, inner]` by their indices `[count]`. Indices
 * out of range are dropped; of several that are set the last stays.
 */
export const scatterOperation: Operation<ScatterParams> = registerOperation<ScatterParams>({
  name: "scatter",
  precision: "follow",
  operandTypes: "first",
  lower: { kind: "kernel", kernel: "scatter" },
  aval: ([operand, indices, updates]) => {
    checkIndices("scatter", indices!);
    const [, inner] = operand!.shape;
    const [count, width] = updates!.shape;
    const fits = operand!.shape.length === 2 && updates!.shape.length === 2 &&
      indices!.shape.length === 1 && indices!.shape[0] === count && width === inner;
    if (fits && operand!.dtype === updates!.dtype) return { ...operand!, weak: undefined };
    throw new RangeError(
      `Cannot scatter: an operand [n, inner], indices [count] and updates [count, inner] of one dtype are required, got ${
        [operand, indices, updates].map((v) => `${v!.dtype}${showShape(v!.shape)}`).join(", ")
      }`,
    );
  },
  evaluate: ([operand, indices, updates], { mode }) => {
    const { shape: [n, inner], dtype } = operand! as { shape: Shape; dtype: DType };
    const out = operand!.values.slice();
    indices!.values.forEach((row, at) => {
      if (row < 0 || row >= n!) return;
      for (let i = 0; i < inner!; i++) {
        const place = row * inner! + i;
        out[place] = combine(mode, dtype, out[place]!, updates!.values[at * inner! + i]!);
      }
    });
    return [out];
  },
  derivative: scatterDerivative({ take, scatter, isInside }),
  batch: (inputs, batched, { mode }, size) => {
    const [operand, indices, updates] = allBatched(inputs, batched, size) as [Value, Value, Value];
    const [, n, inner] = operand.aval.shape as [number, number, number];
    const { shape: [, count], dtype } = indices.aval as { shape: number[]; dtype: DType };
    const own = add(indices, mul(iota([size, count!], 0, dtype), n));
    // What is out of range stays so: it must not reach the rows of a neighbour.
    const rows = where(isInside(indices, n), own, constant(size * n, dtype));
    const joined = scatter(
      reshape(operand, [size * n, inner]),
      reshape(rows, [size * count!]),
      reshape(updates, [size * count!, inner]),
      mode,
    );
    return [reshape(joined, [size, n, inner])];
  },
});

/** Which indices name one of n elements. */
function isInside(indices: Value, n: number): Value {
  return logicalAnd(greaterEqual(indices, 0), less(indices, n));
}

/** Adds up the rows that {@linkcode take} picked, in the places they were picked from. */
function addRows(rows: Value, indices: Value, axis: number, shape: Shape): Value {
  const { outer, n, inner } = aroundAxis(shape, axis);
  const count = sizeOf(indices.aval.shape);
  const zeros = broadcastTo(constant(0, rows.aval.dtype), [n, outer * inner]);
  if (n === 0 || count === 0) return reshape(zeros, shape);
  const flat = reshape(rows, [outer, count, inner]);
  const updates = reshape(transpose(flat, [1, 0, 2]), [count, outer * inner]);
  const places = clip(reshape(indices, [count]), 0, n - 1);
  const sums = reshape(scatter(zeros, places, updates, "add"), [n, outer, inner]);
  return reshape(transpose(sums, [1, 0, 2]), shape);
}

/** Adds up what {@linkcode takeAlongAxis} picked from an array of `shape`, in the places it was picked from. */
export function addAlongAxis(picked: Value, indices: Value, axis: number, shape: Shape): Value {
  const { shape: from } = indices.aval;
  const { n, inner } = aroundAxis(shape, axis);
  const zeros = broadcastTo(constant(0, picked.aval.dtype), [sizeOf(shape), 1]);
  if (n === 0 || sizeOf(from) === 0) return reshape(zeros, shape);
  const { outer, n: count } = aroundAxis(from, axis);
  const whole = [outer, count, inner];
  const lines = mul(iota(whole, 0, "int32"), n);
  const along = astype(reshape(clip(indices, 0, n - 1), whole), "int32");
  const places = add(mul(add(lines, along), inner), iota(whole, 2, "int32"));
  const size = outer * count * inner;
  const updates = reshape(picked, [size, 1]);
  return reshape(scatter(zeros, reshape(places, [size]), updates, "add"), shape);
}

function batchTake(
  x: Value,
  indices: Value,
  axis: number,
  [xBatched, indicesBatched]: readonly boolean[],
  size: number,
): Value {
  const range = (start: number, end: number) =>
    Array.from({ length: end - start }, (_, i) => start + i);
  if (!indicesBatched) return take(x, indices, axis + 1);
  if (!xBatched) {
    const out = take(x, indices, axis);
    const rank = out.aval.shape.length;
    return transpose(out, [axis, ...range(0, axis), ...range(axis + 1, rank)]);
  }
  // Every example's rows lie behind those of the one before it.
  const { shape } = x.aval;
  const n = shape[axis + 1]!;
  const rest = range(1, shape.length).filter((a) => a !== axis + 1);
  const rows = reshape(transpose(x, [0, axis + 1, ...rest]), [
    size * n,
    ...rest.map((a) => shape[a]!),
  ]);
  const { dtype, shape: places } = indices.aval;
  const own = add(clip(indices, 0, Math.max(n - 1, 0)), mul(iota(places, 0, dtype), n));
  const out = take(rows, own, 0);
  const rank = out.aval.shape.length;
  const [before, count] = [places.length, axis];
  return transpose(out, [
    0,
    ...range(before, before + count),
    ...range(1, before),
    ...range(before + count, rank),
  ]);
}

/** Picks rows along an axis; see {@linkcode takeOperation}. */
export function take(x: Value, indices: Value, axis: number): Value {
  return bind1(takeOperation, { axis }, x, indices);
}

/** Picks an element for every index; see {@linkcode takeAlongAxisOperation}. */
export function takeAlongAxis(x: Value, indices: Value, axis: number): Value {
  return bind1(takeAlongAxisOperation, { axis }, x, indices);
}

/** Joins updates with rows; see {@linkcode scatterOperation}. */
export function scatter(operand: Value, indices: Value, updates: Value, mode: ScatterMode): Value {
  return bind1(scatterOperation, { mode }, operand, indices, updates);
}
