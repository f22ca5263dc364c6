// Lion: the sign of momentum, found by a search over programs (Chen et al., 2023).

import type { NDArray } from "../array.ts";
import { checkOptions } from "../core/errors.ts";
import { sign } from "../ops/arithmetic.ts";
import { movingMean } from "./adam.ts";
import { checkDecay, checkNumberOrSchedule } from "./checks.ts";
import { addDecayedWeights, type MaskOptions } from "./decay.ts";
import { float32Zeros, mapFloats } from "./float_trees.ts";
import { type CountState, incremented, scaleByLearningRate, zeroCount } from "./scaling.ts";
import type { Schedule } from "./schedules.ts";
import {
  chain,
  type EmptyState,
  type GradientTransformation,
  transformation,
} from "./transformation.ts";

/** Options of {@linkcode scaleByLion}. */
export interface ScaleByLionOptions {
  /** The share of the mean in the sum whose sign is taken; by default 0.9. */
  readonly b1?: number;
  /** How much of the mean of gradients is kept a step; by default 0.99. */
  readonly b2?: number;
}

/** The state of {@linkcode scaleByLion}. */
export interface ScaleByLionState {
  /** How many updates there were. */
  readonly count: NDArray;
  /** The moving mean of gradients, in float32. */
  readonly mu: unknown;
}

/** Lion's rule: the sign of the gradient joined with the mean of those before. */
export function scaleByLion(
  options: ScaleByLionOptions = {},
): GradientTransformation<ScaleByLionState> {
  const what = "scaleByLion";
  checkOptions(what, options, ["b1", "b2"]);
  const b1 = checkDecay(what, "b1", options.b1 ?? 0.9);
  const b2 = checkDecay(what, "b2", options.b2 ?? 0.99);
  return transformation<ScaleByLionState>({
    what,
    fields: ["count", "mu"],
    init: (params) => ({ count: zeroCount(), mu: float32Zeros(what, params) }),
    update: (updates, state) => {
      const trees = { updates, "state.mu": state.mu };
      const signs = mapFloats(what, trees, (g, m) => sign(movingMean(b1, m, g)));
      const mu = mapFloats(what, trees, (g, m) => movingMean(b2, m, g));
      return [signs, { count: incremented(state.count), mu }];
    },
  });
}

/** Options of {@linkcode lion}. */
export interface LionOptions extends ScaleByLionOptions, MaskOptions {
  /** Which share of a parameter is taken off it, times the learning rate; by default 1e-3. */
  readonly weightDecay?: number | Schedule;
}

/**
 * Lion: every parameter moves by the learning rate, up or down, and decays. It keeps half of what Adam keeps,
 * and wants a learning rate three to ten times smaller. `update` needs the parameters.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.lion(1e-4, { weightDecay: 0 });
 * const params = { w: jnp.ones([2]) };
 * const grads = { w: jnp.array([0.1, -10]) };
 * const [updates] = optimizer.update(grads, optimizer.init(params), params);
 * console.log(await updates.w.toList()); // [-0.0001, 0.0001]
 * ```
 */
export function lion(
  learningRate: number | Schedule,
  options: LionOptions = {},
): GradientTransformation<
  readonly [ScaleByLionState, EmptyState | CountState, EmptyState | CountState]
> {
  checkOptions("lion", options, ["b1", "b2", "weightDecay", "mask"]);
  checkNumberOrSchedule("lion", "learningRate", learningRate);
  const { weightDecay = 1e-3, mask, ...moments } = options;
  return chain(
    scaleByLion(moments),
    addDecayedWeights(weightDecay, { mask }),
    scaleByLearningRate(learningRate),
  );
}
