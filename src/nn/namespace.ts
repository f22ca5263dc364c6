// The `nn` namespace.

export * from "./activations.ts";
export * from "./attention.ts";
export * from "./normalization.ts";

/** Functions of a key and a shape that make parameters. */
export * as initializers from "./initializers.ts";
