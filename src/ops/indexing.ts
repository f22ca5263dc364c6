// Indexing by arrays: gathers and scatters over one axis, and the arithmetic that brings indices of several
// axes to one. Public functions bring every other form to these.

import { type DType, isFloating } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { defineElementwise } from "./define.ts";

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
});

/** What happens where an update meets an element. */
export type ScatterMode = "set" | "add" | "mul" | "min" | "max";

/** The static argument of a scatter. */
export interface ScatterParams extends Params {
  readonly mode: ScatterMode;
}

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
});

/** How {@linkcode flattenIndicesOperation} brings indices of several axes to one. */
export interface FlattenIndicesParams extends Params {
  /** The extents of the axes, one for each input. */
  readonly extents: readonly number[];
  /** An index out of range becomes the nearest one, or drops its whole position. */
  readonly outside: "clamp" | "drop";
}

/** What no array has as an index: extents are below 2**32. */
const noIndex = 2 ** 32 - 1;

/**
 * Row-major positions (uint32) in an array of `extents`, from one array of indices for each axis. Negative
 * indices count from the end.
 */
export const flattenIndicesOperation: Operation<FlattenIndicesParams> = defineElementwise<
  FlattenIndicesParams
>({
  name: "flattenIndices",
  exact: true,
  result: "uint32",
  reference: (args, { params: { extents, outside } }) => {
    let flat = 0;
    for (let axis = 0; axis < extents.length; axis++) {
      const n = extents[axis]!;
      const index = args[axis]! < 0 ? args[axis]! + n : args[axis]!;
      if (outside === "drop" && (index < 0 || index >= n)) return noIndex;
      flat = flat * n + clamp(index, n);
    }
    return flat;
  },
  wgsl: (args, { params: { extents, outside }, inputs }) => {
    // Adding the extent to a negative index wraps around to the position that it counts to, or, where it
    // is out of range, stays a huge number.
    const places = args.map((x, axis) =>
      inputs[axis] === "uint32"
        ? x
        : `(bitcast<vec4u>(${x}) + select(vec4u(0u), vec4u(${extents[axis]}u), ${x} < vec4i(0)))`
    );
    const clamped = places.map((place, axis) => {
      const last = `vec4u(${Math.max(extents[axis]! - 1, 0)}u)`;
      const nearest = `min(${place}, ${last})`;
      return inputs[axis] === "uint32" || outside === "drop"
        ? nearest
        : `select(${nearest}, vec4u(0u), ${args[axis]} < vec4i(${
          Math.max(-extents[axis]!, -(2 ** 31))
        }))`;
    });
    const flat = clamped.reduce((sum, place, axis) =>
      `(${sum} * vec4u(${extents[axis]}u) + ${place})`
    );
    if (outside === "clamp") return flat;
    const valid = places.map((place, axis) => `(${place} < vec4u(${extents[axis]}u))`).join(" & ");
    return `select(vec4u(${noIndex}u), ${flat}, ${valid})`;
  },
});

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

/** Brings integer indices of several axes to one; see {@linkcode flattenIndicesOperation}. */
export function flattenIndices(
  indices: readonly Value[],
  extents: readonly number[],
  outside: "clamp" | "drop",
): Value {
  return bind1(flattenIndicesOperation, { extents, outside }, ...indices);
}
