// Cross entropies of logits: one value an example, computed and returned in float32.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { broadcastShapes, sameShape } from "../core/shape.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { integerArray } from "../numpy/integers.ts";
import { lifted } from "../numpy/lift.ts";
import { add, div, mul, neg, sub } from "../ops/arithmetic.ts";
import { logSigmoid } from "../ops/activation.ts";
import { broadcastTo } from "../ops/movement.ts";
import { astype, convert } from "../ops/cast.ts";
import { besideRow, rowSum } from "../ops/along_rows.ts";
import {
  classHits,
  crossEntropyOperation,
  integerCrossEntropyOperation,
  logSoftmaxDistances,
  orNaN,
} from "../ops/cross_entropy.ts";
import { anyOperation, reduce } from "../ops/reduction.ts";
import { logSumExpOperation } from "../ops/softmax.ts";
import { where } from "../ops/selection.ts";
import { type ClassOptions, ClassRows, floatingArray } from "./arguments.ts";

/** Options of {@linkcode softmaxCrossEntropyWithIntegerLabels}. */
export interface IntegerLabelsOptions extends ClassOptions {
  /** The share of the target that is spread evenly over all classes, from 0 to 1; by default 0. */
  readonly labelSmoothing?: number;
}

function checkSmoothing(what: string, smoothing: unknown): number {
  if (typeof smoothing === "number" && smoothing >= 0 && smoothing <= 1) return smoothing;
  throw new RangeError(
    `Cannot ${what}: labelSmoothing must be a number from 0 to 1, got ${describe(smoothing)}`,
  );
}

/** Rows with what a mask leaves out at -infinity; a row that it leaves nothing of is 0, and is not used. */
function maskedRows(rows: Value, included: Value): { masked: Value; some: Value } {
  const some = reduce(anyOperation, included, [rows.aval.shape.length - 1]);
  const masked = where(included, rows, where(besideRow(some), -Infinity, 0));
  return { masked, some };
}

/**
 * Softmax cross entropy with classes given by number: -log softmax(logits) at the label, for logits
 * `[..., classes]` and integer labels `[...]`. The gradient with respect to half logits is half; nothing else is.
 *
 * As in optax a negative label counts from the last class, and one that is no class gives NaN; several axes of
 * classes are counted through in row-major order.
 *
 * @throws {TypeError} for logits that are not floating, or labels that are not integers; RangeError if their
 * shapes do not fit.
 *
 * @example
 * ```ts
 * import { init, losses, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const logits = jnp.array([[1.2, -0.8, -0.5], [0.9, -1.2, 1.1]], { dtype: "float16" });
 * const loss = losses.softmaxCrossEntropyWithIntegerLabels(logits, [0, 1]);
 * console.log(loss.dtype, await loss.toList()); // float32 [0.276, 2.952]
 * ```
 */
export function softmaxCrossEntropyWithIntegerLabels(
  logits: ArrayLike,
  labels: ArrayLike,
  options: IntegerLabelsOptions = {},
): NDArray {
  const what = "softmaxCrossEntropyWithIntegerLabels";
  checkOptions(what, options, ["axis", "where", "labelSmoothing"]);
  const labelSmoothing = checkSmoothing(what, options.labelSmoothing ?? 0);
  return lifted(what, () => {
    const array = floatingArray(what, "logits", logits);
    const classes = new ClassRows(what, "logits", array, options.axis);
    const numbers = integerArray(what, "labels", labels);
    if (!sameShape(numbers.shape, classes.outer)) {
      throw new RangeError(
        `Cannot ${what}: labels must have the shape ${
          showShape(classes.outer)
        } of the logits without classes, got ${showShape(numbers.shape)}`,
      );
    }
    const rows = classes.of(array);
    return options.where === undefined
      ? bind1(integerCrossEntropyOperation, { labelSmoothing }, rows, numbers)
      : maskedCrossEntropy(rows, numbers, classes.mask(options.where), labelSmoothing);
  });
}

/** The same over the classes that a mask includes; 0 where it includes none. */
function maskedCrossEntropy(
  rows: Value,
  labels: Value,
  included: Value,
  smoothing: number,
): Value {
  const wide = convert(rows, "float32");
  const { masked, some } = maskedRows(wide, included);
  const picked = orNaN(rowSum(where(classHits(wide, labels), wide, 0)), wide, labels);
  const mean = div(rowSum(where(included, wide, 0)), rowSum(astype(included, "float32")));
  const target = smoothing === 0 ? picked : add(mul(1 - smoothing, picked), mul(smoothing, mean));
  return where(some, sub(bind1(logSumExpOperation, {}, masked), target), 0);
}

/**
 * Softmax cross entropy with a distribution as the target: -sum(labels log softmax(logits)) over the classes.
 *
 * @throws {TypeError} for logits that are not floating; RangeError if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { init, losses } from "@zenith/jax";
 *
 * await init();
 * const loss = losses.softmaxCrossEntropy([[1.2, -0.8, -0.5]], [[0.9, 0.1, 0]]);
 * console.log(await loss.toList()); // [0.476]
 * ```
 */
export function softmaxCrossEntropy(
  logits: ArrayLike,
  labels: ArrayLike,
  options: ClassOptions = {},
): NDArray {
  const what = "softmaxCrossEntropy";
  checkOptions(what, options, ["axis", "where"]);
  return lifted(what, () => {
    const [array, target] = [floatingArray(what, "logits", logits), asArray(labels, what)];
    const shape = broadcastShapes(what, array.shape, target.shape);
    const stretched = broadcastTo(array, shape) as NDArray;
    const classes = new ClassRows(what, "logits", stretched, options.axis);
    const [rows, own] = [classes.of(stretched), classes.of(target)];
    const weights = isFloating(target.dtype) ? own : astype(own, "float32");
    if (options.where === undefined) return bind1(crossEntropyOperation, {}, rows, weights);
    const included = classes.mask(options.where);
    const { masked } = maskedRows(convert(rows, "float32"), included);
    const distances = where(included, logSoftmaxDistances(masked), 0);
    return rowSum(mul(convert(weights, "float32"), distances));
  });
}

/**
 * Sigmoid cross entropy, element by element: -labels log sigmoid(logits) - (1 - labels) log sigmoid(-logits). Each
 * class is a question of its own, answered by a label from 0 to 1.
 *
 * @throws {TypeError} for logits that are not floating; RangeError if the shapes do not broadcast.
 *
 * @example
 * ```ts
 * import { init, losses } from "@zenith/jax";
 *
 * await init();
 * console.log(await losses.sigmoidBinaryCrossEntropy([2, -10000], [1, 0]).toList()); // [0.127, 0]
 * ```
 */
export function sigmoidBinaryCrossEntropy(logits: ArrayLike, labels: ArrayLike): NDArray {
  const what = "sigmoidBinaryCrossEntropy";
  return lifted(what, () => {
    const wide = convert(floatingArray(what, "logits", logits), "float32");
    const yes = convert(asArray(labels, what), "float32");
    const missed = mul(neg(yes), logSigmoid(wide));
    return sub(missed, mul(sub(1, yes), logSigmoid(neg(wide))));
  });
}
