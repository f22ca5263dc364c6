// Cross entropies of rows of logits, with classes given by number or as distributions. Each is one operation,
// so that its gradient is softmax less the target in one kernel, and half logits are never stored in float32.

import { isFloating, isInteger } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import { showAval } from "../ir/aval.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { alongRow, besideRow, rowSum } from "./along_rows.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { allBatched, widened } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { equal, less } from "./comparison.ts";
import { iota } from "./constant.ts";
import { optimizationBarrier, stopGradient } from "./gradient_control.ts";
import { takeAlongAxis } from "./indexing.ts";
import { logicalAnd, logicalNot } from "./logic.ts";
import { reshape } from "./movement.ts";
import { maxOperation } from "./reduction.ts";
import { logSumExpOperation, wideSoftmax } from "./softmax.ts";
import { where } from "./selection.ts";

/** The static argument of a cross entropy. */
export interface CrossEntropyParams extends Params {
  /** The share of the target that is spread over all classes. */
  readonly labelSmoothing: number;
}

/** The number of classes of rows. */
function classesOf(rows: Value): number {
  return rows.aval.shape[rows.aval.shape.length - 1]!;
}

/** Classes as numbers from 0 on: negative ones count from the last. */
function countedClasses(rows: Value, labels: Value): Value {
  const signed = astype(labels, "int32");
  return where(less(signed, 0), add(signed, classesOf(rows)), signed);
}

/** Which element of each row is the one of its class; none where there is no such class. */
export function classHits(rows: Value, labels: Value): Value {
  const { shape } = rows.aval;
  const places = iota(shape, shape.length - 1, "int32");
  return equal(places, besideRow(countedClasses(rows, labels)));
}

/** The values that rows have at their classes; NaN where there is no such class, as in JAX. */
export function orNaN(picked: Value, rows: Value, labels: Value): Value {
  const counted = countedClasses(rows, labels);
  const exists = logicalAnd(logicalNot(less(counted, 0)), less(counted, classesOf(rows)));
  return where(exists, picked, NaN);
}

function integerDecomposition(
  [rows, labels]: readonly Value[],
  { labelSmoothing }: CrossEntropyParams,
): readonly Value[] {
  const { shape } = rows!.aval;
  const places = besideRow(countedClasses(rows!, labels!));
  const taken = takeAlongAxis(rows!, places, shape.length - 1);
  const picked = orNaN(reshape(widened(taken), labels!.aval.shape), rows!, labels!);
  const wide = widened(rows!);
  const total = bind1(logSumExpOperation, {}, wide);
  if (labelSmoothing === 0) return [sub(total, picked)];
  const mean = div(rowSum(wide), classesOf(rows!));
  return [sub(total, add(mul(1 - labelSmoothing, picked), mul(labelSmoothing, mean)))];
}

/** The derivative by the logits: their softmax, less what the target has of each class. */
function integerSlope(rows: Value, labels: Value, { labelSmoothing }: CrossEntropyParams): Value {
  const spread = labelSmoothing / classesOf(rows);
  const target = where(classHits(rows, labels), 1 - labelSmoothing + spread, spread);
  return sub(wideSoftmax(rows), target);
}

/**
 * -log softmax of rows `[..., classes]` at their classes `[...]`, in float32. With smoothing the target is
 * (1 - smoothing) at the class and smoothing / classes everywhere.
 */
export const integerCrossEntropyOperation: Operation<CrossEntropyParams> = registerOperation<
  CrossEntropyParams
>({
  name: "integerCrossEntropy",
  precision: "full",
  operandTypes: "own",
  lower: { kind: "composite", decompose: integerDecomposition },
  aval: ([rows, labels]) => {
    const outer = rows!.shape.slice(0, -1);
    if (!isFloating(rows!.dtype) || !isInteger(labels!.dtype)) {
      throw new TypeError(
        `Cannot integerCrossEntropy: floating logits and integer labels are required, got ${
          rows!.dtype
        } and ${labels!.dtype}`,
      );
    }
    if (!sameShape(outer, labels!.shape) || rows!.shape.length === 0) {
      throw new RangeError(
        `Cannot integerCrossEntropy: labels must have the shape of the logits but for the last axis, got ${
          showShape(rows!.shape)
        } and ${showShape(labels!.shape)}`,
      );
    }
    return { shape: outer, dtype: "float32" };
  },
  derivative: {
    kind: "structured",
    jvp: ([rows, labels], [tangent], _, params) => [
      rowSum(mul(widened(tangent!), integerSlope(rows!, labels!, params))),
    ],
    vjp: ([cotangent], [rows, labels], _, params) => [
      astype(mul(besideRow(cotangent!), integerSlope(rows!, labels!, params)), rows!.aval.dtype),
    ],
  },
  batch: (inputs, batched, params, size) => [
    bind1(integerCrossEntropyOperation, params, ...allBatched(inputs, batched, size)),
  ],
});

/**
 * -log softmax of float32 rows. Their distances to the maximum lose no digits of large logits; they are taken
 * twice, since that is cheaper than to store them.
 */
export function logSoftmaxDistances(rows: Value): Value {
  const peak = stopGradient(alongRow(maxOperation, rows));
  const total = bind1(logSumExpOperation, {}, sub(rows, besideRow(peak)));
  return sub(besideRow(total), sub(rows, besideRow(optimizationBarrier(peak))));
}

/** The derivative by the logits: their softmax times the weight of the row, less each class's own. */
function distributionSlope(rows: Value, weights: Value): Value {
  return sub(mul(wideSoftmax(rows), besideRow(rowSum(weights))), weights);
}

/** -log softmax of rows `[..., classes]` times weights of that shape, summed over the classes, in float32. */
export const crossEntropyOperation: Operation = registerOperation({
  name: "crossEntropy",
  precision: "full",
  operandTypes: "own",
  lower: {
    kind: "composite",
    decompose: ([rows, weights]) => [
      rowSum(mul(widened(weights!), logSoftmaxDistances(widened(rows!)))),
    ],
  },
  aval: ([rows, weights]) => {
    if (
      isFloating(rows!.dtype) && isFloating(weights!.dtype) && rows!.shape.length > 0 &&
      sameShape(rows!.shape, weights!.shape)
    ) {
      return { shape: rows!.shape.slice(0, -1), dtype: "float32" };
    }
    throw new TypeError(
      `Cannot crossEntropy: floating logits and weights of one shape are required, got ${
        showAval(rows!)
      } and ${showAval(weights!)}`,
    );
  },
  derivative: {
    kind: "structured",
    jvp: ([rows, weights], [ofRows, ofWeights]) => {
      const parts = [
        ofRows && mul(widened(ofRows), distributionSlope(rows!, widened(weights!))),
        ofWeights && mul(widened(ofWeights), logSoftmaxDistances(widened(rows!))),
      ].filter((part) => part !== undefined);
      return [rowSum(parts.reduce((sum, part) => add(sum, part)))];
    },
    vjp: ([cotangent], [rows, weights]) => {
      const back = (slope: Value, to: Value) =>
        astype(mul(besideRow(cotangent!), slope), to.aval.dtype);
      return [
        back(distributionSlope(rows!, widened(weights!)), rows!),
        back(logSoftmaxDistances(widened(rows!)), weights!),
      ];
    },
  },
  batch: (inputs, batched, params, size) => [
    bind1(crossEntropyOperation, params, ...allBatched(inputs, batched, size)),
  ],
});
