// Schedules: numbers that depend on the step.

import { type ArrayLike, type NDArray, operand } from "../array.ts";
import { checkOptions } from "../core/errors.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { less, maximum, minimum } from "../ops/comparison.ts";
import { constant as scalar } from "../ops/constant.ts";
import { where } from "../ops/selection.ts";
import { cos } from "../ops/trigonometric.ts";
import { checkCount, checkNumber } from "./checks.ts";

/** A function of the number of steps taken, an int32 scalar: it is traced with the update that uses it. */
export type Schedule = (count: NDArray) => NDArray | number;

/** A schedule of this library: it takes a JS number too, and gives a float32 scalar. */
export type BuiltSchedule = (count: ArrayLike) => NDArray;

function schedule(what: string, fn: (count: Value) => Value): BuiltSchedule {
  return (count) =>
    lifted(`evaluate a ${what} schedule`, () => fn(astype(operand(count, what), "float32")), count);
}

/** The same value at every step. */
export function constant(value: number): BuiltSchedule {
  checkNumber("constant", "value", value);
  return schedule("constant", () => scalar(value, "float32"));
}

/**
 * From one value to another in equal steps, and the other from then on; without any step the first value
 * stays, as in optax.
 *
 * @throws {RangeError} if the number of steps is negative or not whole.
 *
 * @example
 * ```ts
 * import { init, optim } from "@zenith/jax";
 *
 * await init();
 * const warmup = optim.linear(0, 1, 10);
 * console.log(await warmup(5).item(), await warmup(20).item()); // 0.5 1
 * ```
 */
export function linear(
  initValue: number,
  endValue: number,
  transitionSteps: number,
): BuiltSchedule {
  checkNumber("linear", "initValue", initValue);
  checkNumber("linear", "endValue", endValue);
  checkCount("linear", "transitionSteps", transitionSteps, 0);
  return schedule("linear", (count) => linearAt(count, initValue, endValue, transitionSteps));
}

function linearAt(count: Value, first: number, last: number, steps: number): Value {
  if (steps === 0) return scalar(first, "float32");
  const left = sub(1, div(minimum(maximum(count, 0), steps), steps));
  return add(mul(first - last, left), last);
}

/** Options of {@linkcode cosineDecay}. */
export interface CosineDecayOptions {
  /** The share of the first value that remains at the end; by default 0. */
  readonly alpha?: number;
}

/**
 * Down from a value along half a cosine, to `alpha` of it, which stays (Loshchilov and Hutter, 2017).
 *
 * @throws {RangeError} if the number of steps is not a whole number from 1 on.
 */
export function cosineDecay(
  initValue: number,
  decaySteps: number,
  options: CosineDecayOptions = {},
): BuiltSchedule {
  checkOptions("cosineDecay", options, ["alpha"]);
  checkNumber("cosineDecay", "initValue", initValue);
  checkCount("cosineDecay", "decaySteps", decaySteps, 1);
  const alpha = checkNumber("cosineDecay", "alpha", options.alpha ?? 0);
  return schedule("cosineDecay", (count) => cosineAt(count, initValue, decaySteps, alpha));
}

function cosineAt(count: Value, initValue: number, steps: number, alpha: number): Value {
  const turn = div(mul(Math.PI, minimum(count, steps)), steps);
  const cosine = mul(0.5, add(1, cos(turn)));
  return mul(initValue, add(mul(1 - alpha, cosine), alpha));
}

/** Options of {@linkcode warmupCosine}. */
export interface WarmupCosineOptions {
  /** The value of the first step. */
  readonly initValue: number;
  /** The value after the warm-up. */
  readonly peakValue: number;
  /** How many steps the warm-up takes. */
  readonly warmupSteps: number;
  /** How many steps all of it takes, the warm-up included. */
  readonly decaySteps: number;
  /** The value from the end on; by default 0. */
  readonly endValue?: number;
}

/**
 * Up to a peak in equal steps, and down from it along half a cosine.
 *
 * @throws {RangeError} if the decay has no step beyond the warm-up.
 *
 * @example
 * ```ts
 * import { init, optim } from "@zenith/jax";
 *
 * await init();
 * const rate = optim.warmupCosine({ initValue: 0, peakValue: 1, warmupSteps: 10, decaySteps: 110 });
 * console.log(await rate(5).item(), await rate(10).item(), await rate(60).item()); // 0.5 1 0.5
 * ```
 */
export function warmupCosine(options: WarmupCosineOptions): BuiltSchedule {
  const what = "warmupCosine";
  const keys = ["initValue", "peakValue", "warmupSteps", "decaySteps", "endValue"];
  checkOptions(what, options ?? null, keys);
  const { initValue, peakValue, warmupSteps, decaySteps, endValue = 0 } = options;
  Object.entries({ initValue, peakValue, endValue }).forEach(([name, value]) =>
    checkNumber(what, name, value)
  );
  checkCount(what, "warmupSteps", warmupSteps, 0);
  checkCount(what, "decaySteps", decaySteps, warmupSteps + 1);
  const alpha = peakValue === 0 ? 0 : endValue / peakValue;
  return schedule(what, (count) => {
    const rising = linearAt(count, initValue, peakValue, warmupSteps);
    const falling = cosineAt(sub(count, warmupSteps), peakValue, decaySteps - warmupSteps, alpha);
    return where(less(count, warmupSteps), rising, falling);
  });
}
