// Row operations, over the last axis: softmax and its kin, and normalisation. Each is one operation with a
// kernel of its own; its decomposition, in float32 and cast at its edges, serves where there is none, and
// gives the reference and the derivative.

import { isFloating, isHalf } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import {
  type BatchRule,
  type Derivative,
  type Operation,
  type Params,
  registerOperation,
} from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add, div, mul, square, sub } from "./arithmetic.ts";
import { widened } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { exp, log, rsqrt } from "./elementary.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { maxOperation, sumOperation } from "./reduction.ts";
import { isfinite, where } from "./selection.ts";

/** What a row operation joins the last axis by, with the axis kept as one of extent 1. */
function overRow(operation: Operation<{ axes: readonly number[] }>, x: Value): Value {
  const { shape } = x.aval;
  const reduced = bind1(operation, { axes: [shape.length - 1] }, x);
  return reshape(reduced, [...shape.slice(0, -1), 1]);
}

/** The row's maximum, or 0 where that is infinite: what is taken from every element before its exp. */
function rowShift(x: Value): Value {
  const max = overRow(maxOperation, x);
  return where(isfinite(max), max, 0);
}

function softmaxDecomposition([x]: readonly Value[]): readonly Value[] {
  const wide = astype(x!, "float32");
  const weights = exp(sub(wide, overRow(maxOperation, wide)));
  return [astype(div(weights, overRow(sumOperation, weights)), x!.aval.dtype)];
}

function logSoftmaxDecomposition([x]: readonly Value[]): readonly Value[] {
  const wide = astype(x!, "float32");
  const centered = sub(wide, overRow(maxOperation, wide));
  const total = overRow(sumOperation, exp(centered));
  return [astype(sub(centered, log(total)), x!.aval.dtype)];
}

function logSumExpDecomposition([x]: readonly Value[]): readonly Value[] {
  const { shape, dtype } = x!.aval;
  const wide = astype(x!, "float32");
  const shift = rowShift(wide);
  const total = add(log(overRow(sumOperation, exp(sub(wide, shift)))), shift);
  return [astype(reshape(total, shape.slice(0, -1)), dtype)];
}

/** The same operation serves any leading axes, one of a batch too; scales and biases have none. */
function batchRow<P extends Params>(operation: () => Operation<P>): BatchRule<P> {
  return (inputs, [first, ...rest], params) =>
    first && !rest.includes(true) ? [bind1(operation(), params, ...inputs)] : undefined;
}

/** A derivative in float32, from the softmax of the row, rounded to the row's dtype. */
function rowDerivative(
  weights: (x: Value, output: Value) => Value,
  jvp: (tangent: Value, weights: Value) => Value,
  vjp: (cotangent: Value, weights: Value) => Value,
): Derivative {
  return {
    kind: "structured",
    jvp: ([x], [tangent], [output]) => [
      astype(jvp(widened(tangent!), weights(x!, output!)), x!.aval.dtype),
    ],
    vjp: ([cotangent], [x], [output]) => [
      astype(vjp(widened(cotangent!), weights(x!, output!)), x!.aval.dtype),
    ],
  };
}

/** p (t - sum p t): the matrix of softmax's derivatives is symmetric. */
const softmaxSlope = (t: Value, p: Value) => mul(p, sub(t, overRow(sumOperation, mul(p, t))));

/** The softmax of rows in float32; a half logarithm of it would have lost digits. */
const wideSoftmax = (x: Value) => bind1(softmaxOperation, {}, widened(x));

/** e^x over its sum along the last axis. */
export const softmaxOperation: Operation = registerOperation({
  name: "softmax",
  precision: "full",
  lower: { kind: "rows", kernel: "softmax", decompose: softmaxDecomposition },
  aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  derivative: rowDerivative((_, output) => widened(output), softmaxSlope, softmaxSlope),
  batch: batchRow(() => softmaxOperation),
});

/** The logarithm of softmax along the last axis. */
export const logSoftmaxOperation: Operation = registerOperation({
  name: "logSoftmax",
  precision: "full",
  lower: { kind: "rows", kernel: "logSoftmax", decompose: logSoftmaxDecomposition },
  aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  derivative: rowDerivative(
    (x, output) => isHalf(x.aval.dtype) ? wideSoftmax(x) : exp(output),
    (t, p) => sub(t, overRow(sumOperation, mul(p, t))),
    (t, p) => sub(t, mul(p, overRow(sumOperation, t))),
  ),
  batch: batchRow(() => logSoftmaxOperation),
});

/** The logarithm of the sum of e^x along the last axis, which vanishes. */
export const logSumExpOperation: Operation = registerOperation({
  name: "logsumexp",
  precision: "full",
  lower: { kind: "rows", kernel: "logSumExp", decompose: logSumExpDecomposition },
  aval: ([x]) => ({ shape: x!.shape.slice(0, -1), dtype: x!.dtype }),
  derivative: rowDerivative(
    wideSoftmax,
    (t, p) => bind1(sumOperation, { axes: [t.aval.shape.length - 1] }, mul(p, t)),
    (t, p) => mul(p, reshape(t, [...t.aval.shape, 1])),
  ),
  batch: batchRow(() => logSumExpOperation),
});

/** The static arguments of a normalisation. Its inputs are x and then the scale and the bias that it has. */
export interface NormParams extends Params {
  /** What is added to the variance, or to the mean square, before the root. */
  readonly eps: number;
  readonly hasScale: boolean;
  readonly hasBias: boolean;
}

function normAval(name: string, [x, ...rest]: readonly Aval[]): Aval {
  const length = x!.shape[x!.shape.length - 1]!;
  for (const { shape, dtype } of rest) {
    if (shape.length !== 1 || shape[0] !== length) {
      throw new RangeError(
        `Cannot ${name}: scale and bias must have the shape ${
          showShape([length])
        } of the normalized axis, got ${showShape(shape)}`,
      );
    }
    if (!isFloating(dtype)) {
      throw new TypeError(`Cannot ${name}: scale and bias must be floating, got ${dtype}`);
    }
  }
  return { shape: x!.shape, dtype: x!.dtype };
}

/** Multiplies by the scale and adds the bias, where there are any, and rounds to the dtype of x. */
function affine(normalized: Value, inputs: readonly Value[], params: NormParams): Value {
  const [x, ...rest] = inputs;
  const scale = params.hasScale ? rest.shift() : undefined;
  const bias = params.hasBias ? rest.shift() : undefined;
  const stretch = (v: Value) => broadcastTo(astype(v, "float32"), normalized.aval.shape as Shape);
  const scaled = scale ? mul(normalized, stretch(scale)) : normalized;
  return astype(bias ? add(scaled, stretch(bias)) : scaled, x!.aval.dtype);
}

/** x over the root of what `squares` are on average. */
function overRoot(x: Value, eps: number): Value {
  const length = x.aval.shape[x.aval.shape.length - 1]!;
  const variance = div(overRow(sumOperation, square(x)), length);
  return mul(x, rsqrt(add(variance, eps)));
}

/** Layer normalisation (Ba, Kiros and Hinton, 2016) over the last axis; statistics in float32, in two passes. */
export const layerNormOperation: Operation<NormParams> = registerOperation<NormParams>({
  name: "layerNorm",
  precision: "full",
  operandTypes: "own",
  lower: {
    kind: "rows",
    kernel: "layerNorm",
    decompose: (inputs, params) => {
      const wide = astype(inputs[0]!, "float32");
      const length = wide.aval.shape[wide.aval.shape.length - 1]!;
      const centered = sub(wide, div(overRow(sumOperation, wide), length));
      return [affine(overRoot(centered, params.eps), inputs, params)];
    },
  },
  aval: (inputs) => normAval("layerNorm", inputs),
  batch: batchRow(() => layerNormOperation),
});

/** Root mean square normalisation (Zhang and Sennrich, 2019) over the last axis. */
export const rmsNormOperation: Operation<NormParams> = registerOperation<NormParams>({
  name: "rmsNorm",
  precision: "full",
  operandTypes: "own",
  lower: {
    kind: "rows",
    kernel: "rmsNorm",
    decompose: (inputs, params) => [
      affine(overRoot(astype(inputs[0]!, "float32"), params.eps), inputs, params),
    ],
  },
  aval: (inputs) => normAval("rmsNorm", inputs),
  batch: batchRow(() => rmsNormOperation),
});
