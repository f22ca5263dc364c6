// Half parameters whose updates are rounded at random, and right on average.

import { asNDArray, type NDArray, ownHandle } from "../array.ts";
import { isHalf } from "../core/dtype.ts";
import { leaves } from "../core/pytree.ts";
import { add, sub } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { checkKey, split } from "../random/key.ts";
import { stochasticRound } from "../random/stochastic_round.ts";
import { mapFloats } from "./float_trees.ts";
import {
  checkTransformation,
  type GradientTransformation,
  transformation,
} from "./transformation.ts";

/** The state of {@linkcode stochasticRounding}. */
export interface StochasticRoundingState<State> {
  /** The key of the next step. */
  readonly key: NDArray;
  /** The state of the transformation inside. */
  readonly innerState: State;
}

/**
 * Rounds the sums of half parameters and updates to one of their two neighbours, with probabilities that make
 * the expected result the sum itself: an update too small to change a parameter changes it now and then. Nothing
 * is kept but a key, from which every step draws anew. `update` needs the parameters.
 *
 * @throws {TypeError} if `key` is not one key.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim, random } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.stochasticRounding(optim.sgd(1), random.key(0));
 * const params = { w: jnp.ones([1000], { dtype: "bfloat16" }) };
 * const grads = { w: jnp.full([1000], -1e-3) };
 * const [updates] = optimizer.update(grads, optimizer.init(params), params);
 * const updated = optim.applyUpdates(params, updates);
 * console.log(await updated.w.astype("float32").mean().item()); // about 1.001: one in eight moved, by 1/128
 * ```
 */
export function stochasticRounding<State>(
  transform: GradientTransformation<State>,
  key: NDArray,
): GradientTransformation<StochasticRoundingState<State>> {
  const what = "stochasticRounding";
  checkTransformation(what, transform);
  checkKey(what, key);
  return transformation<StochasticRoundingState<State>>({
    what,
    fields: ["key", "innerState"],
    needsParams: true,
    init: (params) => ({ key: ownHandle(what, key, key), innerState: transform.init(params) }),
    update: (updates, state, params) => {
      const [inner, innerState] = transform.update(updates, state.innerState, params);
      const [next, ...keys] = split(state.key, leaves(params).length + 1);
      const changes = mapFloats(what, { updates: inner, params }, (u, p) => {
        const own = keys.shift()!;
        const { dtype } = p.aval;
        if (!isHalf(dtype)) return u;
        const wide = astype(p, "float32");
        const sum = stochasticRound(own, asNDArray(add(wide, u)), dtype);
        return sub(astype(sum, "float32"), wide);
      });
      return [changes, { key: next!, innerState }];
    },
  });
}
