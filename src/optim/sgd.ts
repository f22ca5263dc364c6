// Stochastic gradient descent, plain and with momentum.

import { checkOptions } from "../core/errors.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { checkNumber, checkNumberOrSchedule } from "./checks.ts";
import { float32Zeros, mapFloats } from "./float_trees.ts";
import { type CountState, scaleByLearningRate } from "./scaling.ts";
import type { Schedule } from "./schedules.ts";
import {
  chain,
  type EmptyState,
  type GradientTransformation,
  stateless,
  transformation,
} from "./transformation.ts";

/** Options of {@linkcode trace}. */
export interface TraceOptions {
  /** Whether to look ahead by one more step (Sutskever et al., 2013); by default not. */
  readonly nesterov?: boolean;
}

/** The state of {@linkcode trace}. */
export interface TraceState {
  /** The decayed sum of all updates so far, in float32. */
  readonly trace: unknown;
}

/** Momentum: updates and what remains of those before, the trace times `decay`. */
export function trace(
  decay: number,
  options: TraceOptions = {},
): GradientTransformation<TraceState> {
  const what = "trace";
  checkOptions(what, options, ["nesterov"]);
  checkNumber(what, "decay", decay);
  const { nesterov = false } = options;
  return transformation<TraceState>({
    what,
    fields: ["trace"],
    init: (params) => ({ trace: float32Zeros(what, params) }),
    update: (updates, state) => {
      const accumulate = (past: unknown) =>
        mapFloats(what, { updates, "state.trace": past }, (g, t) => add(g, mul(decay, t)));
      const next = accumulate(state.trace);
      return [nesterov ? accumulate(next) : next, { trace: next }];
    },
  });
}

/** Options of {@linkcode sgd}. */
export interface SgdOptions extends TraceOptions {
  /** How much of the trace of past gradients is kept a step; by default there is none, and nothing to look ahead of. */
  readonly momentum?: number;
}

/**
 * Stochastic gradient descent: minus the learning rate times the gradient, or times its trace with momentum.
 *
 * @example
 * ```ts
 * import { grad, init, jit, type NDArray, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const optimizer = optim.sgd(0.1, { momentum: 0.9, nesterov: true });
 * const gradient = grad((w: NDArray) => w.sub(3).square().sum());
 * let w: NDArray = jnp.zeros([2]);
 * let state = optimizer.init(w);
 * const step = jit((w: NDArray, s: typeof state): [NDArray, typeof state] => {
 *   const [updates, next] = optimizer.update(gradient(w), s, w);
 *   return [optim.applyUpdates(w, updates), next];
 * });
 * for (let i = 0; i < 100; i++) [w, state] = step(w, state);
 * console.log(await w.toList()); // close to [3, 3]
 * ```
 */
export function sgd(
  learningRate: number | Schedule,
  options: SgdOptions = {},
): GradientTransformation<readonly [TraceState | EmptyState, EmptyState | CountState]> {
  checkOptions("sgd", options, ["momentum", "nesterov"]);
  checkNumberOrSchedule("sgd", "learningRate", learningRate);
  const { momentum, nesterov } = options;
  if (momentum !== undefined) checkNumber("sgd", "momentum", momentum);
  const direction: GradientTransformation<TraceState | EmptyState> = momentum === undefined
    ? stateless("sgd", (updates) => updates)
    : trace(momentum, { nesterov });
  return chain(direction, scaleByLearningRate(learningRate));
}
