// The cache of attention: what decoding token by token keeps of the tokens before.

import { NDArray } from "../array.ts";
import type { FloatDType } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { dynamicUpdateSlice } from "../lax/window.ts";
import { zeros } from "../numpy/creation.ts";
import { add } from "../ops/arithmetic.ts";
import { less, lessEqual } from "../ops/comparison.ts";
import { iota } from "../ops/constant.ts";
import { floatDType } from "../random/uniform.ts";
import { checkCount } from "./module.ts";

/** Keys and values of what was seen so far. */
export interface AttentionCache {
  /** `[batch, maxLength, numKeyValueHeads, headSize]`. */
  key: NDArray;
  /** As the keys. */
  value: NDArray;
  /** How many positions are filled, an int32 without axes. */
  index: NDArray;
}

/** How the arrays of a cache are made. */
export interface CacheOptions {
  /** The type of keys and values; by default float32. */
  readonly dtype?: FloatDType;
}

/** A cache in which nothing was seen. */
export function emptyCache(
  batch: number,
  maxLength: number,
  keyHeads: Shape,
  options: CacheOptions,
): AttentionCache {
  checkOptions("initCache", options, ["dtype"]);
  const dtype = floatDType("initCache", options.dtype);
  const shape = [
    checkCount("initCache", "batch", batch),
    checkCount("initCache", "maxLength", maxLength),
    ...keyHeads,
  ];
  return {
    key: zeros(shape, { dtype }),
    value: zeros(shape, { dtype }),
    index: zeros([], { dtype: "int32" }),
  };
}

/** Checks that a cache is one, and has room for x. */
export function checkCache(what: string, cache: AttentionCache, x: NDArray, keyHeads: Shape): void {
  if (![cache.key, cache.value, cache.index].every((part) => part instanceof NDArray)) {
    throw new TypeError(
      `Cannot ${what}: the cache must be what initCache or the call before gave, { key, value, index }, got ${
        describe(cache)
      }`,
    );
  }
  const [batch, length] = x.shape as [number, number];
  const [held, maxLength, ...heads] = cache.key.shape;
  const fits = held === batch && maxLength !== undefined && length <= maxLength &&
    heads.length === 2 && heads.every((n, i) => n === keyHeads[i]);
  if (fits) return;
  throw new RangeError(
    `Cannot ${what}: the cache must have shape ${
      showShape([batch, Math.max(length, maxLength ?? 0), ...keyHeads])
    } for x of shape ${showShape(x.shape)}, got ${showShape(cache.key.shape)}`,
  );
}

/** The cache with new keys and values behind those that it holds. */
export function extended(cache: AttentionCache, key: NDArray, value: NDArray): AttentionCache {
  const put = (into: NDArray, rows: NDArray) =>
    dynamicUpdateSlice(into, rows, [0, cache.index, 0, 0]);
  return {
    key: put(cache.key, key),
    value: put(cache.value, value),
    index: add(cache.index, key.shape[1]!) as NDArray,
  };
}

/** Which positions of the cache queries see: those up to their own, or all that are filled with them. */
export function seenPositions(
  { key, index }: AttentionCache,
  queries: number,
  isCausal: boolean,
): Value {
  const shape = [queries, key.shape[1]!];
  const places = iota(shape, 1, "int32");
  return isCausal
    ? lessEqual(places, add(iota(shape, 0, "int32"), index))
    : less(places, add(index, queries));
}
