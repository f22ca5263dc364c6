// Attention as a module: projections around `dotProductAttention`.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { nameScope } from "../ir/trace.ts";
import { lifted, liftedTree } from "../numpy/lift.ts";
import { add } from "../ops/arithmetic.ts";
import { iota } from "../ops/constant.ts";
import { logicalAnd } from "../ops/logic.ts";
import { reshape } from "../ops/movement.ts";
import { dotProductAttention } from "./attention.ts";
import {
  type AttentionCache,
  type CacheOptions,
  checkCache,
  emptyCache,
  extended,
  seenPositions,
} from "./attention_cache.ts";
import { dense, type DenseParams } from "./dense.ts";
import {
  type ApplyOptions,
  checkApplyOptions,
  checkCount,
  checkLastAxes,
  checkParameterNames,
  initChildren,
  type Module,
} from "./module.ts";
import { checkBase, rotaryEmbedding, type RotaryOptions } from "./rotary.ts";

/** The sizes of {@linkcode multiHeadDotProductAttention} and what it does. */
export interface MultiHeadAttentionOptions {
  /** The extent of the last axis of the input and of the result. */
  readonly features: number;
  /** How many heads there are; they share the features. */
  readonly numHeads: number;
  /** How many heads keys and values have, each of which serves a group of those of the queries; by default all. */
  readonly numKeyValueHeads?: number;
  /** Whether a query sees no key behind its own position; by default false. */
  readonly isCausal?: boolean;
  /** Whether queries and keys are turned by their positions, with the base as an option; by default false. */
  readonly rotary?: boolean | RotaryOptions;
  /** Whether the projections add a bias; by default true. */
  readonly useBias?: boolean;
}

/** Parameters of {@linkcode multiHeadDotProductAttention}. */
export interface MultiHeadAttentionParams {
  /** Kernel `[features, numHeads, headSize]`. */
  query: DenseParams;
  /** Kernel `[features, numKeyValueHeads, headSize]`. */
  key: DenseParams;
  /** Kernel `[features, numKeyValueHeads, headSize]`. */
  value: DenseParams;
  /** Kernel `[numHeads, headSize, features]`. */
  out: DenseParams;
}

/** What the `apply` of attention may be told besides. */
export interface AttentionApplyOptions extends ApplyOptions {
  /** What keys and values are made of, `[batch, keys, features]`; by default x itself. */
  readonly keyValue?: ArrayLike;
  /** Booleans that broadcast to `[batch, heads, queries, keys]`: true where a query may see a key. */
  readonly mask?: ArrayLike;
  /** In place of what the module was made with. */
  readonly isCausal?: boolean;
  /** There with {@linkcode CachedApply}. */
  readonly cache?: undefined;
}

/** The options with a cache, whose positions are those of the keys. */
export interface CachedApplyOptions extends Omit<AttentionApplyOptions, "cache" | "keyValue"> {
  /** What was seen before x; as `initCache` or the call before gave it. */
  readonly cache: AttentionCache;
}

/** The options with or without a cache. */
type AttendOptions = Omit<AttentionApplyOptions, "cache"> & { readonly cache?: AttentionCache };

/** The `apply` of a module with a cache: with it the result comes with the next cache. */
export interface CachedApply<Params> {
  (params: Params, x: ArrayLike, options: CachedApplyOptions): [y: NDArray, cache: AttentionCache];
  (params: Params, x: ArrayLike, options?: AttentionApplyOptions): NDArray;
}

/** A module that can be applied piece by piece, with what it saw before in a cache. */
export interface CachedModule<Params> extends Omit<Module<Params, AttentionApplyOptions>, "apply"> {
  /** The module as a function of its parameters and its input. */
  readonly apply: CachedApply<Params>;
  /** An empty cache. More than `maxLength` positions must not be put in: they would replace the last ones. */
  initCache(batch: number, maxLength: number, options?: CacheOptions): AttentionCache;
}

const optionNames = [
  "features",
  "numHeads",
  "numKeyValueHeads",
  "isCausal",
  "rotary",
  "useBias",
];

/** The options of `apply` besides those of every module. */
export const attentionApplyNames = ["keyValue", "mask", "isCausal", "cache"] as const;

const what = "multiHeadDotProductAttention";

/** The base of rotary positions; undefined where there are none. */
function rotaryBase(rotary: boolean | RotaryOptions): number | undefined {
  if (rotary === false) return undefined;
  if (rotary === true) return 10000;
  checkOptions(what, rotary, ["base"]);
  return checkBase(what, rotary.base ?? 10000);
}

function checkHeads(options: MultiHeadAttentionOptions) {
  const features = checkCount(what, "features", options.features);
  const numHeads = checkCount(what, "numHeads", options.numHeads);
  const numKeyValueHeads = checkCount(
    what,
    "numKeyValueHeads",
    options.numKeyValueHeads ?? numHeads,
  );
  if (features % numHeads !== 0) {
    throw new RangeError(
      `Cannot ${what}: numHeads must divide features, got ${numHeads} and ${features}`,
    );
  }
  if (numHeads % numKeyValueHeads !== 0) {
    throw new RangeError(
      `Cannot ${what}: numKeyValueHeads must divide numHeads, got ${numKeyValueHeads} and ${numHeads}`,
    );
  }
  return { features, numHeads, numKeyValueHeads, headSize: features / numHeads };
}

/**
 * Attention of every position to every other, or to those of `keyValue`, in several heads (Vaswani et al., 2017):
 * `[batch, length, features]` to the same shape, as Flax's module of this name. Without a batch axis, and with
 * several, it works as well.
 *
 * @throws {RangeError} if numHeads does not divide features, or, when it is applied, x or a parameter has another
 * shape.
 *
 * @example
 * ```ts
 * import { init, nn, random } from "@zenith/jax";
 *
 * await init();
 * const attention = nn.multiHeadDotProductAttention({ features: 16, numHeads: 4, isCausal: true });
 * const params = attention.init(random.key(0));
 * const x = random.normal(random.key(1), [2, 5, 16]);
 * console.log(attention.apply(params, x).shape); // [2, 5, 16]
 *
 * // The same, position by position.
 * let cache = attention.initCache(2, 5);
 * for (let i = 0; i < 5; i++) {
 *   const [y, next] = attention.apply(params, x.slice([], [i, i + 1]), { cache });
 *   cache = next;
 *   if (i === 4) console.log(y.shape); // [2, 1, 16]
 * }
 * ```
 */
export function multiHeadDotProductAttention(
  options: MultiHeadAttentionOptions,
): CachedModule<MultiHeadAttentionParams> {
  checkOptions(what, options ?? null, optionNames);
  const { features, numHeads, numKeyValueHeads, headSize } = checkHeads(options);
  const { useBias = true, rotary = false } = options;
  const keyHeads: Shape = [numKeyValueHeads, headSize];
  const parts = {
    query: dense({ inFeatures: features, features: [numHeads, headSize], useBias }),
    key: dense({ inFeatures: features, features: keyHeads, useBias }),
    value: dense({ inFeatures: features, features: keyHeads, useBias }),
    out: dense({ inFeatures: [numHeads, headSize], features, useBias }),
  };
  const made = { parts, features, base: rotaryBase(rotary), isCausal: options.isCausal ?? false };

  const apply = (
    params: MultiHeadAttentionParams,
    x: ArrayLike,
    applyOptions: AttentionApplyOptions | CachedApplyOptions = {},
  ) => {
    checkApplyOptions(what, applyOptions, attentionApplyNames);
    checkParameterNames(what, params, Object.keys(parts));
    const { cache } = applyOptions;
    const run = (): [NDArray, AttentionCache | undefined] => {
      const array = asArray(x, what);
      const rows = inBatches(array, features);
      const given: AttendOptions = applyOptions;
      if (cache) checkCache(what, cache, rows, keyHeads);
      if (cache && given.keyValue !== undefined) {
        throw new TypeError(`Cannot ${what}: a cache holds keys of x, it cannot go with keyValue`);
      }
      const [y, next] = attend(made, params, rows, given);
      return [reshape(y, array.shape) as NDArray, next];
    };
    return cache ? liftedTree(what, run, cache) : lifted(what, () => run()[0]);
  };

  return {
    name: what,
    init: (key) => initChildren(key, parts) as unknown as MultiHeadAttentionParams,
    apply: apply as CachedApply<MultiHeadAttentionParams>,
    initCache: (batch, maxLength, cacheOptions = {}) =>
      emptyCache(batch, maxLength, keyHeads, cacheOptions),
  };
}

/** What a module is made of. */
interface MadeAttention {
  readonly parts: Readonly<Record<keyof MultiHeadAttentionParams, Module<DenseParams>>>;
  readonly features: number;
  /** The base of rotary positions, where there are any. */
  readonly base: number | undefined;
  readonly isCausal: boolean;
}

/** Attention of `[batch, length, features]`, and the next cache where there was one. */
function attend(
  { parts, features, base, isCausal: causalByDefault }: MadeAttention,
  params: MultiHeadAttentionParams,
  x: NDArray,
  { keyValue, mask, isCausal = causalByDefault, cache }: AttendOptions,
): [y: NDArray, cache: AttentionCache | undefined] {
  const project = (name: keyof typeof parts, from: ArrayLike) =>
    nameScope(name, () => parts[name].apply(params[name], from));
  const turned = (rows: NDArray): NDArray => {
    if (base === undefined) return rows;
    const places = iota([rows.shape[1]!], 0, "int32");
    return rotaryEmbedding(rows, (cache ? add(places, cache.index) : places) as NDArray, { base });
  };
  const source = keyValue === undefined ? x : inBatches(asArray(keyValue, what), features);
  const query = turned(project("query", x));
  const key = turned(project("key", source));
  const value = project("value", source);
  if (!cache) {
    const rows = dotProductAttention(query, key, value, { mask, isCausal });
    return [project("out", rows), undefined];
  }
  const next = extended(cache, key, value);
  const seen = seenPositions(cache, query.shape[1]!, isCausal);
  const visible = mask === undefined ? seen : logicalAnd(seen, asArray(mask, what));
  const rows = dotProductAttention(query, next.key, next.value, { mask: visible as NDArray });
  return [project("out", rows), next];
}

/** `[batch, length, features]` with one batch axis, whatever there was. */
function inBatches(x: NDArray, features: number): NDArray {
  checkLastAxes(what, x, [features]);
  if (x.ndim < 2 || !isFloating(x.dtype)) {
    throw new RangeError(
      `Cannot ${what}: floats of shape [batch, length, features] are required, got ${describe(x)}`,
    );
  }
  return reshape(x, [sizeOf(x.shape.slice(0, -2)), ...x.shape.slice(-2)]) as NDArray;
}
