// Losses of distributions, and the smoothing of labels.

import type { ArrayLike, NDArray } from "../array.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { normalizeAxis } from "../core/shape.ts";
import { lifted } from "../numpy/lift.ts";
import { rowSum } from "../ops/along_rows.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { convert } from "../ops/cast.ts";
import { equal } from "../ops/comparison.ts";
import { log } from "../ops/elementary.ts";
import { where } from "../ops/selection.ts";
import { type ClassOptions, ClassRows, floatingArray } from "./arguments.ts";

/**
 * The Kullback-Leibler divergence of a predicted distribution, given by its logarithms, from a target: the sum of
 * targets (log targets - predictions) over an axis, with 0 log 0 = 0.
 *
 * @throws {TypeError} unless both are floating; RangeError if their shapes differ.
 *
 * @example
 * ```ts
 * import { init, losses, nn } from "@zenith/jax";
 *
 * await init();
 * const predicted = nn.logSoftmax([[1, 2, 3]]);
 * console.log(await losses.klDivergence(predicted, [[0, 0.5, 0.5]]).toList()); // [0.214]
 * ```
 */
export function klDivergence(
  logPredictions: ArrayLike,
  targets: ArrayLike,
  options: ClassOptions = {},
): NDArray {
  const what = "klDivergence";
  checkOptions(what, options, ["axis", "where"]);
  return lifted(what, () => {
    const array = floatingArray(what, "logPredictions", logPredictions);
    const classes = new ClassRows(what, "logPredictions", array, options.axis);
    const predicted = convert(classes.of(array), "float32");
    const wanted = classes.same("targets", floatingArray(what, "targets", targets));
    const weights = convert(wanted, "float32");
    // The logarithm of 1 in place of that of 0, so that no gradient is 0 times infinity.
    const logarithms = log(where(equal(weights, 0), 1, weights));
    const terms = mul(weights, sub(logarithms, predicted));
    return rowSum(
      options.where === undefined ? terms : where(classes.mask(options.where), terms, 0),
    );
  });
}

/** Options of {@linkcode smoothLabels}. */
export interface SmoothOptions {
  /** The axis of the classes; by default the last. */
  readonly axis?: number;
}

/**
 * One-hot labels with a share `alpha` of each spread evenly over all classes: (1 - alpha) labels + alpha / classes
 * (Szegedy et al., 2016). The result has the labels' type.
 *
 * @throws {TypeError} for labels that are not floating; RangeError if alpha is not from 0 to 1.
 *
 * @example
 * ```ts
 * import { init, losses, nn } from "@zenith/jax";
 *
 * await init();
 * console.log(await losses.smoothLabels(nn.oneHot([1], 4), 0.2).toList()); // [[0.05, 0.85, 0.05, 0.05]]
 * ```
 */
export function smoothLabels(
  labels: ArrayLike,
  alpha: number,
  options: SmoothOptions = {},
): NDArray {
  const what = "smoothLabels";
  checkOptions(what, options, ["axis"]);
  if (typeof alpha !== "number" || !(alpha >= 0 && alpha <= 1)) {
    throw new RangeError(
      `Cannot ${what}: alpha must be a number from 0 to 1, got ${describe(alpha)}`,
    );
  }
  return lifted(what, () => {
    const array = floatingArray(what, "labels", labels);
    const classes = array.shape[normalizeAxis(what, options.axis ?? -1, array.ndim)]!;
    return add(mul(1 - alpha, array), alpha / classes);
  });
}
