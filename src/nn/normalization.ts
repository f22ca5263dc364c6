// Normalisation of rows, as functions and as modules: `layerNorm(x)` normalizes an array, and
// `layerNorm({ features })` makes a module that has scale and bias as parameters.

import { type ArrayLike, asNDArray, type NDArray } from "../array.ts";
import { checkOptions, describe, isPlainObject, showShape } from "../core/errors.ts";
import { normalizeAxes, sameShape, type Shape, sizeOf } from "../core/shape.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { overLastAxis } from "../numpy/last_axis.ts";
import { lifted, liftedTree } from "../numpy/lift.ts";
import { promoteOperands } from "../ops/define.ts";
import { reshape } from "../ops/movement.ts";
import { layerNormOperation, type NormParams, rmsNormOperation } from "../ops/normalization.ts";
import { ones, zeros } from "./initializers.ts";
import {
  checkApplyOptions,
  checkCount,
  checkLastAxes,
  checkParameters,
  type Module,
} from "./module.ts";
import { floatArray, type RowOptions } from "./softmax.ts";

/** Options of {@linkcode rmsNorm} as a function. */
export interface RmsNormOptions extends RowOptions {
  /** What the result is multiplied by: an array with the extents of the normalized axes. */
  readonly scale?: ArrayLike;
  /** What is added to the variance, or to the mean square, before the root; by default 1e-6. */
  readonly eps?: number;
}

/** Options of {@linkcode layerNorm} as a function. */
export interface LayerNormOptions extends RmsNormOptions {
  /** What is added to the result: an array with the extents of the normalized axes. */
  readonly bias?: ArrayLike;
}

/** The size of {@linkcode rmsNorm} as a module, and what it has. */
export interface RmsNormModuleOptions {
  /** The extent of the last axis, which is normalized. */
  readonly features: number;
  /** What is added to the variance, or to the mean square, before the root; by default 1e-6. */
  readonly epsilon?: number;
  /** Whether there is a scale; by default true. */
  readonly useScale?: boolean;
}

/** The size of {@linkcode layerNorm} as a module, and what it has. */
export interface LayerNormModuleOptions extends RmsNormModuleOptions {
  /** Whether there is a bias; by default true. */
  readonly useBias?: boolean;
}

/** Parameters of {@linkcode rmsNorm} as a module. */
export interface RmsNormParams {
  /** `[features]`; not there without `useScale`. */
  scale?: NDArray;
}

/** Parameters of {@linkcode layerNorm} as a module. */
export interface LayerNormParams extends RmsNormParams {
  /** `[features]`; not there without `useBias`. */
  bias?: NDArray;
}

/**
 * Layer normalisation (Ba, Kiros and Hinton, 2016): along the axes x less its mean, over the root of its variance
 * and eps, times `scale`, plus `bias`. The statistics are float32 whatever the type of x is.
 *
 * With `{ features }` in place of an array it makes a module over the last axis, as Flax's `LayerNorm`.
 *
 * @throws {RangeError} if scale or bias do not have the extents of the axes.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[-800, 800]], { dtype: "float16" });
 * console.log(await nn.layerNorm(x, { scale: jnp.ones([2]) }).toList()); // [[-1, 1]]
 *
 * const norm = nn.layerNorm({ features: 2 });
 * const params = norm.init(random.key(0)); // { bias: zeros, scale: ones }
 * console.log(await norm.apply(params, x).toList()); // [[-1, 1]]
 * ```
 */
export function layerNorm(module: LayerNormModuleOptions): Module<LayerNormParams>;
/** Layer normalisation of an array. */
export function layerNorm(x: ArrayLike, options?: LayerNormOptions): NDArray;
export function layerNorm(
  x: ArrayLike | LayerNormModuleOptions,
  options: LayerNormOptions = {},
): NDArray | Module<LayerNormParams> {
  if (isModuleOptions(x)) {
    checkOptions("layerNorm", x, ["features", "epsilon", "useScale", "useBias"]);
    return normModule("layerNorm", layerNormOperation, x);
  }
  checkOptions("layerNorm", options, ["axis", "scale", "bias", "eps"]);
  return normalize("layerNorm", layerNormOperation, x, options);
}

/**
 * Root mean square normalisation (Zhang and Sennrich, 2019): along the axes x over the root of its mean square
 * and eps, times `scale`.
 *
 * With `{ features }` in place of an array it makes a module over the last axis, as Flax's `RMSNorm`.
 *
 * @throws {RangeError} if scale does not have the extents of the axes.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * console.log(await nn.rmsNorm([3, 3]).toList()); // [1, 1]
 * const norm = nn.rmsNorm({ features: 4 });
 * console.log(norm.apply(norm.init(random.key(0)), jnp.ones([2, 4])).shape); // [2, 4]
 * ```
 */
export function rmsNorm(module: RmsNormModuleOptions): Module<RmsNormParams>;
/** Root mean square normalisation of an array. */
export function rmsNorm(x: ArrayLike, options?: RmsNormOptions): NDArray;
export function rmsNorm(
  x: ArrayLike | RmsNormModuleOptions,
  options: RmsNormOptions = {},
): NDArray | Module<RmsNormParams> {
  if (isModuleOptions(x)) {
    checkOptions("rmsNorm", x, ["features", "epsilon", "useScale"]);
    return normModule("rmsNorm", rmsNormOperation, { ...x, useBias: false });
  }
  checkOptions("rmsNorm", options, ["axis", "scale", "eps"]);
  return normalize("rmsNorm", rmsNormOperation, x, options);
}

function isModuleOptions<Options extends object>(x: ArrayLike | Options): x is Options {
  return isPlainObject(x);
}

function checkEps(what: string, name: string, eps: unknown): number {
  if (typeof eps === "number" && eps >= 0) return eps;
  throw new TypeError(`Cannot ${what}: ${name} must be a number from 0 on, got ${describe(eps)}`);
}

function normModule(
  what: string,
  operation: typeof layerNormOperation,
  { features, epsilon = 1e-6, useScale = true, useBias = true }: LayerNormModuleOptions,
): Module<LayerNormParams> {
  const extents: Shape = [checkCount(what, "features", features)];
  const eps = checkEps(what, "epsilon", epsilon);
  const shapes = { ...useScale ? { scale: extents } : {}, ...useBias ? { bias: extents } : {} };
  return {
    name: what,
    init: (key) =>
      liftedTree(what, () => ({
        ...useScale ? { scale: ones(key, extents) } : {},
        ...useBias ? { bias: zeros(key, extents) } : {},
      })),
    apply: (params, x, applyOptions = {}) => {
      checkApplyOptions(what, applyOptions);
      return lifted(what, () => {
        checkParameters(what, params, shapes);
        const { scale, bias } = params;
        const array = asNDArray(floatArray(x, what));
        checkLastAxes(what, array, extents);
        const given = [array, ...scale ? [scale] : [], ...bias ? [bias] : []];
        const [wide] = promoteOperands(given) as [NDArray];
        return normalize(what, operation, wide, { scale, bias, eps });
      });
    },
  };
}

function normalize(
  what: string,
  operation: typeof layerNormOperation,
  x: ArrayLike,
  { axis = -1, scale, bias, eps = 1e-6 }: LayerNormOptions,
): NDArray {
  checkEps(what, "eps", eps);
  return lifted(what, () => {
    const value = floatArray(x, what);
    const { shape } = value.aval;
    const axes = normalizeAxes(what, axis, shape.length);
    const extents = axes.map((a) => shape[a]!);
    const vectors = [scale, bias].flatMap((v) => v === undefined ? [] : [row(what, v, extents)]);
    const params: NormParams = {
      eps,
      hasScale: scale !== undefined,
      hasBias: bias !== undefined,
    };
    return overLastAxis(value, axes, (rows) => bind1(operation, params, rows, ...vectors));
  });
}

/** A scale or a bias as one row. */
function row(what: string, x: ArrayLike, extents: readonly number[]): Value {
  const value = floatArray(x, what);
  if (!sameShape(value.aval.shape, extents)) {
    throw new RangeError(
      `Cannot ${what}: scale and bias must have the shape ${
        showShape(extents)
      } of the normalized axes, got ${showShape(value.aval.shape)}`,
    );
  }
  return reshape(value, [sizeOf(extents)]);
}
