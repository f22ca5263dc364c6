// What is done with updates: adding them to parameters, and measuring them.

import { NDArray } from "../array.ts";
import { describe } from "../core/errors.ts";
import { leavesWithPath } from "../core/pytree.ts";
import type { Value } from "../ir/value.ts";
import { lifted, liftedTree } from "../numpy/lift.ts";
import { add, square } from "../ops/arithmetic.ts";
import { widened } from "../ops/broadcast.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { sqrt } from "../ops/elementary.ts";
import { reduce, sumOperation } from "../ops/reduction.ts";
import { mapFloats } from "./float_trees.ts";

/**
 * The parameters with updates added. Each sum is taken in float32 and rounded once, to the parameter's own
 * dtype: as in optax a half parameter stays half.
 *
 * @throws {TypeError} for a leaf that is no floating array; RangeError, with its path, for updates of another
 * structure or shape.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const params = { w: jnp.ones([2], { dtype: "float16" }) };
 * const updated = optim.applyUpdates(params, { w: jnp.array([-0.5, 0.25]) });
 * console.log(updated.w.dtype, await updated.w.toList()); // float16 [0.5, 1.25]
 * ```
 */
export function applyUpdates<Params>(params: Params, updates: unknown): Params {
  const body = () =>
    mapFloats(
      "applyUpdates",
      { params, updates },
      (p, u) => astype(add(widened(p), widened(u)), p.aval.dtype),
    );
  return liftedTree("applyUpdates", body, params, updates) as Params;
}

/**
 * The root of the sum of the squares of all elements of a tree, in float32: a scalar.
 *
 * @throws {TypeError} for a leaf that is no array.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * console.log(await optim.globalNorm({ w: jnp.array([3, 0]), b: jnp.array(4) }).item()); // 5
 * ```
 */
export function globalNorm(tree: unknown): NDArray {
  return lifted("globalNorm", () => normOf(tree));
}

/** See {@linkcode globalNorm}. */
export function normOf(tree: unknown): Value {
  const squares = leavesWithPath(tree, "tree").map(({ path, leaf }) => {
    if (leaf instanceof NDArray || typeof leaf === "number") {
      const wide = square(astype(leaf, "float32"));
      return reduce(sumOperation, wide, wide.aval.shape.map((_, axis) => axis));
    }
    throw new TypeError(`Cannot globalNorm: ${path} must be an array, got ${describe(leaf)}`);
  });
  return sqrt(squares.reduce<Value>((total, next) => add(total, next), constant(0, "float32")));
}
