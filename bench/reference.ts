// What the programs ought to give, one element at a time, in float64 and straight from the formulas.

import type { HostArray } from "./host_data.ts";

/** One element of a program's result, by its row-major position. */
export type ReferenceElement = (inputs: readonly HostArray[], position: number) => number;

/** Added to the variance by every library that is measured here. */
const LAYER_NORM_EPSILON = 1e-5;

/** The factor and the summand of `gelu(a * x + b)`. */
export const CHAIN: { readonly a: number; readonly b: number } = { a: 1.5, b: 0.25 };

/** gelu in its tanh form (Hendrycks and Gimpel, 2016, section 2). */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** The derivative of {@linkcode geluTanh}. */
export function geluTanhDerivative(x: number): number {
  const slope = Math.sqrt(2 / Math.PI);
  const t = Math.tanh(slope * (x + 0.044715 * x ** 3));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope * (1 + 3 * 0.044715 * x ** 2);
}

/**
 * gelu by its definition, x times the normal distribution function. Beside 0 the error function comes from
 * its Maclaurin series (DLMF 7.6.1), which is exact to float64 for the arguments that the programs have.
 */
export function geluExact(x: number): number {
  const z = x / Math.SQRT2;
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= -z * z / n;
    sum += term / (2 * n + 1);
  }
  return 0.5 * x * (1 + 2 / Math.sqrt(Math.PI) * sum);
}

/** The row of a matrix that holds a position, and where in it. */
function rowOf({ shape, values }: HostArray, position: number): [Float32Array, number] {
  const length = shape[shape.length - 1];
  const row = Math.floor(position / length);
  return [values.subarray(row * length, (row + 1) * length), position % length];
}

/** The product of a row and a column of a matrix. */
function rowTimesColumn(row: ArrayLike<number>, { shape, values }: HostArray, column: number) {
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += row[k] * values[k * shape[1] + column];
  return sum;
}

/** `a @ b`. */
export function matmulElement([a, b]: readonly HostArray[], position: number): number {
  const n = b.shape[1];
  const [row] = rowOf(a, Math.floor(position / n) * a.shape[1]);
  return rowTimesColumn(row, b, position % n);
}

/** softmax over the last axis. */
export function softmaxElement([x]: readonly HostArray[], position: number): number {
  const [row, at] = rowOf(x, position);
  const most = row.reduce((a, b) => Math.max(a, b));
  const sum = row.reduce((total, value) => total + Math.exp(value - most), 0);
  return Math.exp(row[at] - most) / sum;
}

/** Layer normalisation over the last axis, without scale and bias. */
export function layerNormElement([x]: readonly HostArray[], position: number): number {
  const [row, at] = rowOf(x, position);
  const mean = row.reduce((total, value) => total + value, 0) / row.length;
  const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / row.length;
  return (row[at] - mean) / Math.sqrt(variance + LAYER_NORM_EPSILON);
}

/** `gelu(x @ w1 + b1) @ w2 + b2`. */
export function mlpElement(
  [x, w1, b1, w2, b2]: readonly HostArray[],
  position: number,
): number {
  const features = w2.shape[1];
  const [row] = rowOf(x, Math.floor(position / features) * x.shape[1]);
  const hidden = Float64Array.from(
    b1.values,
    (bias, column) => geluTanh(rowTimesColumn(row, w1, column) + bias),
  );
  return rowTimesColumn(hidden, w2, position % features) + b2.values[position % features];
}

/** Positions scattered over a result, the same in every run: multiples of the golden ratio modulo 1. */
export function samplePositions(size: number, count: number): number[] {
  const golden = (Math.sqrt(5) - 1) / 2;
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * golden % 1) * size));
}

/** Elements of a result that are compared with the reference. */
export const SAMPLED_ELEMENTS = 64;

/**
 * The largest difference of a result from the reference over sampled positions, relative to the largest
 * reference value among them; infinite where the result is not finite.
 */
export function largestError(
  result: ArrayLike<number>,
  element: ReferenceElement,
  inputs: readonly HostArray[],
  count: number,
): number {
  let error = 0;
  let largest = 0;
  for (const position of samplePositions(result.length, count)) {
    const expected = element(inputs, position);
    const difference = Math.abs(result[position] - expected);
    error = Number.isFinite(difference) ? Math.max(error, difference) : Infinity;
    largest = Math.max(largest, Math.abs(expected));
  }
  return error / largest;
}
