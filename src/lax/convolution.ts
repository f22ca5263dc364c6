// Convolution with every choice spelled out, and how paddings are given.

import { type ArrayLike, asArray, dtypeOption, type NDArray } from "../array.ts";
import type { DType } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { convolution, type Window } from "../ops/convolution.ts";
import { promoteOperands } from "../ops/define.ts";
import { transpose } from "../ops/movement.ts";

/**
 * What is added around the spatial axes: `"VALID"` nothing; `"SAME"` as much as makes a result of the extent
 * divided by the stride, rounded up, half of it on either side; or how many elements come before and after,
 * for each axis.
 */
export type WindowPadding = "SAME" | "VALID" | readonly (readonly [number, number])[];

/** The axes of the operands and the result: letters of which N, C, O and I are not spatial. */
export type ConvDimensionNumbers = readonly [lhs: string, rhs: string, out: string];

/** Options of {@linkcode convGeneralDilated}. */
export interface ConvGeneralDilatedOptions {
  /** How far apart the elements of `lhs` are placed, with zeros between; by default 1. */
  readonly lhsDilation?: readonly number[];
  /** How far apart the elements of a window are; by default 1. */
  readonly rhsDilation?: readonly number[];
  /** By default `["NCHW", "OIHW", "NCHW"]`, with as many spatial axes as there are. */
  readonly dimensionNumbers?: ConvDimensionNumbers;
  /** In how many groups the features are cut, each with its own part of the kernel; by default 1. */
  readonly featureGroupCount?: number;
  /** The type of the result; by default the one that both operands promote to. */
  readonly preferredElementType?: DType;
}

/** A list of one positive integer for each spatial axis; 1 by default. */
function perAxis(
  what: string,
  name: string,
  list: readonly number[] | undefined,
  rank: number,
): readonly number[] {
  if (list === undefined) return new Array(rank).fill(1);
  const fits = Array.isArray(list) && list.length === rank &&
    list.every((n) => Number.isInteger(n) && n > 0);
  if (fits) return list;
  throw new RangeError(
    `Cannot ${what}: ${name} must be a positive integer for each of ${rank} axes, got ${
      describe(list)
    }`,
  );
}

/** How much comes before and after each axis, whichever way it was given. */
export function resolvePadding(
  what: string,
  padding: WindowPadding,
  extents: Shape,
  windows: readonly Window[],
): readonly (readonly [number, number])[] {
  if (padding === "VALID") return extents.map(() => [0, 0]);
  if (padding === "SAME") {
    return extents.map((extent, i) => {
      const { size, stride, dilation } = windows[i]!;
      const last = (Math.ceil(extent / stride) - 1) * stride + (size - 1) * dilation + 1;
      const total = Math.max(last - extent, 0);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  }
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 0);
  if (Array.isArray(padding) && padding.length === extents.length && padding.every(isPair)) {
    return padding;
  }
  throw new RangeError(
    `Cannot ${what}: padding must be "SAME", "VALID" or a pair of numbers from 0 on for each of ${extents.length} axes such as [[0, 1]], got ${
      describe(padding)
    }`,
  );
}

/** Where the axes of both operands and of the result are: batch or outputs, features, then the spatial axes. */
function layoutOf(given: ConvDimensionNumbers | undefined, rank: number): number[][] {
  const what = "convGeneralDilated";
  const letters = "HWDEFG".slice(0, rank);
  const numbers = given ?? [`NC${letters}`, `OI${letters}`, `NC${letters}`];
  const spatial = [...numbers[1] ?? ""].filter((letter) => !"OI".includes(letter)).join("");
  const wanted = [`NC${spatial}`, `OI${spatial}`, `NC${spatial}`];
  const same = (spec: string, i: number) =>
    [...spec].sort().join() === [...wanted[i]!].sort().join();
  if (
    Array.isArray(numbers) && numbers.length === 3 && spatial.length === rank &&
    new Set(spatial).size === rank && numbers.every(same)
  ) return wanted.map((axes, i) => [...axes].map((letter) => numbers[i]!.indexOf(letter)));
  throw new RangeError(
    `Cannot ${what}: dimensionNumbers must name ${rank} spatial axes besides N, C, O and I, as in ["NHWC", "HWIO", "NHWC"], got ${
      describe(given)
    }`,
  );
}

/**
 * Convolution as `jax.lax.conv_general_dilated`: the windows of `lhs`, one every `windowStrides`, times the
 * kernel `rhs`, which is not reversed. Half operands are multiplied and summed in float32 and rounded once.
 *
 * @throws {RangeError} if the operands, the strides or the dilations do not fit together.
 *
 * @example
 * ```ts
 * import { init, lax, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const image = jnp.ones([1, 5, 5, 3]);
 * const kernel = jnp.ones([3, 3, 3, 8]);
 * const y = lax.convGeneralDilated(image, kernel, [2, 2], "SAME", {
 *   dimensionNumbers: ["NHWC", "HWIO", "NHWC"],
 * });
 * console.log(y.shape); // [1, 3, 3, 8]
 * ```
 */
export function convGeneralDilated(
  lhs: ArrayLike,
  rhs: ArrayLike,
  windowStrides: readonly number[],
  padding: WindowPadding,
  options: ConvGeneralDilatedOptions = {},
): NDArray {
  const what = "convGeneralDilated";
  checkOptions(what, options, [
    "lhsDilation",
    "rhsDilation",
    "dimensionNumbers",
    "featureGroupCount",
    "preferredElementType",
  ]);
  return lifted(what, () => {
    const arrays = [lhs, rhs].map((x) => asArray(x, what));
    const [x, kernel] = promoteOperands(arrays) as [Value, Value];
    const rank = arrays[0]!.ndim - 2;
    if (rank < 0 || arrays[1]!.ndim !== rank + 2) {
      throw new RangeError(
        `Cannot ${what}: both operands must have the same number of axes, at least two, got ${
          arrays.map(({ shape }) => showShape(shape)).join(" and ")
        }`,
      );
    }
    const [from, of, to] = layoutOf(options.dimensionNumbers, rank) as [
      number[],
      number[],
      number[],
    ];
    const image = transpose(x, [from[0]!, ...from.slice(2), from[1]!]);
    const weights = transpose(kernel, [...of.slice(2), of[1]!, of[0]!]);
    const out = convolveImages(what, image, weights, windowStrides, padding, {
      ...options,
      preferredElementType: dtypeOption(options.preferredElementType, what),
    });
    const own = [to[0]!, ...to.slice(2), to[1]!];
    return transpose(out, own.map((_, axis) => own.indexOf(axis)));
  });
}

/** Convolution of `[batch, ...spatial, features]` with `[...spatial, features / groups, outputs]`. */
export function convolveImages(
  what: string,
  x: Value,
  kernel: Value,
  strides: readonly number[],
  padding: WindowPadding,
  options: Omit<ConvGeneralDilatedOptions, "dimensionNumbers"> = {},
): Value {
  const rank = x.aval.shape.length - 2;
  const windowStrides = perAxis(what, "windowStrides", strides, rank);
  const lhsDilation = perAxis(what, "lhsDilation", options.lhsDilation, rank);
  const rhsDilation = perAxis(what, "rhsDilation", options.rhsDilation, rank);
  const [featureGroupCount] = perAxis(
    what,
    "featureGroupCount",
    options.featureGroupCount === undefined ? undefined : [options.featureGroupCount],
    1,
  ) as [number];
  const sizes = kernel.aval.shape.slice(0, rank);
  const [inputs, outputs] = kernel.aval.shape.slice(rank) as [number, number];
  const features = x.aval.shape[rank + 1]!;
  if (inputs * featureGroupCount !== features || outputs % featureGroupCount !== 0) {
    throw new RangeError(
      `Cannot ${what}: the kernel must have features / groups inputs and a multiple of groups outputs, got ${inputs} and ${outputs} for ${features} features in ${featureGroupCount} groups`,
    );
  }
  if (sizes.includes(0)) {
    throw new RangeError(
      `Cannot ${what}: the kernel must have elements along every axis, got window ${
        showShape(sizes)
      }`,
    );
  }
  const extents = x.aval.shape.slice(1, -1).map((n, i) => n && (n - 1) * lhsDilation[i]! + 1);
  const windows = sizes.map((size, i) => ({
    size,
    stride: windowStrides[i]!,
    dilation: rhsDilation[i]!,
  }));
  return convolution(x, kernel, {
    windowStrides,
    padding: resolvePadding(what, padding, extents, windows),
    lhsDilation,
    rhsDilation,
    featureGroupCount,
    preferredElementType: options.preferredElementType,
  });
}
