// Initializers whose variance follows from the number of a unit's inputs and outputs.

import { checkOptions, describe, showShape } from "../../core/errors.ts";
import { roundTo } from "../../core/half.ts";
import { checkShape, normalizeAxes, type Shape, sizeOf } from "../../core/shape.ts";
import * as random from "../../random/namespace.ts";
import { type Initializer, scaled } from "./initializer.ts";

/** Which axes of a parameter are what; those that are none of the three are a window's, as in convolutions. */
export interface FanOptions {
  /** The axis or axes of the inputs; by default the last but one. */
  readonly inAxis?: number | readonly number[];
  /** The axis or axes of the outputs; by default the last. */
  readonly outAxis?: number | readonly number[];
  /** Axes along which independent parameters lie; by default none. */
  readonly batchAxis?: number | readonly number[];
}

/** What the variance is divided by: a unit's number of inputs, of outputs, or their arithmetic or geometric mean. */
export type FanMode = "fan_in" | "fan_out" | "fan_avg" | "fan_geo_avg";

/** What numbers are drawn from; the truncated normal distribution ends at 2 standard deviations. */
export type FanDistribution = "truncated_normal" | "normal" | "uniform";

const divisors: Readonly<Record<FanMode, (fanIn: number, fanOut: number) => number>> = {
  fan_in: (fanIn) => fanIn,
  fan_out: (_, fanOut) => fanOut,
  fan_avg: (fanIn, fanOut) => (fanIn + fanOut) / 2,
  fan_geo_avg: (fanIn, fanOut) => Math.sqrt(fanIn * fanOut),
};

/** The standard deviation of the standard normal distribution between -2 and 2. */
const truncatedDeviation = 0.87962566103423978;

/** Draws numbers and says what to multiply them by for a variance. Every step is rounded, as JAX does. */
const distributions: Readonly<
  Record<FanDistribution, {
    readonly draw: Initializer;
    factor(variance: number, rounded: (x: number) => number): number;
  }>
> = {
  truncated_normal: {
    draw: (key, shape, options) => random.truncatedNormal(key, -2, 2, shape, options),
    factor: (variance, rounded) => rounded(Math.sqrt(variance)) / rounded(truncatedDeviation),
  },
  normal: {
    draw: (key, shape, options) => random.normal(key, shape, options),
    factor: Math.sqrt,
  },
  uniform: {
    draw: (key, shape, options) => random.uniform(key, shape, { ...options, minval: -1 }),
    factor: (variance, rounded) => Math.sqrt(rounded(3 * variance)),
  },
};

/** The inputs and outputs of one unit. */
function fansOf(shape: Shape, options: FanOptions): [fanIn: number, fanOut: number] {
  const { inAxis = -2, outAxis = -1, batchAxis = [] } = options;
  if (inAxis === -2 && shape.length < 2) {
    throw new RangeError(
      `Cannot initialize: at least two axes are required, inputs and outputs, got shape ${
        showShape(shape)
      }`,
    );
  }
  const [inputs, outputs, batch] = [inAxis, outAxis, batchAxis].map((axes) =>
    sizeOf(normalizeAxes("initialize", axes, shape.length).map((axis) => shape[axis]!))
  ) as [number, number, number];
  const window = sizeOf(shape) / inputs / outputs / batch;
  return [inputs * window, outputs * window];
}

function checkChoice(
  name: string,
  choice: unknown,
  choices: Readonly<Record<string, unknown>>,
): void {
  if (typeof choice === "string" && Object.hasOwn(choices, choice)) return;
  throw new TypeError(
    `Cannot initialize: ${name} must be one of ${Object.keys(choices).join(", ")}; got ${
      describe(choice)
    }`,
  );
}

/**
 * Numbers with mean 0 and variance `scale / n`, where n is what `mode` says of the parameter's shape.
 *
 * @throws {TypeError} if there is no such mode or distribution; RangeError, when it is called, for shapes of
 * fewer than two axes.
 *
 * @example
 * ```ts
 * import { init, nn, random } from "@zenith/jax";
 *
 * await init();
 * const initializer = nn.initializers.varianceScaling(1, "fan_in", "normal", { outAxis: 0 });
 * console.log(initializer(random.key(0), [100, 16]).shape);
 * ```
 */
export function varianceScaling(
  scale: number,
  mode: FanMode,
  distribution: FanDistribution,
  options: FanOptions = {},
): Initializer {
  checkOptions("varianceScaling", options, ["inAxis", "outAxis", "batchAxis"]);
  checkChoice("mode", mode, divisors);
  checkChoice("distribution", distribution, distributions);
  const { draw, factor } = distributions[distribution];
  return (key, shape, drawOptions = {}) => {
    const checked = checkShape("initialize", shape);
    const fans = fansOf(checked, options);
    // Where there is no element there is no variance either.
    if (sizeOf(checked) === 0) return draw(key, checked, drawOptions);
    const rounded = (x: number) => roundTo(drawOptions.dtype ?? "float32", x);
    const variance = rounded(scale / divisors[mode](...fans));
    return scaled(factor(variance, rounded), draw)(key, checked, drawOptions);
  };
}

/** Uniform numbers with variance 2 / (inputs + outputs) (Glorot and Bengio, 2010). */
export function glorotUniform(options: FanOptions = {}): Initializer {
  return varianceScaling(1, "fan_avg", "uniform", options);
}

/** Truncated normal numbers with variance 2 / (inputs + outputs) (Glorot and Bengio, 2010). */
export function glorotNormal(options: FanOptions = {}): Initializer {
  return varianceScaling(1, "fan_avg", "truncated_normal", options);
}

/** Uniform numbers with variance 1 / inputs (LeCun, Bottou, Orr and Müller, 1998). */
export function lecunUniform(options: FanOptions = {}): Initializer {
  return varianceScaling(1, "fan_in", "uniform", options);
}

/**
 * Truncated normal numbers with variance 1 / inputs (LeCun, Bottou, Orr and Müller, 1998): Flax's default for
 * dense and convolutional layers.
 *
 * @example
 * ```ts
 * import { init, nn, random } from "@zenith/jax";
 *
 * await init();
 * const kernel = nn.initializers.lecunNormal()(random.key(0), [3, 3, 16, 32], { dtype: "bfloat16" });
 * console.log(kernel.shape, kernel.dtype);
 * ```
 */
export function lecunNormal(options: FanOptions = {}): Initializer {
  return varianceScaling(1, "fan_in", "truncated_normal", options);
}

/** Uniform numbers with variance 2 / inputs (He, Zhang, Ren and Sun, 2015). */
export function heUniform(options: FanOptions = {}): Initializer {
  return varianceScaling(2, "fan_in", "uniform", options);
}

/** Truncated normal numbers with variance 2 / inputs (He, Zhang, Ren and Sun, 2015): for layers before a relu. */
export function heNormal(options: FanOptions = {}): Initializer {
  return varianceScaling(2, "fan_in", "truncated_normal", options);
}
