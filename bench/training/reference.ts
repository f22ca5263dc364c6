// The training step in float64, straight from the formulas: what every library's loss is compared with.

import type { HostArray } from "../host_data.ts";
import { geluTanh, geluTanhDerivative } from "../reference.ts";

/** A matrix in float64, row-major. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** Moves one parameter, known by its position, by one step. */
export type ReferenceUpdate = (
  values: Float64Array,
  gradient: Float64Array,
  parameter: number,
) => void;

function matrix(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float64Array(rows * columns) };
}

function fromHost({ shape, values }: HostArray): Matrix {
  const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
  return { rows, columns, values: Float64Array.from(values) };
}

function transpose(a: Matrix): Matrix {
  const out = matrix(a.columns, a.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) out.values[j * a.rows + i] = a.values[i * a.columns + j];
  }
  return out;
}

/** `a @ b`, with the columns innermost so that memory is walked in order. */
function product(a: Matrix, b: Matrix): Matrix {
  const out = matrix(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++) {
    const row = out.values.subarray(i * b.columns, (i + 1) * b.columns);
    for (let k = 0; k < a.columns; k++) {
      const factor = a.values[i * a.columns + k];
      const other = b.values.subarray(k * b.columns, (k + 1) * b.columns);
      for (let j = 0; j < row.length; j++) row[j] += factor * other[j];
    }
  }
  return out;
}

function addRow(a: Matrix, row: Matrix): Matrix {
  const values = a.values.map((value, at) => value + row.values[at % a.columns]);
  return { ...a, values };
}

function sumOfRows(a: Matrix): Float64Array {
  const sums = new Float64Array(a.columns);
  for (let at = 0; at < a.values.length; at++) sums[at % a.columns] += a.values[at];
  return sums;
}

/** The mean square of `gelu(x @ w1 + b1) @ w2 + b2 - y`, and its gradients for `w1`, `b1`, `w2` and `b2`. */
function lossAndGradients(
  x: Matrix,
  y: Matrix,
  [w1, b1, w2, b2]: readonly Matrix[],
): { loss: number; gradients: Float64Array[] } {
  const before = addRow(product(x, w1), b1);
  const hidden = { ...before, values: before.values.map((value) => geluTanh(value)) };
  const output = addRow(product(hidden, w2), b2);
  const difference = output.values.map((value, at) => value - y.values[at]);
  const loss = difference.reduce((sum, value) => sum + value * value, 0) / difference.length;
  const toOutput = { ...output, values: difference.map((value) => 2 * value / difference.length) };
  const toHidden = product(toOutput, transpose(w2));
  const toBefore = {
    ...before,
    values: toHidden.values.map((value, at) => value * geluTanhDerivative(before.values[at])),
  };
  const gradients = [
    product(transpose(x), toBefore).values,
    sumOfRows(toBefore),
    product(transpose(hidden), toOutput).values,
    sumOfRows(toOutput),
  ];
  return { loss, gradients };
}

/** The loss that the step after `steps` steps reports. */
export function referenceLoss(
  [x, y, ...params]: readonly HostArray[],
  steps: number,
  update: ReferenceUpdate,
): number {
  const [inputs, targets] = [fromHost(x), fromHost(y)];
  const weights = params.map(fromHost);
  for (let step = 0; step < steps; step++) {
    const { gradients } = lossAndGradients(inputs, targets, weights);
    gradients.forEach((gradient, at) => update(weights[at].values, gradient, at));
  }
  return lossAndGradients(inputs, targets, weights).loss;
}

/** Stochastic gradient descent. */
export function sgdReference(learningRate: number): ReferenceUpdate {
  return (values, gradient) => {
    for (let at = 0; at < values.length; at++) values[at] -= learningRate * gradient[at];
  };
}

/** AdamW (Loshchilov and Hutter, 2019) with the constants that optax has by default. */
export function adamwReference(learningRate: number): ReferenceUpdate {
  const [b1, b2, eps, decay] = [0.9, 0.999, 1e-8, 1e-4];
  const moments: { count: number; mean: Float64Array; square: Float64Array }[] = [];
  return (values, gradient, parameter) => {
    const own = moments[parameter] ??= {
      count: 0,
      mean: new Float64Array(values.length),
      square: new Float64Array(values.length),
    };
    own.count++;
    for (let at = 0; at < values.length; at++) {
      own.mean[at] = b1 * own.mean[at] + (1 - b1) * gradient[at];
      own.square[at] = b2 * own.square[at] + (1 - b2) * gradient[at] ** 2;
      const mean = own.mean[at] / (1 - b1 ** own.count);
      const root = Math.sqrt(own.square[at] / (1 - b2 ** own.count));
      values[at] -= learningRate * (mean / (root + eps) + decay * values[at]);
    }
  };
}
