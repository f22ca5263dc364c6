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

export { type ArrayLike, NDArray, type NestedArray } from "./src/array.ts";
export type { DType, FloatDType, HalfDType } from "./src/core/dtype.ts";
export type { DataArray } from "./src/core/element_data.ts";
export type { Shape } from "./src/core/shape.ts";
export { finfo, type FloatInfo, iinfo, type IntegerInfo } from "./src/core/finfo.ts";

export {
  getPolicy,
  mixedPrecisionPolicy,
  Policy,
  type PolicyChanges,
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

export { jit, type JitOptions, type Jitted, type Lowered } from "./src/transform/jit.ts";
export {
  evalShape,
  makeGraph,
  type ShapeDtype,
  type TracedFunction,
} from "./src/transform/graphs.ts";
export { blockUntilReady, scope } from "./src/transform/scope.ts";

export * as numpy from "./src/numpy.ts";
export * as nn from "./src/nn/namespace.ts";
export * as tree from "./src/core/tree.ts";
