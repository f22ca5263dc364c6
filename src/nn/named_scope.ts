// Names for the parts of models that are written as plain functions.

import { describe } from "../core/errors.ts";
import { nameScope } from "../ir/trace.ts";

/**
 * Runs a function so that its operations carry a name on their module path, as `jax.named_scope`. Modules give
 * their parts the names of their parameters; a model that is a plain function does the same with this.
 *
 * @throws {TypeError} if the name is empty or has a slash, or there is no function.
 *
 * @example
 * ```ts
 * import { init, makeGraph, type NDArray, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const encoder = nn.mlp({ features: 4 });
 * const params = { encoder: encoder.init(random.key(0)) };
 * const model = (p: typeof params, x: NDArray) =>
 *   nn.namedScope("encoder", () => encoder.apply(p.encoder, x));
 * console.log(String(makeGraph(model, params, jnp.ones([2, 4])))); // ... # encoder/up
 * ```
 */
export function namedScope<T>(name: string, fn: () => T): T {
  if (typeof name !== "string" || name === "" || name.includes("/")) {
    throw new TypeError(
      `Cannot namedScope: a name without a slash is required, got ${describe(name)}`,
    );
  }
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot namedScope: a function is required, got ${describe(fn)}`);
  }
  return nameScope(name, fn);
}
