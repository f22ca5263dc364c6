// Keys: where randomness comes from. A key is an ordinary uint32 array whose last axis has two words, so that
// trees, jit, vmap and files carry keys like any other array.

import { type ArrayLike, asArray, asNDArray, fromHost, NDArray } from "../array.ts";
import { describe, showShape } from "../core/errors.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { asIntegers } from "../ops/cast.ts";
import { concatenate } from "../ops/concatenate.ts";
import { constant } from "../ops/constant.ts";
import { reshape } from "../ops/movement.ts";
import { counter, keysOf, program } from "./program.ts";

/** The largest seed: up to there a number is an exact integer. */
const largestSeed = 2 ** 53;

/**
 * A key from a seed: `[high word, low word]`, as JAX lays out a 64-bit seed (with 64-bit types switched off JAX
 * drops the high word, which seeds below 2**32 do not have). Negative seeds count as their 32 bits. Inside a
 * traced function the seed may be an integer array without axes.
 *
 * The same key always gives the same numbers: use each key once, and {@linkcode split} it for more.
 *
 * @throws {TypeError} if the seed is not an integer; RangeError if it is not within -(2**31) to 2**53.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * const [dropoutKey, noiseKey] = random.split(random.key(0));
 * console.log(await random.normal(noiseKey, [2, 3]).toList(), dropoutKey.shape);
 * ```
 */
export function key(seed: ArrayLike): NDArray {
  if (typeof seed !== "number") return keyOfArray(seed);
  if (!Number.isInteger(seed)) {
    throw new TypeError(`Cannot random.key: the seed must be an integer, got ${describe(seed)}`);
  }
  if (seed < -(2 ** 31) || seed > largestSeed) {
    throw new RangeError(
      `Cannot random.key: the seed must be within -(2**31) to 2**53, got ${seed}`,
    );
  }
  return fromHost([Math.max(0, Math.floor(seed / 2 ** 32)), seed >>> 0], [2], "uint32");
}

function keyOfArray(seed: ArrayLike): NDArray {
  return lifted("random.key", () => {
    const word = integerScalar("random.key", "the seed", seed);
    return concatenate([constant(0, "uint32"), word].map((x) => reshape(x, [1])), 0);
  });
}

/** An integer without axes as a uint32. */
function integerScalar(what: string, name: string, x: ArrayLike): Value {
  const value = asArray(x, what);
  const integers = asIntegers(value, "uint32");
  if (integers && value.ndim === 0) return integers;
  throw new TypeError(
    `Cannot ${what}: ${name} must be an integer without axes, got ${
      describe(value)
    }; use vmap for several`,
  );
}

/**
 * Checks that an argument is one key.
 *
 * @throws {TypeError} for anything but a uint32 array of shape [2].
 */
export function checkKey(what: string, key: unknown): NDArray {
  if (key instanceof NDArray && key.dtype === "uint32" && key.shape[key.ndim - 1] === 2) {
    if (key.ndim === 1) return key;
    throw new TypeError(
      `Cannot ${what}: one key is required, got keys of shape ${
        showShape(key.shape)
      }; use vmap for several`,
    );
  }
  throw new TypeError(
    `Cannot ${what}: a key is required, a uint32 array of shape [2] as random.key(seed) makes it, got ${
      describe(key)
    }`,
  );
}

const drawSplit = program("random.split", ({ shape }, key) => keysOf(key, counter(shape)));

/**
 * New keys from one, independent of each other and of it: a uint32 array of shape `[num, 2]`, or
 * `[...num, 2]` where `num` is a shape. Its parts can be taken by destructuring, in a loop, or with `vmap`.
 *
 * @throws {TypeError} if `key` is not one key; RangeError if `num` is negative.
 *
 * @example
 * ```ts
 * import { init, type NDArray, random, vmap } from "@zenith/jax";
 *
 * await init();
 * const [a, b] = random.split(random.key(0));
 * const rows = vmap((key: NDArray) => random.uniform(key, [3]))(random.split(a, 4));
 * console.log(rows.shape, b.shape); // [4, 3] [2]
 * ```
 */
export function split(key: NDArray, num: number | Shape = 2): NDArray {
  const shape = checkShape("random.split", typeof num === "number" ? [num] : num);
  return lifted("random.split", () => drawSplit({ shape }, checkKey("random.split", key)));
}

const drawFoldIn = program(
  "random.foldIn",
  (_, key, data) => keysOf(key, [constant(0, "uint32"), data!]),
);

/**
 * A new key from a key and a number, such as a step or a layer's position. The number may be an array without
 * axes, of which the 32 bits count.
 *
 * @throws {TypeError} if `key` is not one key, or `data` not an integer; RangeError for a number that is
 * not within 0 to 2**32 - 1.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * const key = random.key(0);
 * for (let step = 0; step < 3; step++) {
 *   console.log(await random.uniform(random.foldIn(key, step)).item());
 * }
 * ```
 */
export function foldIn(key: NDArray, data: ArrayLike): NDArray {
  const what = "random.foldIn";
  if (typeof data === "number" && Number.isInteger(data) && (data < 0 || data >= 2 ** 32)) {
    throw new RangeError(`Cannot ${what}: data must be within 0 to 2**32 - 1, got ${data}`);
  }
  return lifted(what, () => {
    const word = typeof data === "number" && Number.isInteger(data)
      ? constant(data, "uint32")
      : integerScalar(what, "data", data);
    return drawFoldIn({ shape: [] }, checkKey(what, key), asNDArray(word));
  });
}
