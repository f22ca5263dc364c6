// Clipping gradients by their length.

import { div, mul } from "../ops/arithmetic.ts";
import { less } from "../ops/comparison.ts";
import { where } from "../ops/selection.ts";
import { checkNumber } from "./checks.ts";
import { mapFloats } from "./float_trees.ts";
import { type EmptyState, type GradientTransformation, stateless } from "./transformation.ts";
import { normOf } from "./updates.ts";

/**
 * Shortens updates whose global norm is `maxNorm` or more to that norm; shorter ones pass as they are (Pascanu,
 * Mikolov and Bengio, 2013). Where the norm is NaN or infinite nothing of use is left, zeros or NaN: see `applyIfFinite`.
 *
 * @throws {RangeError} if `maxNorm` is negative.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const clip = optim.clipByGlobalNorm(1);
 * const [updates] = clip.update({ w: jnp.array([3, 4]) }, {});
 * console.log(await updates.w.toList()); // [0.6, 0.8]
 * ```
 */
export function clipByGlobalNorm(maxNorm: number): GradientTransformation<EmptyState> {
  const what = "clipByGlobalNorm";
  checkNumber(what, "maxNorm", maxNorm, 0);
  return stateless(what, (updates) => {
    const norm = normOf(updates);
    const factor = where(less(norm, maxNorm), 1, div(maxNorm, norm));
    return mapFloats(what, { updates }, (update) => mul(update, factor));
  });
}
