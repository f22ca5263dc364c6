// Losses of predicted numbers, element by element, computed and returned in float32.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { abs, add, mul, square, sub } from "../ops/arithmetic.ts";
import { convert } from "../ops/cast.ts";
import { minimum } from "../ops/comparison.ts";
import { floatingArray } from "./arguments.ts";

/** A function of the distances of predictions from targets, which are 0 unless they are given. */
function ofErrors(
  what: string,
  predictions: ArrayLike,
  targets: ArrayLike | undefined,
  fn: (errors: Value) => Value,
): NDArray {
  return lifted(what, () => {
    const array = floatingArray(what, "predictions", predictions);
    const wide = convert(array, "float32");
    if (targets === undefined) return fn(wide);
    const wanted = asArray(targets, what);
    // Broadcasting would make a square of a row and a column without a word.
    if (wanted.ndim > 0 && !sameShape(wanted.shape, array.shape)) {
      throw new RangeError(
        `Cannot ${what}: targets must have the shape ${
          showShape(array.shape)
        } of predictions, got ${showShape(wanted.shape)}`,
      );
    }
    return fn(sub(wide, convert(wanted, "float32")));
  });
}

/**
 * (predictions - targets)^2.
 *
 * @throws {RangeError} if the shapes differ; a single target serves all.
 *
 * @example
 * ```ts
 * import { init, losses } from "@zenith/jax";
 *
 * await init();
 * console.log(await losses.squaredError([1, 2, 3], [1, 4, 0]).mean().item()); // 13 / 3
 * ```
 */
export function squaredError(predictions: ArrayLike, targets?: ArrayLike): NDArray {
  return ofErrors("squaredError", predictions, targets, square);
}

/**
 * |predictions - targets|.
 *
 * @throws {RangeError} if the shapes differ; a single target serves all.
 */
export function absoluteError(predictions: ArrayLike, targets?: ArrayLike): NDArray {
  return ofErrors("absoluteError", predictions, targets, abs);
}

/** Options of {@linkcode huberLoss}. */
export interface HuberOptions {
  /** Where the square becomes a line; by default 1. */
  readonly delta?: number;
}

/**
 * Half the square of errors up to `delta`, and a line beyond (Huber, 1964).
 *
 * @throws {RangeError} if the shapes differ, or delta is negative or not finite; a single target serves all.
 *
 * @example
 * ```ts
 * import { init, losses } from "@zenith/jax";
 *
 * await init();
 * console.log(await losses.huberLoss([0.5, 3], [0, 0], { delta: 1 }).toList()); // [0.125, 2.5]
 * ```
 */
export function huberLoss(
  predictions: ArrayLike,
  targets?: ArrayLike,
  options: HuberOptions = {},
): NDArray {
  checkOptions("huberLoss", options, ["delta"]);
  const { delta = 1 } = options;
  if (!(Number.isFinite(delta) && delta >= 0)) {
    throw new RangeError(
      `Cannot huberLoss: delta must be a finite number from 0 on, got ${describe(delta)}`,
    );
  }
  return ofErrors("huberLoss", predictions, targets, (errors) => {
    const distance = abs(errors);
    const near = minimum(distance, delta);
    return add(mul(0.5, square(near)), mul(delta, sub(distance, near)));
  });
}
