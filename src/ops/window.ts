// Windows: parts of an array, at places known beforehand or found while the program runs, read and replaced.

import { showShape } from "../core/errors.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { astype } from "./cast.ts";
import { greaterEqual, less, maximum, minimum } from "./comparison.ts";
import { constant, iota } from "./constant.ts";
import { type ScatterMode, take } from "./indexing.ts";
import { logicalAnd } from "./logic.ts";
import { broadcastTo, unslice } from "./movement.ts";
import { clip, where } from "./selection.ts";

/** The static arguments of an update at places known beforehand. */
export interface UpdateSliceParams extends Params {
  readonly mode: ScatterMode;
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}

function join(mode: ScatterMode, x: Value, update: Value): Value {
  switch (mode) {
    case "set":
      return update;
    case "add":
      return add(x, update);
    case "mul":
      return mul(x, update);
    case "min":
      return minimum(x, update);
    case "max":
      return maximum(x, update);
  }
}

/**
 * A strided window of the first input, of the shape of the second, joined with it. Nothing is scattered: the
 * update is read through a view, so that all of it is one expression.
 */
export const updateSliceOperation: Operation<UpdateSliceParams> = registerOperation<
  UpdateSliceParams
>({
  name: "updateSlice",
  precision: "follow",
  operandTypes: "first",
  aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  lower: {
    kind: "composite",
    decompose: ([x, update], { mode, starts, steps }) => {
      const place = (v: Value) => unslice(v, starts, steps, x!.aval.shape);
      const inside = place(broadcastTo(constant(1, "bool"), update!.aval.shape));
      // What lies outside is kept as it is: -0 plus the 0 around the update would lose its sign.
      return [where(inside, join(mode, x!, place(update!)), x!)];
    },
  },
});

/** The static arguments of a window whose place is found at run time. */
export interface DynamicParams extends Params {
  /** The axes along which the window is smaller than the array: one input is a start along each. */
  readonly axes: readonly number[];
}

/** The static arguments of a window read at run time. */
export interface DynamicSliceParams extends DynamicParams {
  /** The window's extent along each of the axes. */
  readonly sizes: readonly number[];
}

/** Where a window begins: negative starts count from the end, and it is moved inside the array. */
function clampStart(start: Value, extent: number, size: number): Value {
  if (start.aval.dtype === "uint32") return astype(minimum(start, extent - size), "int32");
  return clip(where(less(start, 0), add(start, extent), start), 0, extent - size);
}

/** The window `sizes` of the first input that begins at the other inputs. */
export const dynamicSliceOperation: Operation<DynamicSliceParams> = registerOperation<
  DynamicSliceParams
>({
  name: "dynamicSlice",
  precision: "follow",
  aval: ([x], { axes, sizes }) => ({
    shape: x!.shape.map((extent, axis) =>
      axes.includes(axis) ? sizes[axes.indexOf(axis)]! : extent
    ),
    dtype: x!.dtype,
    weak: x!.weak,
  }),
  lower: {
    kind: "composite",
    decompose: ([x, ...starts], { axes, sizes }) => {
      let window = x!;
      axes.forEach((axis, i) => {
        const start = clampStart(starts[i]!, x!.aval.shape[axis]!, sizes[i]!);
        window = take(window, add(iota([sizes[i]!], 0, "int32"), start), axis);
      });
      return [window];
    },
  },
});

/** The first input with the second in place of the window that begins at the other inputs. */
export const dynamicUpdateSliceOperation: Operation<DynamicParams> = registerOperation<
  DynamicParams
>({
  name: "dynamicUpdateSlice",
  precision: "follow",
  operandTypes: "first",
  aval: ([x, update], { axes }) => {
    const fits = x!.shape.length === update!.shape.length && x!.shape.every((extent, axis) => {
      const size = update!.shape[axis]!;
      return axes.includes(axis) ? size <= extent : size === extent;
    });
    if (fits && x!.dtype === update!.dtype) return { shape: x!.shape, dtype: x!.dtype };
    throw new RangeError(
      `Cannot dynamicUpdateSlice: the update must have the array's dtype and fit inside it, got ${
        x!.dtype
      }${showShape(x!.shape)} and ${update!.dtype}${showShape(update!.shape)}`,
    );
  },
  lower: {
    kind: "composite",
    decompose: ([x, update, ...starts], { axes }) => {
      const { shape } = x!.aval;
      let inside: Value | undefined;
      let spread = update!;
      axes.forEach((axis, i) => {
        const [extent, size] = [shape[axis]!, update!.aval.shape[axis]!];
        const start = clampStart(starts[i]!, extent, size);
        // Outside of the window the index is out of range: it clamps, and what it reads is not used.
        spread = take(spread, sub(iota([extent], 0, "int32"), start), axis);
        const place = sub(iota(shape, axis, "int32"), start);
        const within = logicalAnd(greaterEqual(place, 0), less(place, size));
        inside = inside ? logicalAnd(inside, within) : within;
      });
      return [inside ? where(inside, spread, x!) : spread];
    },
  },
});

/** Joins an update of the window's shape with a strided window; see {@linkcode updateSliceOperation}. */
export function updateSlice(x: Value, update: Value, params: UpdateSliceParams): Value {
  return bind1(updateSliceOperation, params, x, update);
}

/** Reads a window whose starts are scalars of int32 or uint32. */
export function dynamicSlice(
  x: Value,
  starts: readonly Value[],
  axes: readonly number[],
  sizes: readonly number[],
): Value {
  return bind1(dynamicSliceOperation, { axes, sizes }, x, ...starts);
}

/** Replaces a window whose starts are scalars of int32 or uint32. */
export function dynamicUpdateSlice(
  x: Value,
  update: Value,
  starts: readonly Value[],
  axes: readonly number[],
): Value {
  return bind1(dynamicUpdateSliceOperation, { axes }, x, update, ...starts);
}
