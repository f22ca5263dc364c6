// Distributions of real numbers, each made of uniform ones by the inverse of its distribution function.

import { asNDArray, type NDArray } from "../array.ts";
import type { FloatDType } from "../core/dtype.ts";
import { decodeBytes, encodeValues } from "../core/element_data.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { finfo } from "../core/finfo.ts";
import { roundTo } from "../core/half.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { mul, neg } from "../ops/arithmetic.ts";
import { maximum, minimum } from "../ops/comparison.ts";
import { constant } from "../ops/constant.ts";
import { erfInv, log, log1p } from "../ops/elementary.ts";
import { erf } from "../ops/special_functions.ts";
import { checkKey } from "./key.ts";
import { type KeyWords, program } from "./program.ts";
import {
  type FloatConfig,
  floatDType,
  type FloatOptions,
  uniformBetween,
  unitFloats,
} from "./uniform.ts";

/** Numbers whose erf is uniform between two bounds, as standard normal ones. */
function inverseNormal(key: KeyWords, config: FloatConfig, low: Value, high: Value): Value {
  return mul(Math.SQRT2, erfInv(uniformBetween(key, config, low, high)));
}

/** A function of a key, a shape and a type that draws from a distribution without parameters. */
function distribution(
  name: string,
  draw: (key: KeyWords, config: FloatConfig) => Value,
): (key: NDArray, shape?: Shape, options?: FloatOptions) => NDArray {
  const what = `random.${name}`;
  const drawn = program<FloatConfig>(what, (config, key) => draw(key, config));
  return (key, shape = [], options = {}) => {
    checkOptions(what, options, ["dtype"]);
    const config = { shape: checkShape(what, shape), dtype: floatDType(what, options.dtype) };
    return lifted(what, () => drawn(config, checkKey(what, key)));
  };
}

/**
 * Numbers of the standard normal distribution: mean 0, variance 1.
 *
 * @throws {TypeError} if `key` is not one key or `dtype` not floating.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * const weights = random.normal(random.key(0), [64, 10]).mul(0.1);
 * console.log(weights.shape, await weights.mean().item());
 * ```
 */
export const normal: (key: NDArray, shape?: Shape, options?: FloatOptions) => NDArray =
  distribution("normal", (key, config) => {
    // The bounds are open: erf has the value -1 nowhere.
    const above = -1 + finfo(config.dtype).eps / 2;
    const { dtype } = config;
    return inverseNormal(key, config, constant(above, dtype), constant(1, dtype));
  });

/**
 * Numbers of the standard Gumbel distribution, -log(-log(u)): added to logits, the largest is a sample.
 *
 * @throws {TypeError} if `key` is not one key or `dtype` not floating.
 */
export const gumbel: (key: NDArray, shape?: Shape, options?: FloatOptions) => NDArray =
  distribution("gumbel", gumbelOf);

/** What {@linkcode gumbel} draws, inside a program. */
export function gumbelOf(key: KeyWords, config: FloatConfig): Value {
  const { dtype } = config;
  const tiny = constant(finfo(dtype).smallestNormal, dtype);
  return neg(log(neg(log(uniformBetween(key, config, tiny, constant(1, dtype))))));
}

/**
 * Numbers of the exponential distribution with mean 1.
 *
 * @throws {TypeError} if `key` is not one key or `dtype` not floating.
 */
export const exponential: (key: NDArray, shape?: Shape, options?: FloatOptions) => NDArray =
  distribution("exponential", (key, config) => neg(log1p(neg(unitFloats(key, config)))));

const drawTruncated = program<FloatConfig>(
  "random.truncatedNormal",
  (config, key, erfLow, erfHigh, least, greatest) =>
    minimum(maximum(inverseNormal(key, config, erfLow!, erfHigh!), least!), greatest!),
);

/**
 * Numbers of the standard normal distribution that lie between two numbers, both left out.
 *
 * @throws {TypeError} if `key` is not one key, a bound not a number or `dtype` not floating; RangeError if
 * `lower` is not less than `upper`.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * const x = random.truncatedNormal(random.key(0), -2, 2, [1000]);
 * console.log(await x.max().item()); // less than 2
 * ```
 */
export function truncatedNormal(
  key: NDArray,
  lower: number,
  upper: number,
  shape: Shape = [],
  options: FloatOptions = {},
): NDArray {
  const what = "random.truncatedNormal";
  checkOptions(what, options, ["dtype"]);
  if (typeof lower !== "number" || typeof upper !== "number") {
    throw new TypeError(
      `Cannot ${what}: lower and upper must be numbers, got ${describe(lower)} and ${
        describe(upper)
      }`,
    );
  }
  if (!(lower < upper)) {
    throw new RangeError(
      `Cannot ${what}: lower must be less than upper, got ${lower} and ${upper}`,
    );
  }
  const dtype = floatDType(what, options.dtype);
  const [low, high] = [roundTo(dtype, lower), roundTo(dtype, upper)];
  const parameters = [
    erf(low / Math.SQRT2),
    erf(high / Math.SQRT2),
    neighbour(dtype, low, 1),
    neighbour(dtype, high, -1),
  ];
  return lifted(what, () => {
    const values = parameters.map((x) => asNDArray(constant(x, dtype)));
    return drawTruncated({ shape: checkShape(what, shape), dtype }, checkKey(what, key), ...values);
  });
}

/** The next number of a type above (1) or below (-1) a number of it. */
function neighbour(dtype: FloatDType, x: number, direction: 1 | -1): number {
  if (x === 0) return direction * finfo(dtype).smallestSubnormal;
  const { buffer } = encodeValues(dtype, [x]);
  const words = dtype === "float32" ? new Uint32Array(buffer) : new Uint16Array(buffer);
  words[0]! += Math.sign(x) * direction;
  return decodeBytes(dtype, new Uint8Array(buffer), 1)[0]!;
}
