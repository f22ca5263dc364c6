// Activations as functions. Each is computed in float32 and rounded once; integers become float32.

import { type ArrayLike, asArray, type NDArray, operand } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { normalizeAxis } from "../core/shape.ts";
import { lift1, lifted } from "../numpy/lift.ts";
import * as ops from "../ops/activation.ts";
import { slice } from "../ops/movement.ts";
import { tanh as tanhOf } from "../ops/trigonometric.ts";

/** A function of one array, element by element. */
export type Activation = (x: ArrayLike) => NDArray;

/** Options of {@linkcode gelu}. */
export interface GeluOptions {
  /** The tanh form (the default), or with `false` the exact one. */
  readonly approximate?: boolean;
}

/**
 * The Gaussian error linear unit, x times the normal distribution function at x (Hendrycks and Gimpel, 2016): by
 * default in its tanh form, 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
 *
 * @example
 * ```ts
 * import { init, nn } from "@zenith/jax";
 *
 * await init();
 * console.log(await nn.gelu([-1, 0, 1]).toList());
 * console.log(await nn.gelu([-1, 0, 1], { approximate: false }).toList());
 * ```
 */
export function gelu(x: ArrayLike, options: GeluOptions = {}): NDArray {
  checkOptions("gelu", options, ["approximate"]);
  const form = options.approximate === false ? ops.geluErf : ops.geluTanh;
  return lifted("gelu", () => form(operand(x, "gelu")), x);
}

/** max(x, 0); integers stay integers, NaN stays NaN. */
export const relu: Activation = lift1("relu", ops.relu);
/** min(max(x, 0), 6). */
export const relu6: Activation = lift1("relu6", ops.relu6);
/** 1 / (1 + e^-x). */
export const sigmoid: Activation = lift1("sigmoid", ops.sigmoid);
/** x sigmoid(x). */
export const silu: Activation = lift1("silu", ops.silu);
/** x sigmoid(x), by its other name; see {@linkcode silu}. */
export const swish: Activation = silu;
/** log(1 + e^x). */
export const softplus: Activation = lift1("softplus", ops.softplus);
/** log(sigmoid(x)). */
export const logSigmoid: Activation = lift1("logSigmoid", ops.logSigmoid);
/** x / (1 + |x|). */
export const softSign: Activation = lift1("softSign", ops.softSign);
/** The hyperbolic tangent. */
export const tanh: Activation = lift1("tanh", tanhOf);
/** min(max(x, -1), 1). */
export const hardTanh: Activation = lift1("hardTanh", ops.hardTanh);
/** relu6(x + 3) / 6. */
export const hardSigmoid: Activation = lift1("hardSigmoid", ops.hardSigmoid);
/** x relu6(x + 3) / 6. */
export const hardSilu: Activation = lift1("hardSilu", ops.hardSilu);
/** x relu6(x + 3) / 6, by its other name; see {@linkcode hardSilu}. */
export const hardSwish: Activation = hardSilu;
/** x tanh(softplus(x)) (Misra, 2019). */
export const mish: Activation = lift1("mish", ops.mish);

/** An option that must be a finite number. */
function finite(what: string, name: string, value: number): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TypeError(`Cannot ${what}: ${name} must be a finite number, got ${describe(value)}`);
}

/** Options of {@linkcode leakyRelu}. */
export interface LeakyReluOptions {
  /** What negative inputs are multiplied by; by default 0.01. */
  readonly negativeSlope?: number;
}

/** x, times a small slope where it is negative. */
export function leakyRelu(x: ArrayLike, options: LeakyReluOptions = {}): NDArray {
  checkOptions("leakyRelu", options, ["negativeSlope"]);
  const slope = finite("leakyRelu", "negativeSlope", options.negativeSlope ?? 0.01);
  return lifted("leakyRelu", () => ops.leakyRelu(operand(x, "leakyRelu"), slope), x);
}

/** Options of {@linkcode elu} and {@linkcode celu}. */
export interface EluOptions {
  /** The limit at -infinity is -alpha; by default 1. */
  readonly alpha?: number;
}

/** x, or alpha (e^x - 1) where x is negative (Clevert, Unterthiner and Hochreiter, 2015). */
export function elu(x: ArrayLike, options: EluOptions = {}): NDArray {
  checkOptions("elu", options, ["alpha"]);
  const alpha = finite("elu", "alpha", options.alpha ?? 1);
  return exponential("elu", x, { alpha, width: 1, scale: 1 });
}

/** x, or alpha (e^(x / alpha) - 1) where x is negative: smooth at 0 whatever alpha is (Barron, 2017). */
export function celu(x: ArrayLike, options: EluOptions = {}): NDArray {
  checkOptions("celu", options, ["alpha"]);
  const alpha = finite("celu", "alpha", options.alpha ?? 1);
  if (alpha === 0) throw new RangeError("Cannot celu: alpha must not be 0");
  return exponential("celu", x, { alpha, width: alpha, scale: 1 });
}

/** A scaled elu whose constants keep mean and variance (Klambauer et al., 2017). */
export function selu(x: ArrayLike): NDArray {
  const alpha = 1.6732632423543772848170429916717;
  const scale = 1.0507009873554804934193349852946;
  return exponential("selu", x, { alpha, width: 1, scale });
}

function exponential(
  what: string,
  x: ArrayLike,
  constants: { alpha: number; width: number; scale: number },
): NDArray {
  return lifted(what, () => ops.exponentialLinear(operand(x, what), constants), x);
}

/** Options of {@linkcode squareplus}. */
export interface SquareplusOptions {
  /** How round the corner is; by default 4. Not negative. */
  readonly b?: number;
}

/** (x + sqrt(x^2 + b)) / 2, a smooth relu without exponentials (Barron, 2021). */
export function squareplus(x: ArrayLike, options: SquareplusOptions = {}): NDArray {
  checkOptions("squareplus", options, ["b"]);
  const b = finite("squareplus", "b", options.b ?? 4);
  if (b < 0) throw new RangeError(`Cannot squareplus: b must not be negative, got ${b}`);
  return lifted("squareplus", () => ops.squareplus(operand(x, "squareplus"), b), x);
}

/** Options of {@linkcode glu}. */
export interface GluOptions {
  /** The axis that is cut in two halves; by default the last. */
  readonly axis?: number;
}

/**
 * The gated linear unit: the first half of an axis times the sigmoid of the second (Dauphin et al., 2016).
 *
 * @throws {RangeError} if the axis has an odd number of elements.
 */
export function glu(x: ArrayLike, options: GluOptions = {}): NDArray {
  checkOptions("glu", options, ["axis"]);
  return lifted("glu", () => {
    const array = asArray(x, "glu");
    const axis = normalizeAxis("glu", options.axis ?? -1, array.ndim);
    const half = array.shape[axis]! / 2;
    if (!Number.isInteger(half)) {
      throw new RangeError(
        `Cannot glu: the axis must have an even number of elements, got shape ${
          showShape(array.shape)
        } and axis ${axis}`,
      );
    }
    const shape = array.shape.map((extent, i) => i === axis ? half : extent);
    const steps = shape.map(() => 1);
    const part = (start: number) =>
      slice(array, shape.map((_, i) => i === axis ? start : 0), steps, shape);
    return ops.gate(part(0), part(half));
  });
}
