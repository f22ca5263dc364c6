// Compensated summation of updates: parameters that remember what their rounding lost.

import { add, sub } from "../ops/arithmetic.ts";
import { widened } from "../ops/broadcast.ts";
import { astype } from "../ops/cast.ts";
import { seal } from "../ops/seal.ts";
import { float32Zeros, mapFloats } from "./float_trees.ts";
import {
  checkTransformation,
  type GradientTransformation,
  transformation,
} from "./transformation.ts";

/** The state of {@linkcode kahan}. */
export interface KahanState<State> {
  /** What the parameters lack of their exact sums, in float32. */
  readonly compensation: unknown;
  /** The state of the transformation inside. */
  readonly innerState: State;
}

/**
 * Adds to every update what rounding took off those before (Kahan, 1965). Parameter and compensation together
 * hold the sum of all updates, half parameters to more than float32's precision; whatever else changes the
 * parameters is kept too. `update` needs the parameters.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.kahan(optim.sgd(1));
 * let params = { w: jnp.ones([1], { dtype: "bfloat16" }) };
 * let state = optimizer.init(params);
 * for (let i = 0; i < 100; i++) {
 *   const [updates, next] = optimizer.update({ w: jnp.array([-1e-3]) }, state, params);
 *   [params, state] = [optim.applyUpdates(params, updates), next];
 * }
 * console.log(await params.w.item()); // 1.1015625, the bfloat16 next to 1.1
 * ```
 */
export function kahan<State>(
  transform: GradientTransformation<State>,
): GradientTransformation<KahanState<State>> {
  const what = "kahan";
  checkTransformation(what, transform);
  return transformation<KahanState<State>>({
    what,
    fields: ["compensation", "innerState"],
    needsParams: true,
    init: (params) => ({
      compensation: float32Zeros(what, params),
      innerState: transform.init(params),
    }),
    update: (updates, state, params) => {
      const [inner, innerState] = transform.update(updates, state.innerState, params);
      const changes = mapFloats(
        what,
        { updates: inner, "state.compensation": state.compensation },
        (u, c) => seal(add(u, c)),
      );
      // The sum as `applyUpdates` will round it. Each seal stands where a compiler that takes sums for
      // associative would find that nothing is lost, or round another sum than the one that is applied.
      const compensation = mapFloats(what, { changes, params }, (change, p) => {
        const sum = seal(widened(astype(add(widened(p), change), p.aval.dtype)));
        return sub(change, seal(sub(sum, widened(p))));
      });
      return [changes, { compensation, innerState }];
    },
  });
}
