// A linear layer.

import { asArray, type NDArray } from "../array.ts";
import { checkOptions } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { lifted, liftedTree } from "../numpy/lift.ts";
import type { Value } from "../ir/value.ts";
import { add } from "../ops/arithmetic.ts";
import { dotGeneral } from "../ops/contraction.ts";
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

/** The sizes of {@linkcode dense} and how its parameters are made. */
export interface DenseOptions {
  /** The extent of the input's last axis, or of its last axes, all of which are summed over. */
  readonly inFeatures: number | Shape;
  /** The extent of the result's last axis, or of its last axes. */
  readonly features: number | Shape;
  /** Whether a bias is added; by default true. */
  readonly useBias?: boolean;
  /** Makes the kernel as a matrix of inputs and outputs; by default `lecunNormal()`. */
  readonly kernelInit?: Initializer;
  /** Makes the bias; by default zeros. */
  readonly biasInit?: Initializer;
}

/** Parameters of {@linkcode dense}. */
export interface DenseParams {
  /** `[...inFeatures, ...features]`. */
  kernel: NDArray;
  /** `[...features]`; not there without `useBias`. */
  bias?: NDArray;
}

/** One extent or several, checked. */
function featureAxes(what: string, name: string, features: number | Shape): Shape {
  const list = Array.isArray(features) && features.length > 0 ? features : [features];
  return list.map((extent) => checkCount(what, name, extent));
}

/**
 * x times a kernel, plus a bias: a linear layer over the last axis, as Flax's `Dense`; over several axes, as
 * its `DenseGeneral`. Half operands are summed in float32 and rounded once.
 *
 * @throws {RangeError} if a size is not positive, or, when it is applied, x or a parameter has another shape.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const layer = nn.dense({ inFeatures: 3, features: 4 });
 * const params = layer.init(random.key(0));
 * console.log(params.kernel.shape, layer.apply(params, jnp.ones([2, 3])).shape); // [3, 4] [2, 4]
 * ```
 */
export function dense(options: DenseOptions): Module<DenseParams> {
  checkOptions("dense", options ?? null, [
    "inFeatures",
    "features",
    "useBias",
    "kernelInit",
    "biasInit",
  ]);
  const { useBias = true, kernelInit = lecunNormal(), biasInit = zeros } = options;
  const inFeatures = featureAxes("dense", "inFeatures", options.inFeatures);
  const features = featureAxes("dense", "features", options.features);
  const shapes = {
    kernel: [...inFeatures, ...features],
    ...useBias ? { bias: features } : {},
  };
  return {
    name: "dense",
    init: (key) =>
      liftedTree("dense", () => {
        // The initializer sees inputs and outputs, however many axes each of them is spread over.
        const matrix = kernelInit(key, [sizeOf(inFeatures), sizeOf(features)]);
        const kernel = reshape(matrix, shapes.kernel) as NDArray;
        return useBias ? { kernel, bias: biasInit(key, features) } : { kernel };
      }),
    apply: (params, x, applyOptions = {}) => {
      checkApplyOptions("dense", applyOptions);
      return lifted("dense", () => {
        checkParameters("dense", params, shapes);
        const input = asArray(x, "dense");
        checkLastAxes("dense", input, inFeatures);
        const given = [input, params.kernel, ...params.bias ? [params.bias] : []];
        const [rows, kernel, bias] = promoteOperands(given) as [Value, Value, Value?];
        const first = input.ndim - inFeatures.length;
        const product = dotGeneral(rows, kernel, {
          contracting: [inFeatures.map((_, i) => first + i), inFeatures.map((_, i) => i)],
          batch: [[], []],
        });
        return bias ? add(product, bias) : product;
      });
    },
  };
}
