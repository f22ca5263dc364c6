// A small GPT (Radford et al., 2018), put together from modules: a table of vectors, blocks with rotary positions,
// and the same table as the head. Which type it computes in is not its concern.

import { type FloatDType, type NDArray, nn, random } from "@zenith/jax";

/** The sizes of a GPT. */
export interface GptSizes {
  /** How many tokens there are. */
  readonly vocabulary: number;
  readonly layers: number;
  readonly heads: number;
  readonly features: number;
}

/** Parameters of {@linkcode gpt}. */
export interface GptParams {
  readonly tokens: nn.EmbedParams;
  readonly blocks: readonly nn.TransformerBlockParams[];
  readonly norm: nn.LayerNormParams;
}

/** What each block has seen. */
export type GptCache = readonly nn.AttentionCache[];

/** A GPT as functions of its parameters. */
export interface Gpt {
  init(key: NDArray): GptParams;
  /** Logits of what follows each token: `[batch, length]` to `[batch, length, vocabulary]`. */
  apply(params: GptParams, tokens: NDArray): NDArray;
  /** The same for tokens behind those that the cache holds. */
  decode(params: GptParams, tokens: NDArray, cache: GptCache): [logits: NDArray, cache: GptCache];
  /** An empty cache for that many tokens, in the type that the parameters have. */
  initCache(params: GptParams, batch: number, length: number): GptCache;
}

/** A GPT of the given sizes. */
export function gpt({ vocabulary, layers, heads, features }: GptSizes): Gpt {
  const tokens = nn.embed({ numEmbeddings: vocabulary, features });
  const block = nn.transformerBlock({ features, numHeads: heads, isCausal: true, rotary: true });
  const norm = nn.layerNorm({ features });

  const embedded = (params: GptParams, numbers: NDArray) =>
    nn.namedScope("tokens", () => tokens.apply(params.tokens, numbers));
  const inBlock = <T>(i: number, apply: () => T): T =>
    nn.namedScope("blocks", () => nn.namedScope(String(i), apply));
  const logits = (params: GptParams, x: NDArray) => {
    const normed = nn.namedScope("norm", () => norm.apply(params.norm, x));
    return nn.namedScope("tokens", () => tokens.attend(params.tokens, normed));
  };

  return {
    init: (key) => {
      const [tokensKey, normKey, ...blockKeys] = random.split(key, 2 + layers);
      return {
        tokens: tokens.init(tokensKey),
        blocks: blockKeys.map((blockKey) => block.init(blockKey)),
        norm: norm.init(normKey),
      };
    },
    apply: (params, numbers) => {
      const x = params.blocks.reduce(
        (x, own, i) => inBlock(i, () => block.apply(own, x)),
        embedded(params, numbers),
      );
      return logits(params, x);
    },
    decode: (params, numbers, cache) => {
      let x = embedded(params, numbers);
      const next = params.blocks.map((own, i) => {
        const [y, seen] = inBlock(i, () => block.apply(own, x, { cache: cache[i] }));
        x = y;
        return seen;
      });
      return [logits(params, x), next];
    },
    initCache: ({ blocks }, batch, length) =>
      blocks.map(({ attn }) =>
        block.initCache(batch, length, { dtype: attn.key.kernel.dtype as FloatDType })
      ),
  };
}
