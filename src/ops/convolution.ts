// Convolution: the product of the windows of an array with a kernel. The windows are views, so that nothing is
// unrolled over the kernel's extents, and derivatives and batching follow from the operations used.

import { type DType, promoteTypes } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { constant } from "./constant.ts";
import { dotGeneral } from "./contraction.ts";
import { broadcastTo, dilate, pad, reshape, slice, transpose } from "./movement.ts";

/** How windows lie along one axis. */
export interface Window {
  /** How many elements a window has. */
  readonly size: number;
  /** How far apart windows begin. */
  readonly stride: number;
  /** How far apart a window's elements are. */
  readonly dilation: number;
}

/** How many windows lie inside of an axis. */
export function windowCount(extent: number, { size, stride, dilation }: Window): number {
  return Math.max(0, Math.floor((extent - (size - 1) * dilation - 1) / stride) + 1);
}

/**
 * The windows along an axis: in its place come the elements of a window and then the windows.
 *
 * Element j of window i is element `i stride + j dilation` of the axis. Copies of the axis one after the other,
 * cut into rows of `extent + dilation`, have that element in row j, column `i stride`.
 */
export function windowsAlong(x: Value, axis: number, window: Window): Value {
  const { shape, dtype } = x.aval;
  const { size, stride, dilation } = window;
  const extent = shape[axis]!;
  const count = windowCount(extent, window);
  const placed = (...extents: number[]) => [
    ...shape.slice(0, axis),
    ...extents,
    ...shape.slice(axis + 1),
  ];
  if (count === 0) return broadcastTo(constant(0, dtype), placed(size, 0));
  const head = (from: Value, wanted: Shape, steps: Shape = wanted.map(() => 1)) =>
    slice(from, wanted.map(() => 0), steps, wanted);
  const row = size === 1 ? extent : extent + dilation;
  const copies = Math.ceil(size * row / extent);
  const repeated = broadcastTo(reshape(x, placed(1, extent)), placed(copies, extent));
  const line = head(reshape(repeated, placed(copies * extent)), placed(size * row));
  const wanted = placed(size, count);
  return head(
    reshape(line, placed(size, row)),
    wanted,
    wanted.map((_, a) => a === axis + 1 ? stride : 1),
  );
}

/** Surrounds and stretches the axes from `first` on, and cuts each into windows. */
export function windowsOf(
  x: Value,
  first: number,
  windows: readonly Window[],
  padding: readonly (readonly [number, number])[],
  fill: Value,
): Value {
  const spatial = (axis: number) => padding[axis - first];
  const low = x.aval.shape.map((_, axis) => spatial(axis)?.[0] ?? 0);
  const high = x.aval.shape.map((_, axis) => spatial(axis)?.[1] ?? 0);
  const surrounded = [...low, ...high].every((n) => n === 0) ? x : pad(x, fill, low, high);
  // The last axis first: the places of those before it stay.
  return windows.reduceRight(
    (value, window, i) => windowsAlong(value, first + i, window),
    surrounded,
  );
}

/** The static arguments of a convolution, one of each list for each spatial axis. */
export interface ConvolutionParams extends Params {
  readonly windowStrides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  readonly featureGroupCount: number;
  readonly preferredElementType?: DType;
}

function windowsFor(kernel: Shape, { windowStrides, rhsDilation }: ConvolutionParams): Window[] {
  return windowStrides.map((stride, i) => ({
    size: kernel[i]!,
    stride,
    dilation: rhsDilation[i]!,
  }));
}

function convolutionAval([x, kernel]: readonly Aval[], params: ConvolutionParams): Aval {
  const { padding, lhsDilation } = params;
  const counts = windowsFor(kernel!.shape, params).map((window, i) => {
    const extent = x!.shape[1 + i]!;
    const stretched = extent === 0 ? 0 : (extent - 1) * lhsDilation[i]! + 1;
    return windowCount(stretched + padding[i]![0] + padding[i]![1], window);
  });
  const features = kernel!.shape[kernel!.shape.length - 1]!;
  return {
    shape: [x!.shape[0]!, ...counts, features],
    dtype: params.preferredElementType ?? promoteTypes([x!, kernel!]).dtype,
  };
}

function convolve([x, kernel]: readonly Value[], params: ConvolutionParams): Value {
  const { padding, lhsDilation, featureGroupCount: groups } = params;
  const { preferredElementType } = params;
  const rank = padding.length;
  const windows = windowsFor(kernel!.aval.shape, params);
  const stretched = lhsDilation.reduce(
    (value, step, i) => step === 1 ? value : dilate(value, 1 + i, step),
    x!,
  );
  const zero = constant(0, x!.aval.dtype);
  // [batch, size, count, size, count, ..., features]
  const patches = windowsOf(stretched, 1, windows, padding, zero);
  const sizes = windows.map((_, i) => 1 + 2 * i);
  const axes = windows.map((_, i) => i);
  const last = 1 + 2 * rank;
  if (groups === 1) {
    return dotGeneral(patches, kernel!, {
      contracting: [[...sizes, last], [...axes, rank]],
      batch: [[], []],
      preferredElementType,
    });
  }
  const grouped = (v: Value, axis: number, ...extents: number[]) =>
    reshape(v, [...v.aval.shape.slice(0, axis), ...extents, ...v.aval.shape.slice(axis + 1)]);
  const [inputs, outputs] = kernel!.aval.shape.slice(rank) as [number, number];
  const out = dotGeneral(
    grouped(patches, last, groups, inputs),
    grouped(kernel!, rank + 1, groups, outputs / groups),
    {
      contracting: [[...sizes, last + 1], [...axes, rank]],
      batch: [[last], [rank + 1]],
      preferredElementType,
    },
  );
  // The groups come first: they belong before the features.
  const places = Array.from({ length: rank + 1 }, (_, i) => i + 1);
  const moved = transpose(out, [...places, 0, rank + 2]);
  return reshape(moved, [...moved.aval.shape.slice(0, -2), outputs]);
}

/**
 * The convolution of `[batch, ...spatial, features]` with `[...spatial, features / groups, outputs]`, as machine
 * learning has it: the kernel is not reversed. Sums are float32, rounded once.
 */
export const convolutionOperation: Operation<ConvolutionParams> = registerOperation<
  ConvolutionParams
>({
  name: "convGeneralDilated",
  precision: "half",
  aval: convolutionAval,
  lower: { kind: "composite", decompose: (inputs, params) => [convolve(inputs, params)] },
});

/** See {@linkcode convolutionOperation}; shapes are checked by the caller. */
export function convolution(x: Value, kernel: Value, params: ConvolutionParams): Value {
  return bind1(convolutionOperation, params, x, kernel);
}
