// Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019).

import type { NDArray } from "../array.ts";
import { checkOptions } from "../core/errors.ts";
import type { Value } from "../ir/value.ts";
import { add, div, mul, square, sub } from "../ops/arithmetic.ts";
import { power, sqrt } from "../ops/elementary.ts";
import { checkDecay, checkNumber, checkNumberOrSchedule } from "./checks.ts";
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

/** Options of {@linkcode adam} and {@linkcode scaleByAdam}. */
export interface AdamOptions {
  /** How much of the mean of gradients is kept a step; by default 0.9. */
  readonly b1?: number;
  /** How much of the mean of their squares is kept a step; by default 0.999. */
  readonly b2?: number;
  /** What is added to the root of that mean; by default 1e-8. */
  readonly eps?: number;
}

/** The state of {@linkcode scaleByAdam}. */
export interface ScaleByAdamState {
  /** How many updates there were. */
  readonly count: NDArray;
  /** The moving mean of gradients, in float32. */
  readonly mu: unknown;
  /** The moving mean of their squares, in float32. */
  readonly nu: unknown;
}

const adamKeys = ["b1", "b2", "eps"] as const;

/** b m + (1 - b) x: a moving mean and what is new. */
export function movingMean(decay: number, mean: Value, x: Value): Value {
  return add(mul(1 - decay, x), mul(decay, mean));
}

/**
 * Adam's rule: the mean of gradients over the root of the mean of their squares, both corrected for having
 * begun at zero.
 */
export function scaleByAdam(options: AdamOptions = {}): GradientTransformation<ScaleByAdamState> {
  const what = "scaleByAdam";
  checkOptions(what, options, adamKeys);
  const b1 = checkDecay(what, "b1", options.b1 ?? 0.9);
  const b2 = checkDecay(what, "b2", options.b2 ?? 0.999);
  const eps = checkNumber(what, "eps", options.eps ?? 1e-8, 0);
  return transformation<ScaleByAdamState>({
    what,
    fields: ["count", "mu", "nu"],
    init: (params) => ({
      count: zeroCount(),
      mu: float32Zeros(what, params),
      nu: float32Zeros(what, params),
    }),
    update: (updates, state) => {
      const mu = mapFloats(
        what,
        { updates, "state.mu": state.mu },
        (g, m) => movingMean(b1, m, g),
      );
      const nu = mapFloats(
        what,
        { updates, "state.nu": state.nu },
        (g, v) => movingMean(b2, v, square(g)),
      );
      const count = incremented(state.count);
      const [c1, c2] = [b1, b2].map((decay) => sub(1, power(decay, count))) as [Value, Value];
      const scaled = mapFloats(
        what,
        { mu, nu },
        (m, v) => div(div(m, c1), add(sqrt(div(v, c2)), eps)),
      );
      return [scaled, { count, mu, nu }];
    },
  });
}

/**
 * Adam: every parameter moves by about the learning rate, against the mean of its gradients.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.adam(optim.cosineDecay(1e-3, 1000), { b2: 0.99 });
 * const params = { w: jnp.ones([2]) };
 * const grads = { w: jnp.array([0.1, -10]) };
 * const [updates] = optimizer.update(grads, optimizer.init(params), params);
 * console.log(await updates.w.toList()); // [-0.001, 0.001]
 * ```
 */
export function adam(
  learningRate: number | Schedule,
  options: AdamOptions = {},
): GradientTransformation<readonly [ScaleByAdamState, EmptyState | CountState]> {
  checkOptions("adam", options, adamKeys);
  checkNumberOrSchedule("adam", "learningRate", learningRate);
  return chain(scaleByAdam(options), scaleByLearningRate(learningRate));
}

/** Options of {@linkcode adamw}. */
export interface AdamWOptions extends AdamOptions, MaskOptions {
  /** Which share of a parameter is taken off it, times the learning rate; by default 1e-4. */
  readonly weightDecay?: number | Schedule;
}

/**
 * Adam with decoupled weight decay. `update` needs the parameters.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.adamw(0.1, { weightDecay: 0.5, mask: { w: true, b: false } });
 * const params = { w: jnp.ones([1]), b: jnp.ones([1]) };
 * const grads = { w: jnp.zeros([1]), b: jnp.zeros([1]) };
 * const [updates] = optimizer.update(grads, optimizer.init(params), params);
 * console.log(await updates.w.item(), await updates.b.item()); // -0.05 -0
 * ```
 */
export function adamw(
  learningRate: number | Schedule,
  options: AdamWOptions = {},
): GradientTransformation<
  readonly [ScaleByAdamState, EmptyState | CountState, EmptyState | CountState]
> {
  checkOptions("adamw", options, [...adamKeys, "weightDecay", "mask"]);
  checkNumberOrSchedule("adamw", "learningRate", learningRate);
  const { weightDecay = 1e-4, mask, ...moments } = options;
  return chain(
    scaleByAdam(moments),
    addDecayedWeights(weightDecay, { mask }),
    scaleByLearningRate(learningRate),
  );
}
