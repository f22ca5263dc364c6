// The `nn` namespace.

export * from "./activations.ts";
export * from "./normalization.ts";
