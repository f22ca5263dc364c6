// One update from the gradients of several steps: a large batch in the memory of a small one.

import { asNDArray, type NDArray } from "../array.ts";
import { add, div, sub } from "../ops/arithmetic.ts";
import { equal } from "../ops/comparison.ts";
import { where } from "../ops/selection.ts";
import { selectTree } from "../train/finite.ts";
import { checkCount } from "./checks.ts";
import { float32Zeros, mapFloats } from "./float_trees.ts";
import { incremented, zeroCount } from "./scaling.ts";
import {
  checkTransformation,
  type GradientTransformation,
  transformation,
} from "./transformation.ts";

/** The state of {@linkcode multiSteps}. */
export interface MultiStepsState<State> {
  /** Steps since the last update. */
  readonly miniStep: NDArray;
  /** How many updates there were. */
  readonly gradientStep: NDArray;
  /** The state of the transformation inside, as of the last update. */
  readonly innerOptState: State;
  /** The mean of the gradients since the last update, in float32. */
  readonly accGrads: unknown;
}

/**
 * Runs a transformation once in `every` steps, on the mean of their gradients; the updates of the steps between
 * are zeros.
 *
 * @throws {RangeError} if `every` is not a whole number from 1 on.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.multiSteps(optim.sgd(1), 2);
 * const state = optimizer.init({ w: jnp.ones([1]) });
 * const [first, half] = optimizer.update({ w: jnp.array([1]) }, state);
 * const [second] = optimizer.update({ w: jnp.array([3]) }, half);
 * console.log(await first.w.item(), await second.w.item()); // 0 -2
 * ```
 */
export function multiSteps<State>(
  transform: GradientTransformation<State>,
  every: number,
): GradientTransformation<MultiStepsState<State>> {
  const what = "multiSteps";
  checkTransformation(what, transform);
  checkCount(what, "every", every, 1);
  return transformation<MultiStepsState<State>>({
    what,
    fields: ["miniStep", "gradientStep", "innerOptState", "accGrads"],
    init: (params) => ({
      miniStep: zeroCount(),
      gradientStep: zeroCount(),
      innerOptState: transform.init(params),
      accGrads: float32Zeros(what, params),
    }),
    update: (updates, state, params) => {
      const taken = incremented(state.miniStep);
      const emit = asNDArray(equal(taken, every));
      // Welford's mean: no sum grows with the number of steps.
      const mean = mapFloats(
        what,
        { updates, "state.accGrads": state.accGrads },
        (g, acc) => add(acc, div(sub(g, acc), taken)),
      );
      const [inner, innerState] = transform.update(mean, state.innerOptState, params);
      return [
        mapFloats(what, { updates: inner }, (update) => where(emit, update, 0)),
        {
          miniStep: asNDArray(where(emit, 0, taken)),
          gradientStep: asNDArray(where(emit, incremented(state.gradientStep), state.gradientStep)),
          innerOptState: selectTree(emit, innerState, state.innerOptState),
          accGrads: mapFloats(what, { mean }, (acc) => where(emit, 0, acc)),
        },
      ];
    },
  });
}
