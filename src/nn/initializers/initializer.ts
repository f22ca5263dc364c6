// What an initializer is, and those that look at a shape only for its size.

import type { NDArray } from "../../array.ts";
import type { FloatDType } from "../../core/dtype.ts";
import { checkOptions } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import * as creation from "../../numpy/creation.ts";
import { lifted } from "../../numpy/lift.ts";
import { mul } from "../../ops/arithmetic.ts";
import * as random from "../../random/namespace.ts";

/** The type of what an initializer makes. */
export interface InitializerOptions {
  /** float32 (the default), float16 or bfloat16. */
  readonly dtype?: FloatDType;
}

/** Makes a parameter of a shape from a key. */
export type Initializer = (key: NDArray, shape: Shape, options?: InitializerOptions) => NDArray;

/** Zeros, whatever the key. */
export const zeros: Initializer = (_, shape, options = {}) => creation.zeros(shape, options);

/** Ones, whatever the key. */
export const ones: Initializer = (_, shape, options = {}) => creation.ones(shape, options);

/** One number everywhere, whatever the key. */
export function constant(value: number): Initializer {
  return (_, shape, options = {}) => {
    checkOptions("initialize", options, ["dtype"]);
    return creation.full(shape, value, { dtype: options.dtype ?? "float32" });
  };
}

/** What is drawn times a number. */
export function scaled(factor: number, draw: Initializer): Initializer {
  return (key, shape, options) =>
    lifted("initialize", () => mul(draw(key, shape, options), factor));
}

/** Uniform numbers from 0 to `scale`. */
export function uniform(scale = 0.01): Initializer {
  return scaled(scale, (key, shape, options) => random.uniform(key, shape, options));
}

/**
 * Normal numbers with mean 0 and a standard deviation.
 *
 * @example
 * ```ts
 * import { init, nn, random } from "@zenith/jax";
 *
 * await init();
 * const embedding = nn.initializers.normal(0.02)(random.key(0), [1000, 64]);
 * console.log(embedding.shape, await embedding.std().item());
 * ```
 */
export function normal(stddev = 0.01): Initializer {
  return scaled(stddev, (key, shape, options) => random.normal(key, shape, options));
}

/** Where a normal distribution is cut off, in standard deviations. */
export interface TruncationOptions {
  /** By default -2. */
  readonly lower?: number;
  /** By default 2. */
  readonly upper?: number;
}

/** Normal numbers with mean 0 that lie within some standard deviations; `stddev` is that before the cut. */
export function truncatedNormal(stddev = 0.01, options: TruncationOptions = {}): Initializer {
  checkOptions("truncatedNormal", options, ["lower", "upper"]);
  const { lower = -2, upper = 2 } = options;
  return scaled(
    stddev,
    (key, shape, options) => random.truncatedNormal(key, lower, upper, shape, options),
  );
}
