// Statistics made of reductions, each one operation: nothing is rounded between its parts, so that the sums
// of half arrays neither overflow nor lose digits on the way.

import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { abs, div, square, sub } from "./arithmetic.ts";
import { astype } from "./cast.ts";
import { notEqual } from "./comparison.ts";
import { power, sqrt } from "./elementary.ts";
import { stretchReduced } from "./broadcast.ts";
import {
  maxOperation,
  minOperation,
  reducedShape,
  type ReduceParams,
  sumOperation,
} from "./reduction.ts";

/** The static arguments of a variance. */
export interface VarianceParams extends ReduceParams {
  /** Taken from the number of elements before it divides: 0, or 1 for a sample's variance. */
  readonly correction: number;
}

/** The mean square of the distance to the mean: two passes, so that no large squares cancel. */
function variance(x: Value, { axes, correction }: VarianceParams): Value {
  const wide = astype(x, "float32");
  const count = axes.reduce((n, axis) => n * wide.aval.shape[axis]!, 1);
  const mean = div(bind1(sumOperation, { axes }, wide), count);
  const distance = sub(wide, stretchReduced(mean, wide.aval.shape, axes));
  const total = bind1(sumOperation, { axes }, square(distance));
  return div(total, count > correction ? count - correction : NaN);
}

function defineStatistic<P extends ReduceParams>(
  name: string,
  compute: (x: Value, params: P) => Value,
): Operation<P> {
  const operation: Operation<P> = registerOperation<P>({
    name,
    precision: "full",
    lower: {
      kind: "composite",
      decompose: ([x], params) => [astype(compute(x!, params), x!.aval.dtype)],
    },
    aval: ([x], { axes }) => ({ shape: reducedShape(x!.shape, axes), dtype: x!.dtype }),
    batch: ([x], _, params) => [
      bind1(operation, { ...params, axes: params.axes.map((axis) => axis + 1) }, x!),
    ],
  });
  return operation;
}

/** The variance of floats. */
export const varianceOperation: Operation<VarianceParams> = defineStatistic("var", variance);

/** The standard deviation of floats. */
export const deviationOperation: Operation<VarianceParams> = defineStatistic(
  "std",
  (x, params: VarianceParams) => sqrt(variance(x, params)),
);

/** The static arguments of a vector norm. */
export interface VectorNormParams extends ReduceParams {
  /** The exponent; `"max"` and `"min"` stand for the infinite ones, as the reductions that they are. */
  readonly order: number | "max" | "min";
}

/** The p-norm of the vectors along the axes. */
export const normOperation: Operation<VectorNormParams> = defineStatistic(
  "norm",
  (x, { axes, order }: VectorNormParams) => {
    const wide = astype(x, "float32");
    const reduce = (operation: Operation<ReduceParams>, v: Value) => bind1(operation, { axes }, v);
    if (order === "max") return reduce(maxOperation, abs(wide));
    if (order === "min") return reduce(minOperation, abs(wide));
    if (order === 0) return reduce(sumOperation, astype(notEqual(wide, 0), "float32"));
    if (order === 1) return reduce(sumOperation, abs(wide));
    if (order === 2) return sqrt(reduce(sumOperation, square(wide)));
    return power(reduce(sumOperation, power(abs(wide), order)), 1 / order);
  },
);
