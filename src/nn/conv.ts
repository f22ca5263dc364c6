// A convolutional layer.

import { asArray, type NDArray } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { convolveImages, type WindowPadding } from "../lax/convolution.ts";
import { lifted, liftedTree } from "../numpy/lift.ts";
import { add } from "../ops/arithmetic.ts";
import { promoteOperands } from "../ops/define.ts";
import { reshape } from "../ops/movement.ts";
import { type Initializer, lecunNormal, zeros } from "./initializers.ts";
import {
  checkApplyOptions,
  checkCount,
  checkLastAxes,
  checkParameters,
  type Module,
} from "./module.ts";

/** The sizes of {@linkcode conv} and how its parameters are made. */
export interface ConvOptions {
  /** How many features an input element has. */
  readonly inFeatures: number;
  /** How many features an element of the result has. */
  readonly features: number;
  /** The extents of a window: one number for one axis, or a list that says how many axes are spatial. */
  readonly kernelSize: number | Shape;
  /** How far apart windows begin: one number for all axes, or one each; by default 1. */
  readonly strides?: number | Shape;
  /** By default `"SAME"`; `"CAUSAL"`, for one axis, pads before the first element alone. */
  readonly padding?: WindowPadding | "CAUSAL";
  /** How far apart the elements of a window are; by default 1. */
  readonly kernelDilation?: number | Shape;
  /** In how many groups the features are cut, each with a kernel of its own; by default 1. */
  readonly featureGroupCount?: number;
  /** Whether a bias is added; by default true. */
  readonly useBias?: boolean;
  /** Makes the kernel; by default `lecunNormal()`. */
  readonly kernelInit?: Initializer;
  /** Makes the bias; by default zeros. */
  readonly biasInit?: Initializer;
}

/** Parameters of {@linkcode conv}. */
export interface ConvParams {
  /** `[...kernelSize, inFeatures / featureGroupCount, features]`. */
  kernel: NDArray;
  /** `[features]`; not there without `useBias`. */
  bias?: NDArray;
}

const optionNames = [
  "inFeatures",
  "features",
  "kernelSize",
  "strides",
  "padding",
  "kernelDilation",
  "featureGroupCount",
  "useBias",
  "kernelInit",
  "biasInit",
];

/** One positive integer for each spatial axis, of one for all or a list. */
export function spatialList(what: string, name: string, given: unknown, rank: number): Shape {
  const list: readonly unknown[] = Array.isArray(given) ? given : new Array(rank).fill(given);
  if (list.length === rank) return list.map((n) => checkCount(what, name, n));
  throw new RangeError(
    `Cannot ${what}: ${name} must have one number for each of ${rank} spatial axes, got ${
      describe(given)
    }`,
  );
}

/** Padding before the first element alone, so that no window sees what comes after its own place. */
function causalPadding(kernelSize: Shape, dilation: Shape): WindowPadding {
  if (kernelSize.length === 1) return [[(kernelSize[0]! - 1) * dilation[0]!, 0]];
  throw new RangeError(
    `Cannot conv: padding "CAUSAL" requires one spatial axis, got kernelSize ${
      showShape(kernelSize)
    }`,
  );
}

/**
 * A convolution over the axes before the last, plus a bias, as Flax's `Conv`: `[batch, ...spatial, inFeatures]`
 * becomes `[batch, ...spatial, features]`, with any number of batch axes.
 *
 * @throws {RangeError} if sizes do not fit together, or, when it is applied, x or a parameter has another shape.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const layer = nn.conv({ inFeatures: 3, features: 8, kernelSize: [3, 3], strides: 2 });
 * const params = layer.init(random.key(0));
 * console.log(params.kernel.shape); // [3, 3, 3, 8]
 * console.log(layer.apply(params, jnp.ones([1, 16, 16, 3])).shape); // [1, 8, 8, 8]
 * ```
 */
export function conv(options: ConvOptions): Module<ConvParams> {
  checkOptions("conv", options ?? null, optionNames);
  const { useBias = true, kernelInit = lecunNormal(), biasInit = zeros, padding } = options;
  const inFeatures = checkCount("conv", "inFeatures", options.inFeatures);
  const features = checkCount("conv", "features", options.features);
  const groups = checkCount("conv", "featureGroupCount", options.featureGroupCount ?? 1);
  if (inFeatures % groups !== 0 || features % groups !== 0) {
    throw new RangeError(
      `Cannot conv: featureGroupCount must divide inFeatures and features, got ${groups} for ${inFeatures} and ${features}`,
    );
  }
  const rank = Array.isArray(options.kernelSize) ? options.kernelSize.length : 1;
  const kernelSize = spatialList("conv", "kernelSize", options.kernelSize, rank);
  const strides = spatialList("conv", "strides", options.strides ?? 1, rank);
  const rhsDilation = spatialList("conv", "kernelDilation", options.kernelDilation ?? 1, rank);
  const around = padding === "CAUSAL" ? causalPadding(kernelSize, rhsDilation) : padding ?? "SAME";
  const shapes = {
    kernel: [...kernelSize, inFeatures / groups, features],
    ...useBias ? { bias: [features] } : {},
  };
  return {
    name: "conv",
    init: (key) =>
      liftedTree("conv", () => {
        const kernel = kernelInit(key, shapes.kernel);
        return useBias ? { kernel, bias: biasInit(key, [features]) } : { kernel };
      }),
    apply: (params, x, applyOptions = {}) => {
      checkApplyOptions("conv", applyOptions);
      return lifted("conv", () => {
        checkParameters("conv", params, shapes);
        const input = asArray(x, "conv");
        checkSpatial("conv", input, rank);
        checkLastAxes("conv", input, [inFeatures]);
        const given = [input, params.kernel, ...params.bias ? [params.bias] : []];
        const [image, kernel, bias] = promoteOperands(given);
        const batch = input.shape.slice(0, -1 - rank);
        const flat = reshape(image!, [sizeOf(batch), ...input.shape.slice(-1 - rank)]);
        const out = convolveImages("conv", flat, kernel!, strides, around, {
          rhsDilation,
          featureGroupCount: groups,
        });
        const shaped = reshape(out, [...batch, ...out.aval.shape.slice(1)]);
        return bias ? add(shaped, bias) : shaped;
      });
    },
  };
}

/** Checks that an array has spatial axes before its features. */
export function checkSpatial(what: string, x: NDArray, rank: number): void {
  if (x.ndim > rank) return;
  throw new RangeError(
    `Cannot ${what}: x must have at least ${
      rank + 1
    } axes, the spatial ones and the features, got shape ${showShape(x.shape)}`,
  );
}
