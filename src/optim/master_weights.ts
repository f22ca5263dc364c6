// Half parameters that are copies of float32 ones.

import { isHalf } from "../core/dtype.ts";
import { flatten, flattenUpTo, unflatten } from "../core/pytree.ts";
import type { Value } from "../ir/value.ts";
import { add, sub } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { seal } from "../ops/seal.ts";
import { mapFloats } from "./float_trees.ts";
import {
  checkTransformation,
  type GradientTransformation,
  transformation,
} from "./transformation.ts";

/** The state of {@linkcode masterWeights}. */
export interface MasterWeightsState<State> {
  /** The half parameters in float32, and null in place of those that are float32 themselves. */
  readonly master: unknown;
  /** The state of the transformation inside. */
  readonly innerState: State;
}

/** The tree's half leaves in float32, each the value a function gives; null for the others. */
function halfLeaves(params: unknown, fn: (leaf: Value, at: number) => Value): unknown {
  const [leaves, structure] = flatten(params) as [Value[], ReturnType<typeof flatten>[1]];
  return unflatten(structure, leaves.map((p, at) => isHalf(p.aval.dtype) ? fn(p, at) : null));
}

/** The parameters with the master copies in place of their half leaves. */
function withMaster(what: string, params: unknown, master: unknown): unknown {
  const [leaves, structure] = flatten<unknown>(params);
  const copies = flattenUpTo(what, structure, master, "state.master");
  return unflatten(structure, leaves.map((leaf, i) => copies[i] ?? leaf));
}

/**
 * Keeps a float32 copy of half parameters, which is what the transformation inside updates and sees. After
 * `applyUpdates` the half parameters are exactly the copies, rounded: small updates add up where half
 * parameters alone would round them away (Micikevicius et al., 2018). `update` needs the parameters.
 *
 * A parameter that was rounded to infinity is lost: it becomes NaN.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.masterWeights(optim.sgd(1));
 * let params = { w: jnp.ones([1], { dtype: "bfloat16" }) };
 * let state = optimizer.init(params);
 * for (let i = 0; i < 100; i++) {
 *   const [updates, next] = optimizer.update({ w: jnp.array([-1e-3]) }, state, params);
 *   [params, state] = [optim.applyUpdates(params, updates), next];
 * }
 * console.log(await params.w.item()); // 1.1015625, the bfloat16 next to 1.1
 * ```
 */
export function masterWeights<State>(
  transform: GradientTransformation<State>,
): GradientTransformation<MasterWeightsState<State>> {
  const what = "masterWeights";
  checkTransformation(what, transform);
  return transformation<MasterWeightsState<State>>({
    what,
    fields: ["master", "innerState"],
    needsParams: true,
    init: (params) => {
      const master = halfLeaves(params, (p) => astype(p, "float32"));
      return { master, innerState: transform.init(withMaster(what, params, master)) };
    },
    update: (updates, state, params) => {
      const full = withMaster(what, params, state.master);
      const [inner, innerState] = transform.update(updates, state.innerState, full);
      // What is added to the half parameter. Where it is far from its copy this rounds, so the copy becomes
      // what the sum will be, and not the other way round.
      const changes = mapFloats(
        what,
        { updates: inner, params, master: full },
        (u, p, m) => isHalf(p.aval.dtype) ? seal(sub(add(m, u), astype(p, "float32"))) : u,
      );
      const [added] = flatten(changes) as [Value[], unknown];
      const master = halfLeaves(params, (p, at) => add(astype(p, "float32"), added[at]!));
      return [changes, { master, innerState }];
    },
  });
}
