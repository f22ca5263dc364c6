// stopGradient: where derivatives end.

import { isFloating } from "../core/dtype.ts";
import { map } from "../core/pytree.ts";
import { asNDArray, NDArray } from "../array.ts";
import { stopGradient as stop } from "../ops/gradient_control.ts";

/**
 * The same tree of arrays, which derivatives take for constants.
 *
 * @example
 * ```ts
 * import { grad, init, lax, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const slope = grad((x: NDArray) => jnp.sum(x.mul(lax.stopGradient(x))));
 * console.log(await slope(jnp.array([3])).toList()); // [3], not [6]
 * ```
 */
export function stopGradient<T>(tree: T): T {
  return map(
    (leaf: unknown) =>
      leaf instanceof NDArray && isFloating(leaf.dtype) ? asNDArray(stop(leaf)) : leaf,
    tree,
  ) as T;
}
