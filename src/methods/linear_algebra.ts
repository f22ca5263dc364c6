// The methods of arrays that multiply and sum over shared axes.

import type { Like } from "./like.ts";

/** Axes that a tensor product sums over: how many, or which of either operand. */
export type TensordotAxes =
  | number
  | readonly [number | readonly number[], number | readonly number[]];

/** Which diagonal, of which axes. */
export interface DiagonalPlace {
  /** Above the main diagonal if positive, below if negative; 0 by default. */
  readonly offset?: number;
  /** The axis of the rows, 0 by default. */
  readonly axis1?: number;
  /** The axis of the columns, 1 by default. */
  readonly axis2?: number;
}

/** The functions of `numpy` that contract, as methods. */
export interface LinearAlgebraMethods {
  /** The matrix product over the last axis and the other's second to last. */
  matmul(y: Like<this>): this;
  /** The product over the last axis and the other's second to last (or only) one. */
  dot(y: Like<this>): this;
  /** The product of the elements of both, summed. */
  vdot(y: Like<this>): this;
  /** The product summed over the last axis of both. */
  inner(y: Like<this>): this;
  /** The products of every element with every element of the other. */
  outer(y: Like<this>): this;
  /** The product summed over several axes, the last two and the other's first two by default. */
  tensordot(y: Like<this>, options?: { readonly axes?: TensordotAxes }): this;
  /** The Kronecker product. */
  kron(y: Like<this>): this;
  /** The elements of a diagonal. */
  diagonal(options?: DiagonalPlace): this;
  /** The sum of a diagonal. */
  trace(options?: DiagonalPlace): this;
}
