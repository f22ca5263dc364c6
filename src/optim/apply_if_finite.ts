// Skipping the steps whose gradients are not finite.

import { asNDArray, type NDArray } from "../array.ts";
import { constant } from "../ops/constant.ts";
import { greater } from "../ops/comparison.ts";
import { logicalOr } from "../ops/logic.ts";
import { where } from "../ops/selection.ts";
import { allFinite, selectTree } from "../train/finite.ts";
import { checkCount } from "./checks.ts";
import { mapFloats } from "./float_trees.ts";
import { incremented, zeroCount } from "./scaling.ts";
import {
  checkTransformation,
  type GradientTransformation,
  transformation,
} from "./transformation.ts";

/** The state of {@linkcode applyIfFinite}. */
export interface ApplyIfFiniteState<State> {
  /** Steps in a row, up to the last one, whose gradients were not finite. */
  readonly notfiniteCount: NDArray;
  /** Whether the gradients of the last step were finite. */
  readonly lastFinite: NDArray;
  /** All steps whose gradients were not finite. */
  readonly totalNotfinite: NDArray;
  /** The state of the transformation inside, as of the last step that was not skipped. */
  readonly innerState: State;
}

/**
 * Runs a transformation only where all gradients are finite: otherwise the updates are zeros, and its state
 * stays. After more than `maxConsecutiveErrors` such steps in a row they are let through, until one is finite
 * again. The choice is made on the device.
 *
 * @throws {RangeError} if the number of errors is not a whole number from 0 on.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.applyIfFinite(optim.sgd(0.1), 5);
 * const state = optimizer.init({ w: jnp.ones([2]) });
 * const [updates, next] = optimizer.update({ w: jnp.array([1, NaN]) }, state);
 * console.log(await updates.w.toList(), await next.notfiniteCount.item()); // [0, 0] 1
 * ```
 */
export function applyIfFinite<State>(
  transform: GradientTransformation<State>,
  maxConsecutiveErrors: number,
): GradientTransformation<ApplyIfFiniteState<State>> {
  const what = "applyIfFinite";
  checkTransformation(what, transform);
  checkCount(what, "maxConsecutiveErrors", maxConsecutiveErrors, 0);
  return transformation<ApplyIfFiniteState<State>>({
    what,
    fields: ["notfiniteCount", "lastFinite", "totalNotfinite", "innerState"],
    init: (params) => ({
      notfiniteCount: zeroCount(),
      lastFinite: asNDArray(constant(1, "bool")),
      totalNotfinite: zeroCount(),
      innerState: transform.init(params),
    }),
    update: (updates, state, params) => {
      const finite = allFinite(updates);
      const counted = (count: NDArray, otherwise: NDArray) =>
        asNDArray(where(finite, otherwise, incremented(count)));
      const notfiniteCount = counted(state.notfiniteCount, zeroCount());
      const applied = asNDArray(logicalOr(finite, greater(notfiniteCount, maxConsecutiveErrors)));
      const [inner, innerState] = transform.update(updates, state.innerState, params);
      return [
        mapFloats(what, { updates: inner }, (update) => where(applied, update, 0)),
        {
          notfiniteCount,
          lastFinite: finite,
          totalNotfinite: counted(state.totalNotfinite, state.totalNotfinite),
          innerState: selectTree(applied, innerState, state.innerState),
        },
      ];
    },
  });
}
