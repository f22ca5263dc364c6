// Initializers: functions of a key and a shape that make parameters, as `jax.nn.initializers` has them.

export {
  constant,
  type Initializer,
  type InitializerOptions,
  normal,
  ones,
  truncatedNormal,
  type TruncationOptions,
  uniform,
  zeros,
} from "./initializers/initializer.ts";
export { orthogonal, type OrthogonalOptions } from "./initializers/orthogonal.ts";
export {
  type FanDistribution,
  type FanMode,
  type FanOptions,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
  varianceScaling,
} from "./initializers/variance_scaling.ts";
