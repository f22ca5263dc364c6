// Random orders of the elements of an array, and choices among them.

import { type ArrayLike, asArray, asNDArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { checkShape, normalizeAxis, type Shape, sizeOf } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { cumsum } from "../numpy/accumulation.ts";
import { log } from "../numpy/elementary.ts";
import { slice, take, takeAlongAxis } from "../numpy/indexing.ts";
import { lifted } from "../numpy/lift.ts";
import { argsort, searchsorted, topK } from "../numpy/sorting.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { iota } from "../ops/constant.ts";
import { reshape } from "../ops/movement.ts";
import { gumbel } from "./continuous.ts";
import { randint } from "./discrete.ts";
import { checkKey } from "./key.ts";
import { type Config, type KeyWords, program, randomBits, twoKeys } from "./program.ts";
import { uniform } from "./uniform.ts";

interface OrderConfig extends Config {
  readonly axis: number;
}

/**
 * Sorts positions by random words, as often as JAX: all words of a position together have at least size**3 values,
 * so that ties hardly matter.
 */
const drawOrder = program<OrderConfig>("random.permutation", ({ shape, axis }, key) => {
  const rounds = Math.ceil(3 * Math.log(Math.max(1, sizeOf(shape))) / Math.log(2 ** 32 - 1));
  let order: Value = iota(shape, axis, "int32");
  let next: KeyWords = key;
  for (let round = 0; round < rounds; round++) {
    const [other, own] = twoKeys(next);
    const words = asNDArray(randomBits(own, shape));
    next = other;
    order = takeAlongAxis(asNDArray(order), argsort(words, { axis }), { axis });
  }
  return order;
});

/** What is put in another order. */
export interface PermutationOptions {
  /** The axis along which the parts change places; by default the first. */
  readonly axis?: number;
  /** Whether every row along the axis gets an order of its own. */
  readonly independent?: boolean;
}

/**
 * The parts of an array along an axis in a random order, or, for a number `n`, the integers from 0 to n - 1.
 *
 * @throws {TypeError} if `key` is not one key; RangeError if there is no such axis or `n` is negative.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const order = random.permutation(random.key(0), 6);
 * const shuffled = jnp.arange(12).reshape([6, 2]).take(order, { axis: 0 });
 * console.log(await order.toList(), await shuffled.toList());
 * ```
 */
export function permutation(
  key: NDArray,
  x: ArrayLike,
  options: PermutationOptions = {},
): NDArray {
  const what = "random.permutation";
  checkOptions(what, options, ["axis", "independent"]);
  const { axis = 0, independent = false } = options;
  if (typeof independent !== "boolean") {
    throw new TypeError(
      `Cannot ${what}: independent must be true or false, got ${describe(independent)}`,
    );
  }
  return lifted(what, () => {
    const checked = checkKey(what, key);
    if (typeof x === "number") {
      const config = { shape: checkShape(what, [x]), axis: normalizeAxis(what, axis, 1) };
      return drawOrder(config, checked);
    }
    const array = asArray(x, what);
    const along = normalizeAxis(what, axis, array.ndim);
    if (independent) {
      const order = drawOrder({ shape: array.shape, axis: along }, checked);
      return takeAlongAxis(array, order, { axis: along });
    }
    const order = drawOrder({ shape: [array.shape[along]!], axis: 0 }, checked);
    return take(array, order, { axis: along });
  });
}

/** How is chosen. */
export interface ChoiceOptions {
  /** Whether a part may be chosen again; by default it may. */
  readonly replace?: boolean;
  /** The probability of every part; by default all have the same. */
  readonly p?: ArrayLike;
  /** The axis along which the parts lie; by default the first. */
  readonly axis?: number;
}

/**
 * Parts of an array along an axis chosen at random, in place of which the result has `shape`; for a number `n`
 * integers from 0 to n - 1.
 *
 * @throws {TypeError} if `key` is not one key or `p` not floating; RangeError if there is nothing to choose from,
 * too little to choose without replacement, or `p` has not one number a part.
 *
 * @example
 * ```ts
 * import { init, random } from "@zenith/jax";
 *
 * await init();
 * const hand = random.choice(random.key(0), 52, [5], { replace: false });
 * console.log(await hand.toList());
 * ```
 */
export function choice(
  key: NDArray,
  a: ArrayLike,
  shape: Shape = [],
  options: ChoiceOptions = {},
): NDArray {
  const what = "random.choice";
  checkOptions(what, options, ["replace", "p", "axis"]);
  const { replace = true, p, axis = 0 } = options;
  const drawn = checkShape(what, shape);
  return lifted(what, () => {
    const checked = checkKey(what, key);
    const array = typeof a === "number" ? undefined : asArray(a, what);
    const along = array ? normalizeAxis(what, axis, array.ndim) : 0;
    const parts = array ? array.shape[along]! : checkShape(what, [a as number])[0]!;
    checkEnough(parts, sizeOf(drawn), replace);
    const chosen = p === undefined
      ? equallyLikely(checked, parts, drawn, replace)
      : weighted(checked, probabilities(p, parts), drawn, replace);
    return array ? take(array, chosen, { axis: along }) : chosen;
  });
}

function checkEnough(parts: number, draws: number, replace: boolean): void {
  if (typeof replace !== "boolean") {
    throw new TypeError(
      `Cannot random.choice: replace must be true or false, got ${describe(replace)}`,
    );
  }
  const needed = replace ? Math.min(draws, 1) : draws;
  if (parts >= needed) return;
  throw new RangeError(
    `Cannot random.choice: at least ${needed} parts are required${
      replace ? "" : " without replacement"
    }, got ${parts}`,
  );
}

function probabilities(p: ArrayLike, parts: number): NDArray {
  const array = asArray(p, "random.choice");
  if (!isFloating(array.dtype)) {
    throw new TypeError(`Cannot random.choice: p must be floating, got ${describe(array)}`);
  }
  if (array.ndim === 1 && array.size === parts) return array;
  throw new RangeError(
    `Cannot random.choice: p must have the shape [${parts}], one number a part, got ${
      showShape(array.shape)
    }`,
  );
}

function equallyLikely(key: NDArray, parts: number, shape: Shape, replace: boolean): NDArray {
  if (replace) return randint(key, shape, 0, parts);
  const first = slice(permutation(key, parts), [0, sizeOf(shape)]);
  return asNDArray(reshape(first, shape));
}

function weighted(key: NDArray, p: NDArray, shape: Shape, replace: boolean): NDArray {
  const dtype = p.dtype as "float32";
  if (!replace) {
    // The largest of logits with Gumbel noise are a sample without replacement (Vieira, 2014).
    const noisy = asNDArray(add(gumbel(key, p.shape, { dtype }), log(p)));
    return asNDArray(reshape(topK(noisy, sizeOf(shape))[1], shape));
  }
  const total = cumsum(p);
  const rest = sub(1, uniform(key, shape, { dtype }));
  return searchsorted(total, asNDArray(mul(slice(total, -1), rest)));
}
