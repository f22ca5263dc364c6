// The `nn` namespace.

export * from "./activations.ts";
export * from "./attention.ts";
export * from "./normalization.ts";
export {
  logSoftmax,
  logsumexp,
  oneHot,
  type OneHotOptions,
  type RowOptions,
  softmax,
} from "./softmax.ts";

export type { ApplyOptions, Module, ParamsOf } from "./module.ts";
export { conv, type ConvOptions, type ConvParams } from "./conv.ts";
export { dense, type DenseOptions, type DenseParams } from "./dense.ts";
export { dropout, type DropoutOptions } from "./dropout.ts";
export { embed, type EmbedModule, type EmbedOptions, type EmbedParams } from "./embed.ts";
export { mlp, type MlpOptions, type MlpParams } from "./mlp.ts";
export type { AttentionCache, CacheOptions } from "./attention_cache.ts";
export {
  type AttentionApplyOptions,
  type CachedApply,
  type CachedApplyOptions,
  type CachedModule,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
  multiHeadDotProductAttention,
} from "./multi_head_attention.ts";
export { namedScope } from "./named_scope.ts";
export { avgPool, type AvgPoolOptions, maxPool, type PoolOptions } from "./pooling.ts";
export {
  type Layer,
  type LayerModule,
  residual,
  sequential,
  type SequentialParams,
} from "./sequential.ts";
export { rotaryEmbedding, type RotaryOptions } from "./rotary.ts";
export {
  transformerBlock,
  type TransformerBlockOptions,
  type TransformerBlockParams,
} from "./transformer_block.ts";

/** Functions of a key and a shape that make parameters. */
export * as initializers from "./initializers.ts";
