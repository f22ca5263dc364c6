// Weight decay, for all parameters or for those that a mask chooses.

import { checkOptions, describe } from "../core/errors.ts";
import { flatten, flattenUpTo, leaves, unflatten } from "../core/pytree.ts";
import type { Value } from "../ir/value.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { widened } from "../ops/broadcast.ts";
import { checkNumberOrSchedule } from "./checks.ts";
import { mapFloats } from "./float_trees.ts";
import { type CountState, incremented, scheduled, zeroCount } from "./scaling.ts";
import type { Schedule } from "./schedules.ts";
import {
  type EmptyState,
  type GradientTransformation,
  stateless,
  transformation,
} from "./transformation.ts";

/**
 * Which parameters something acts on: a tree of booleans of the structure of the parameters, in which one
 * boolean may stand for a whole subtree, or a function that makes such a tree of them.
 */
// deno-lint-ignore no-explicit-any -- what the parameters are is up to the user's function.
export type Mask = boolean | object | ((params: any) => unknown);

type MaskFunction = (params: unknown) => unknown;

/** Options of what decays weights. */
export interface MaskOptions {
  /** Which parameters decay; by default all. */
  readonly mask?: Mask;
}

/** The mask's boolean for every leaf of the parameters. */
function chosenLeaves(what: string, mask: Mask, params: unknown): boolean[] {
  const tree: unknown = typeof mask === "function" ? (mask as MaskFunction)(params) : mask;
  const [flags, structure] = flatten<unknown>(tree);
  const subtrees = flattenUpTo(what, structure, params, "mask");
  return subtrees.flatMap((subtree, i) => {
    const flag = flags[i];
    if (typeof flag === "boolean") return leaves(subtree).map(() => flag);
    throw new TypeError(`Cannot ${what}: mask must be a tree of booleans, got ${describe(flag)}`);
  });
}

/** Adds a share of the parameters to the updates of those that are chosen. */
function decayed(
  what: string,
  updates: unknown,
  params: unknown,
  rate: Value | number,
  mask: Mask | undefined,
): unknown {
  const sums = mapFloats(what, { updates, params }, (g, p) => add(g, mul(rate, widened(p))));
  if (mask === undefined) return sums;
  const chosen = chosenLeaves(what, mask, params);
  const [kept, structure] = flatten<unknown>(updates);
  const all = leaves(sums);
  return unflatten(structure, kept.map((update, i) => chosen[i] ? all[i] : update));
}

/**
 * Adds `rate` times the parameters to the updates: decoupled weight decay (Loshchilov and Hutter, 2019), where
 * it stands behind what adapts the gradients. The rate may be a schedule.
 *
 * @throws {TypeError} at an update without the parameters, and for a mask that is no tree of booleans.
 *
 * @example
 * ```ts
 * import { init, type NDArray, numpy as jnp, optim, tree } from "@zenith/jax";
 *
 * await init();
 * const decay = optim.addDecayedWeights(0.1, {
 *   mask: (params) => tree.map((p: NDArray) => p.ndim > 1, params),
 * });
 * const params = { w: jnp.ones([1, 2]), b: jnp.ones([2]) };
 * const grads = { w: jnp.zeros([1, 2]), b: jnp.zeros([2]) };
 * const [updates] = decay.update(grads, decay.init(params), params);
 * console.log(await updates.w.toList(), await updates.b.toList()); // [[0.1, 0.1]] [0, 0]
 * ```
 */
export function addDecayedWeights(
  rate: number | Schedule,
  options: MaskOptions = {},
): GradientTransformation<EmptyState | CountState> {
  const what = "addDecayedWeights";
  checkOptions(what, options, ["mask"]);
  checkNumberOrSchedule(what, "rate", rate);
  const { mask } = options;
  if (typeof rate === "number") {
    return stateless(what, (updates, params) => decayed(what, updates, params, rate, mask), true);
  }
  return transformation<CountState>({
    what,
    fields: ["count"],
    needsParams: true,
    init: () => ({ count: zeroCount() }),
    update: (updates, { count }, params) => [
      decayed(what, updates, params, scheduled(what, rate, count), mask),
      { count: incremented(count) },
    ],
  });
}
