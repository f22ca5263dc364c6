// The `random` namespace.

export { exponential, gumbel, normal, truncatedNormal } from "./continuous.ts";
export {
  bernoulli,
  categorical,
  type CategoricalOptions,
  randint,
  type RandintOptions,
} from "./discrete.ts";
export { foldIn, key, split } from "./key.ts";
export { choice, type ChoiceOptions, permutation, type PermutationOptions } from "./permutation.ts";
export {
  bits,
  type BitsOptions,
  type FloatOptions,
  uniform,
  type UniformOptions,
} from "./uniform.ts";
