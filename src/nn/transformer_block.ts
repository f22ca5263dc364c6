// One block of a transformer.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { nameScope } from "../ir/trace.ts";
import { lifted, liftedTree } from "../numpy/lift.ts";
import { add } from "../ops/arithmetic.ts";
import type { AttentionCache } from "./attention_cache.ts";
import { checkRate, dropout as dropoutModule } from "./dropout.ts";
import { mlp, type MlpOptions, type MlpParams } from "./mlp.ts";
import {
  checkApplyOptions,
  checkParameterNames,
  initChildren,
  type Module,
  partKeys,
} from "./module.ts";
import {
  attentionApplyNames,
  type AttentionApplyOptions,
  type CachedApply,
  type CachedApplyOptions,
  type CachedModule,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
  multiHeadDotProductAttention,
} from "./multi_head_attention.ts";
import { layerNorm, type LayerNormParams, rmsNorm } from "./normalization.ts";

/** The sizes of {@linkcode transformerBlock} and what it does. */
export interface TransformerBlockOptions extends MultiHeadAttentionOptions, MlpOptions {
  /** By default `"layerNorm"`. */
  readonly norm?: "layerNorm" | "rmsNorm";
  /** How likely an element of what either part adds is left out; by default 0. */
  readonly dropout?: number;
}

/** Parameters of {@linkcode transformerBlock}. */
export interface TransformerBlockParams {
  /** Before the attention. */
  norm1: LayerNormParams;
  /** The attention. */
  attn: MultiHeadAttentionParams;
  /** Before the feed-forward part. */
  norm2: LayerNormParams;
  /** The feed-forward part. */
  mlp: MlpParams;
}

const optionNames = [
  "features",
  "numHeads",
  "numKeyValueHeads",
  "isCausal",
  "rotary",
  "useBias",
  "hidden",
  "activation",
  "gated",
  "norm",
  "dropout",
];

function normOf(
  { norm = "layerNorm", features }: TransformerBlockOptions,
): Module<LayerNormParams> {
  if (norm === "layerNorm") return layerNorm({ features });
  if (norm === "rmsNorm") return rmsNorm({ features });
  throw new TypeError(
    `Cannot transformerBlock: norm must be "layerNorm" or "rmsNorm", got ${describe(norm)}`,
  );
}

/**
 * A block of a transformer with normalisation before each part (Xiong et al., 2020): x + attn(norm1(x)), and to
 * that the same with norm2 and mlp. `[batch, length, features]` to the same shape.
 *
 * @throws {RangeError} if numHeads does not divide features, or, when it is applied, x or a parameter has another
 * shape.
 *
 * @example
 * ```ts
 * import { init, nn, random } from "@zenith/jax";
 *
 * await init();
 * const block = nn.transformerBlock({ features: 32, numHeads: 4, isCausal: true, dropout: 0.1 });
 * const params = block.init(random.key(0));
 * const x = random.normal(random.key(1), [2, 8, 32]);
 * console.log(block.apply(params, x, { key: random.key(2) }).shape); // [2, 8, 32]
 * console.log(block.apply(params, x, { deterministic: true }).shape);
 * ```
 */
export function transformerBlock(
  options: TransformerBlockOptions,
): CachedModule<TransformerBlockParams> {
  const what = "transformerBlock";
  checkOptions(what, options ?? null, optionNames);
  const { features, numHeads, numKeyValueHeads, isCausal, rotary, useBias } = options;
  const { hidden, activation, gated } = options;
  const norm = normOf(options);
  const attn = multiHeadDotProductAttention({
    features,
    numHeads,
    numKeyValueHeads,
    isCausal,
    rotary,
    useBias,
  });
  const feedForward = mlp({ features, hidden, activation, gated, useBias });
  const drop = dropoutModule({ rate: checkRate(what, options.dropout ?? 0) });
  const parts = { norm1: norm, attn, norm2: norm, mlp: feedForward };

  const run = (
    params: TransformerBlockParams,
    x: NDArray,
    { key, deterministic, cache, ...rest }: AttentionApplyOptions | CachedApplyOptions,
  ): [y: NDArray, cache: AttentionCache | undefined] => {
    const keys = partKeys({ key, deterministic }, 2);
    const dropped = (change: NDArray, i: number) =>
      drop.apply({}, change, { key: keys[i], deterministic });
    const normed = nameScope("norm1", () => norm.apply(params.norm1, x));
    const [seen, next] = nameScope(
      "attn",
      () =>
        cache
          ? attn.apply(params.attn, normed, { ...rest, cache })
          : [attn.apply(params.attn, normed, rest), undefined],
    );
    const middle = add(x, dropped(seen, 0)) as NDArray;
    const again = nameScope("norm2", () => norm.apply(params.norm2, middle));
    const change = nameScope("mlp", () => feedForward.apply(params.mlp, again));
    return [add(middle, dropped(change, 1)) as NDArray, next];
  };

  const apply = (
    params: TransformerBlockParams,
    x: ArrayLike,
    applyOptions: AttentionApplyOptions | CachedApplyOptions = {},
  ) => {
    checkApplyOptions(what, applyOptions, attentionApplyNames);
    checkParameterNames(what, params, Object.keys(parts));
    const body = () => run(params, asArray(x, what), applyOptions);
    return applyOptions.cache
      ? liftedTree(what, body, applyOptions.cache)
      : lifted(what, () => body()[0]);
  };

  return {
    name: what,
    init: (key) => initChildren(key, parts) as unknown as TransformerBlockParams,
    apply: apply as CachedApply<TransformerBlockParams>,
    initCache: attn.initCache,
  };
}
