// Transformations that multiply: by a constant, and by what a schedule says of the step.

import { asNDArray, NDArray } from "../array.ts";
import { describe } from "../core/errors.ts";
import type { Value } from "../ir/value.ts";
import { zeros } from "../numpy/creation.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { less } from "../ops/comparison.ts";
import { where } from "../ops/selection.ts";
import { checkNumber, checkNumberOrSchedule } from "./checks.ts";
import { mapFloats } from "./float_trees.ts";
import type { Schedule } from "./schedules.ts";
import {
  type EmptyState,
  type GradientTransformation,
  stateless,
  transformation,
} from "./transformation.ts";

/** The state of what counts its steps: an int32 that stops at its largest value. */
export interface CountState {
  /** How many updates there were. */
  readonly count: NDArray;
}

const largestCount = 2 ** 31 - 1;

/** A count before the first step. */
export function zeroCount(): NDArray {
  return zeros([], { dtype: "int32" });
}

/** The next count; the largest is its own next, so that it never turns negative. */
export function incremented(count: Value): NDArray {
  return asNDArray(where(less(count, largestCount), add(count, 1), largestCount));
}

/** What a schedule says of a step, as a float32 scalar. */
export function scheduled(what: string, schedule: Schedule, count: NDArray): Value {
  const value: unknown = schedule(count);
  if (typeof value === "number" || (value instanceof NDArray && value.ndim === 0)) {
    return astype(value, "float32");
  }
  throw new TypeError(
    `Cannot ${what}: a schedule must return a number or a scalar array, got ${describe(value)}`,
  );
}

/** Every leaf times a scalar. */
export function scaled(what: string, updates: unknown, factor: Value | number): unknown {
  return mapFloats(what, { updates }, (update) => mul(update, factor));
}

/** Multiplies updates by a constant. */
export function scale(factor: number): GradientTransformation<EmptyState> {
  checkNumber("scale", "factor", factor);
  return stateless("scale", (updates) => scaled("scale", updates, factor));
}

/**
 * Multiplies updates by what a schedule says of the step, counted from 0.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, optim } from "@zenith/jax";
 *
 * await init();
 * const halved = optim.scaleBySchedule(optim.linear(1, 0, 2));
 * const first = halved.init({ w: jnp.ones([1]) });
 * const [, second] = halved.update({ w: jnp.ones([1]) }, first);
 * const [updates] = halved.update({ w: jnp.ones([1]) }, second);
 * console.log(await updates.w.item()); // 0.5
 * ```
 */
export function scaleBySchedule(schedule: Schedule): GradientTransformation<CountState> {
  if (typeof schedule !== "function") {
    throw new TypeError(
      `Cannot scaleBySchedule: a function of the step is required, got ${describe(schedule)}`,
    );
  }
  return scaledBySchedule("scaleBySchedule", schedule, 1);
}

function scaledBySchedule(
  what: string,
  schedule: Schedule,
  sign: number,
): GradientTransformation<CountState> {
  return transformation<CountState>({
    what,
    fields: ["count"],
    init: () => ({ count: zeroCount() }),
    update: (updates, { count }) => {
      const factor = mul(sign, scheduled(what, schedule, count));
      return [scaled(what, updates, factor), { count: incremented(count) }];
    },
  });
}

/** Multiplies updates by minus a learning rate: what turns the direction of a gradient into a descent. */
export function scaleByLearningRate(
  learningRate: number | Schedule,
): GradientTransformation<EmptyState | CountState> {
  const what = "scaleByLearningRate";
  checkNumberOrSchedule(what, "learningRate", learningRate);
  if (typeof learningRate === "function") return scaledBySchedule(what, learningRate, -1);
  return stateless(what, (updates) => scaled(what, updates, -learningRate));
}
