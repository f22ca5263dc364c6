/**
 * JAX-style mixed-precision computing on Deno's WebGPU: arrays on the device, plain functions of trees of
 * arrays, compiled, differentiated and run in float32, float16 or bfloat16 with float32 accumulation.
 *
 * ```ts
 * import {
 *   castToHalf,
 *   init,
 *   jit,
 *   mixedPrecisionPolicy,
 *   type NDArray,
 *   nn,
 *   numpy as jnp,
 * } from "@zenith/jax";
 *
 * await init();
 * mixedPrecisionPolicy("mixed_float16");
 *
 * const layer = jit((w: NDArray, x: NDArray) => nn.gelu(castToHalf(x).matmul(castToHalf(w))));
 * const y = layer(jnp.ones([256, 10]), jnp.ones([32, 256]));
 * console.log(y.dtype, y.shape, await y.data());
 * ```
 *
 * @module
 */

import "./src/array_casts.ts";
import "./src/methods/install.ts";

export {
  type DeviceInfo,
  deviceInfo,
  init,
  type InitOptions,
  type MemoryStats,
  memoryStats,
  resetPeakMemory,
} from "./src/device.ts";

export { type ArrayLike, NDArray } from "./src/array.ts";
export type { ArrayMethods } from "./src/array_methods.ts";
export type * from "./src/methods/elementwise.ts";
export type * from "./src/methods/indexing.ts";
export type * from "./src/methods/like.ts";
export type * from "./src/methods/linear_algebra.ts";
export type * from "./src/methods/movement.ts";
export type * from "./src/methods/reduction.ts";
export type { Aval, Variable } from "./src/ir/aval.ts";
export type { Content, Storage, Value } from "./src/ir/value.ts";
export type { DType, FloatDType, HalfDType, WeakKind } from "./src/core/dtype.ts";
export type { DataArray } from "./src/core/element_data.ts";
export type { Shape } from "./src/core/shape.ts";
export { finfo, type FloatInfo, iinfo, type IntegerInfo } from "./src/core/finfo.ts";

export {
  getPolicy,
  mixedPrecisionPolicy,
  Policy,
  type PolicyChanges,
  type PolicyDtypeName,
  type PolicyDtypes,
  type PolicyLike,
  withPolicy,
} from "./src/precision/policy.ts";
export {
  castTo,
  castToCompute,
  castToFull,
  castToHalf,
  castToOutput,
  castToParam,
} from "./src/precision/casts.ts";

export type { MemoryAnalysis } from "./src/backend/backend.ts";
export type { CostAnalysis } from "./src/compile/cost.ts";
export { jit, type JitOptions, type Jitted, type Lowered } from "./src/transform/jit.ts";
export { evalShape, makeGraph, ShapeDtype, type TracedFunction } from "./src/transform/graphs.ts";
export {
  type AnyFunction,
  grad,
  type Gradient,
  type GradientOf,
  type GradOptions,
  type GradResult,
  valueAndGrad,
} from "./src/transform/grad.ts";
export { jvp, vjp } from "./src/transform/vjp.ts";
export {
  hessian,
  jacfwd,
  type JacobianOf,
  type JacobianOptions,
  jacrev,
} from "./src/transform/jacobian.ts";
export { checkpoint, checkpoint as remat } from "./src/transform/checkpoint.ts";
export { customVjp } from "./src/transform/custom_vjp.ts";
export {
  applyMixedPrecision,
  type MixedPrecisionOptions,
  type ModuleLike,
} from "./src/transform/mixed_precision.ts";
export { fullPrecision } from "./src/transform/full_precision.ts";
export {
  explainPrecision,
  type PrecisionReport,
  type PrecisionRow,
  type PrecisionRuleName,
} from "./src/transform/explain_precision.ts";
export { type Axes, vmap, type VmapOptions } from "./src/transform/vmap.ts";
export { blockUntilReady, scope } from "./src/transform/scope.ts";

export { allFinite, selectTree } from "./src/train/finite.ts";
export { debugNans } from "./src/numerics/debug_nans.ts";
export { findNonFiniteOrigin } from "./src/numerics/find_non_finite_origin.ts";
export type { NonFiniteOrigin, OriginInput } from "./src/numerics/non_finite.ts";
export {
  NumericsReport,
  numericsReport,
  type NumericsReportOptions,
} from "./src/numerics/numerics_report.ts";
export type { NumericsRow, PolicyLossScale, ReportContents } from "./src/numerics/numerics_row.ts";
export {
  PolicySuggestion,
  suggestPolicy,
  type SuggestPolicyOptions,
} from "./src/numerics/suggest_policy.ts";
export type { Overrides } from "./src/numerics/policy_trials.ts";
export {
  RangeHistogram,
  rangeHistogram,
  type RangeHistogramOptions,
} from "./src/numerics/range_histogram.ts";

export type { GradientTransformation } from "./src/optim/transformation.ts";
export type { LossScale } from "./src/train/loss_scale.ts";
export {
  type Loss,
  type Metrics,
  type TrainState,
  type TrainStep,
  trainStep,
  type TrainStepOptions,
} from "./src/train/train_step.ts";

export {
  type FileSource,
  loadSafetensors,
  type LoadSafetensorsOptions,
} from "./src/io/safetensors_read.ts";
export { saveSafetensors, type SaveSafetensorsOptions } from "./src/io/safetensors_write.ts";
export { loadCheckpoint, saveCheckpoint } from "./src/io/checkpoint.ts";
export { toStableHLO } from "./src/io/stablehlo/to_stablehlo.ts";
export { type OnnxFiles, type OnnxOf, toOnnx, type ToOnnxOptions } from "./src/io/onnx/to_onnx.ts";

/** Primitives with every choice spelled out. */
export * as lax from "./src/lax.ts";
/** Functions of arrays under JAX's names; users alias it `jnp`. */
export * as numpy from "./src/numpy.ts";
/** Neural networks. */
export * as nn from "./src/nn/namespace.ts";
/** Losses: one float32 value an example. */
export * as losses from "./src/losses/namespace.ts";
/** Loss scales, which keep small gradients from vanishing in float16. */
export * as lossScale from "./src/train/loss_scale_namespace.ts";
/** Optimizers, as gradient transformations, and schedules. */
export * as optim from "./src/optim/namespace.ts";
/** Random numbers: the bits that JAX draws for the same key. */
export * as random from "./src/random/namespace.ts";
/** Trees of arrays: plain objects, arrays and registered classes. */
export * as tree from "./src/core/tree.ts";
