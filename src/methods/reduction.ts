// The methods of arrays that reduce axes, and the options that they share with the functions.

import type { DType } from "../core/dtype.ts";

/** Which axes a reduction goes over. */
export interface ReduceOptions {
  /** One axis or several, negative ones counted from the end; all of them by default. */
  readonly axis?: number | readonly number[] | null;
  /** Leave the reduced axes in place with extent 1. */
  readonly keepdims?: boolean;
}

/** Options of sums, products and means. */
export interface AccumulateOptions extends ReduceOptions {
  /** The type of the result; the elements are converted to it first. */
  readonly dtype?: DType;
}

/** Options of maxima and minima. */
export interface ExtremeOptions extends ReduceOptions {
  /** A value that takes part besides the elements, so that there may be none of these. */
  readonly initial?: number;
}

/** Options of variances. */
export interface VarianceOptions extends ReduceOptions {
  /** Taken from the number of elements before it divides; 1 for a sample's variance. By default 0. */
  readonly ddof?: number;
  /** Another word for `ddof`; only one of the two may be given. */
  readonly correction?: number;
}

/** Options of norms. */
export interface NormOptions extends ReduceOptions {
  /** The exponent of a vector norm, `Infinity` and `-Infinity` included; `"fro"` is the square root of the sum of squares. By default 2. */
  readonly ord?: number | "fro";
}

/** Options of the functions that find a position. */
export interface ArgReduceOptions {
  /** The axis to search along; without one the array is searched in row-major order. */
  readonly axis?: number | null;
  /** Leave the axis in place with extent 1. */
  readonly keepdims?: boolean;
}

/** The functions of `numpy` that reduce, as methods. */
export interface ReductionMethods {
  /** The sum over axes. */
  sum(options?: AccumulateOptions): this;
  /** The product over axes. */
  prod(options?: AccumulateOptions): this;
  /** The mean over axes. */
  mean(options?: AccumulateOptions): this;
  /** The variance over axes. */
  var(options?: VarianceOptions): this;
  /** The standard deviation over axes. */
  std(options?: VarianceOptions): this;
  /** The maximum over axes. */
  max(options?: ExtremeOptions): this;
  /** The minimum over axes. */
  min(options?: ExtremeOptions): this;
  /** The distance from minimum to maximum over axes. */
  ptp(options?: ReduceOptions): this;
  /** Whether any element is true. */
  any(options?: ReduceOptions): this;
  /** Whether all elements are true. */
  all(options?: ReduceOptions): this;
  /** How many elements are not 0. */
  countNonzero(options?: ReduceOptions): this;
  /** The position of the first maximum. */
  argmax(options?: ArgReduceOptions): this;
  /** The position of the first minimum. */
  argmin(options?: ArgReduceOptions): this;
  /** The logarithm of the sum of e^x over axes. */
  logsumexp(options?: ReduceOptions): this;
  /** The vector norm over axes. */
  norm(options?: NormOptions): this;
}
