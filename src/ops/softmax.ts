// Softmax and its kin, over the last axis, and how cotangents go back through them. Each is one operation with a
// kernel of its own; its decomposition, in float32 and cast at its edges, serves where there is none.

import { isHalf } from "../core/dtype.ts";
import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import {
  alongRow,
  batchAll,
  batchFirst,
  besideRow,
  overRow,
  rowSum,
  sumOverRow,
} from "./along_rows.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { widened } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { exp, log } from "./elementary.ts";
import { maxOperation } from "./reduction.ts";
import { isfinite, where } from "./selection.ts";

/** The row's maximum, or 0 where that is infinite: what is taken from every element before its exp. */
function rowShift(x: Value): Value {
  const max = alongRow(maxOperation, x);
  return where(isfinite(max), max, 0);
}

function softmaxDecomposition([x]: readonly Value[]): readonly Value[] {
  const wide = astype(x!, "float32");
  const weights = exp(sub(wide, overRow(maxOperation, wide)));
  return [astype(div(weights, sumOverRow(weights)), x!.aval.dtype)];
}

function logSoftmaxDecomposition([x]: readonly Value[]): readonly Value[] {
  const wide = astype(x!, "float32");
  const centered = sub(wide, overRow(maxOperation, wide));
  const total = sumOverRow(exp(centered));
  return [astype(sub(centered, log(total)), x!.aval.dtype)];
}

function logSumExpDecomposition([x]: readonly Value[]): readonly Value[] {
  const wide = astype(x!, "float32");
  const shift = rowShift(wide);
  const total = rowSum(exp(sub(wide, besideRow(shift))));
  return [astype(add(log(total), shift), x!.aval.dtype)];
}

/** The softmax of rows in float32; a half one, or its logarithm, would have lost digits. */
export function wideSoftmax(x: Value): Value {
  return bind1(softmaxOperation, {}, widened(x));
}

/** e^x over its sum along the last axis. The matrix of its derivatives is symmetric. */
export const softmaxOperation: Operation = registerOperation({
  name: "softmax",
  precision: "full",
  lower: { kind: "rows", kernel: "softmax", rowInputs: 1, decompose: softmaxDecomposition },
  aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  derivative: {
    kind: "structured",
    jvp: (_, [tangent], [output]) => [bind1(softmaxGradientOperation, {}, output!, tangent!)],
    vjp: ([cotangent], _, [output]) => [bind1(softmaxGradientOperation, {}, output!, cotangent!)],
  },
  batch: batchFirst(() => softmaxOperation),
});

/** p (g - sum p g) of rows of a softmax p and its cotangent g. */
export const softmaxGradientOperation: Operation = registerOperation({
  name: "softmaxGradient",
  precision: "full",
  operandTypes: "own",
  lower: {
    kind: "rows",
    kernel: "softmaxGradient",
    rowInputs: 2,
    decompose: ([p, g]) => {
      const [weights, slope] = [widened(p!), widened(g!)];
      const along = sumOverRow(mul(weights, slope));
      return [astype(mul(weights, sub(slope, along)), p!.aval.dtype)];
    },
  },
  aval: ([p]) => ({ shape: p!.shape, dtype: p!.dtype }),
  batch: batchAll(() => softmaxGradientOperation),
});

/** The logarithm of softmax along the last axis. */
export const logSoftmaxOperation: Operation = registerOperation({
  name: "logSoftmax",
  precision: "full",
  lower: { kind: "rows", kernel: "logSoftmax", rowInputs: 1, decompose: logSoftmaxDecomposition },
  aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  derivative: {
    kind: "structured",
    jvp: ([x], [tangent], [output]) => {
      const weights = isHalf(x!.aval.dtype) ? wideSoftmax(x!) : exp(output!);
      const moved = widened(tangent!);
      return [astype(sub(moved, sumOverRow(mul(weights, moved))), x!.aval.dtype)];
    },
    vjp: ([cotangent], [x]) => [bind1(logSoftmaxGradientOperation, {}, x!, cotangent!)],
  },
  batch: batchFirst(() => logSoftmaxOperation),
});

/** g - softmax(x) sum(g) of rows x and the cotangent g of their log softmax. */
export const logSoftmaxGradientOperation: Operation = registerOperation({
  name: "logSoftmaxGradient",
  precision: "full",
  operandTypes: "own",
  lower: {
    kind: "rows",
    kernel: "logSoftmaxGradient",
    rowInputs: 2,
    decompose: ([x, g]) => {
      const slope = widened(g!);
      return [astype(sub(slope, mul(wideSoftmax(x!), sumOverRow(slope))), x!.aval.dtype)];
    },
  },
  aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  batch: batchAll(() => logSoftmaxGradientOperation),
});

/** The logarithm of the sum of e^x along the last axis, which vanishes. */
export const logSumExpOperation: Operation = registerOperation({
  name: "logsumexp",
  precision: "full",
  lower: { kind: "rows", kernel: "logSumExp", rowInputs: 1, decompose: logSumExpDecomposition },
  aval: ([x]) => ({ shape: x!.shape.slice(0, -1), dtype: x!.dtype }),
  derivative: {
    kind: "structured",
    jvp: ([x], [tangent]) => [
      astype(rowSum(mul(wideSoftmax(x!), widened(tangent!))), x!.aval.dtype),
    ],
    vjp: ([cotangent], [x]) => [
      astype(mul(wideSoftmax(x!), besideRow(widened(cotangent!))), x!.aval.dtype),
    ],
  },
  batch: batchFirst(() => logSumExpOperation),
});
