// The `optim` namespace.

export { chain, type EmptyState, type GradientTransformation } from "./transformation.ts";
export { applyUpdates, globalNorm } from "./updates.ts";
export { type CountState, scale, scaleByLearningRate, scaleBySchedule } from "./scaling.ts";
export { clipByGlobalNorm } from "./clipping.ts";
export { addDecayedWeights, type Mask, type MaskOptions } from "./decay.ts";
export { sgd, type SgdOptions, trace, type TraceOptions, type TraceState } from "./sgd.ts";
export {
  adam,
  type AdamOptions,
  adamw,
  type AdamWOptions,
  scaleByAdam,
  type ScaleByAdamState,
} from "./adam.ts";
export {
  lion,
  type LionOptions,
  scaleByLion,
  type ScaleByLionOptions,
  type ScaleByLionState,
} from "./lion.ts";
export { applyIfFinite, type ApplyIfFiniteState } from "./apply_if_finite.ts";
export { multiSteps, type MultiStepsState } from "./multi_steps.ts";
export { masterWeights, type MasterWeightsState } from "./master_weights.ts";
export { kahan, type KahanState } from "./kahan.ts";
export { stochasticRounding, type StochasticRoundingState } from "./stochastic_rounding.ts";
export {
  type BuiltSchedule,
  constant,
  cosineDecay,
  type CosineDecayOptions,
  linear,
  type Schedule,
  warmupCosine,
  type WarmupCosineOptions,
} from "./schedules.ts";
