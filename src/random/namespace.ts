// The `random` namespace.

export { exponential, gumbel, normal, truncatedNormal } from "./continuous.ts";
export { foldIn, key, split } from "./key.ts";
export {
  bits,
  type BitsOptions,
  type FloatOptions,
  uniform,
  type UniformOptions,
} from "./uniform.ts";
