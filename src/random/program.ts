// How random numbers are made: every function is one traced program, so that it is one kernel outside of jit
// too; and the pieces that the programs share.

import { asNDArray, type NDArray } from "../array.ts";
import type { DType } from "../core/dtype.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { equal } from "../ops/comparison.ts";
import { constant, iota } from "../ops/constant.ts";
import { broadcastTo, reshape, slice } from "../ops/movement.ts";
import { where } from "../ops/selection.ts";
import { threefry2x32 } from "../ops/threefry.ts";
import { jit } from "../transform/jit.ts";

/** What a program is traced for. */
export interface Config {
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly axis?: number;
}

/** Makes a program of a function of static choices, the words of a key, and other arrays. */
export function program<C extends Config>(
  name: string,
  draw: (config: C, key: KeyWords, ...rest: Value[]) => Value,
): (config: C, key: NDArray, ...rest: NDArray[]) => NDArray {
  return jit(
    (config: C, key: NDArray, ...rest: NDArray[]) => asNDArray(draw(config, wordsOf(key), ...rest)),
    { staticArgnums: 0, name },
  );
}

/** A key as its two words, which have no axes. */
export type KeyWords = readonly [first: Value, second: Value];

/** The words of a key. */
export function wordsOf(key: Value): KeyWords {
  const word = (i: number) => reshape(slice(key, [i], [1], [1]), []);
  return [word(0), word(1)];
}

/** New keys, one for each element of a shape, as an array whose last axis holds their words. */
export function keysOf(key: KeyWords, [high, low]: readonly [Value, Value]): Value {
  const { shape } = low.aval;
  const words = [...shape, 2];
  const count = [high, broadcastTo(reshape(low, [...shape, 1]), words)] as const;
  const isFirst = equal(iota(words, shape.length, "uint32"), 0);
  return where(isFirst, threefry2x32(key, count, "first"), threefry2x32(key, count, "second"));
}

/** Two new keys of one. */
export function twoKeys(key: KeyWords): [KeyWords, KeyWords] {
  const keys = keysOf(key, counter([2]));
  const row = (i: number) => wordsOf(reshape(slice(keys, [i, 0], [1, 1], [1, 2]), [2]));
  return [row(0), row(1)];
}

/** The position of every element in row-major order, as two words; arrays have fewer than 2**32 elements. */
export function counter(shape: Shape): [Value, Value] {
  return [constant(0, "uint32"), reshape(iota([sizeOf(shape)], 0, "uint32"), shape)];
}

/** 32 random bits for every element of a shape: a function of the key and the element's position alone. */
export function randomBits(key: KeyWords, shape: Shape): Value {
  return threefry2x32(key, counter(shape), "bits");
}
