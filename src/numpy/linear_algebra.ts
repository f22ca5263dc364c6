// Products of arrays summed over axes that they share. Every product is formed and summed in float32
// (integers in 32 bits), and rounded once.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { type DType, isFloating, promoteTypes } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { broadcastShapes, normalizeAxes, type Shape } from "../core/shape.ts";
import type { TensordotAxes } from "../methods/linear_algebra.ts";
import { mul } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { type DotDimensions, dotGeneral } from "../ops/contraction.ts";
import { broadcastTo, reshape } from "../ops/movement.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "./lift.ts";

/** Runs a function of two arrays, whatever stands for them. */
function lifted2(
  what: string,
  x: ArrayLike,
  y: ArrayLike,
  body: (a: NDArray, b: NDArray) => Value,
): NDArray {
  return lifted(what, () => body(asArray(x, what), asArray(y, what)));
}

/**
 * The product of two arrays summed over axes, in the type that both promote to unless another is preferred.
 * Floats of different types go in as they are, since a kernel widens what it loads; integers become what
 * they meet.
 */
export function contract(
  a: Value,
  b: Value,
  dimensions: DotDimensions,
  preferred?: DType,
): Value {
  const { dtype } = promoteTypes([a.aval, b.aval]);
  if (dtype === "bool") {
    // Whether any pair is true: counted, as there is no sum of booleans.
    const count = dotGeneral(astype(a, "int32"), astype(b, "int32"), { ...dimensions });
    return astype(count, preferred ?? "bool");
  }
  const prepared = [a, b].map((x) => {
    const widens = isFloating(x.aval.dtype) && dtype === "float32" && x.aval.weak === undefined;
    return widens ? x : astype(x, dtype);
  }) as [Value, Value];
  return dotGeneral(...prepared, { ...dimensions, preferredElementType: preferred });
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);

function mismatch(what: string, a: Shape, b: Shape): RangeError {
  return new RangeError(
    `Cannot ${what}: inner sizes must match, got ${showShape(a)} and ${showShape(b)}`,
  );
}

/**
 * The matrix product of the last two axes; the leading ones broadcast. An operand of one axis is a row on the
 * left, a column on the right, and the result lacks that axis.
 *
 * Half operands are multiplied and summed in float32 and the sum is rounded once. The result has the type
 * that both promote to.
 *
 * @throws {RangeError} if the inner sizes differ, or an operand is a scalar.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([[300, 300]], { dtype: "float16" });
 * const y = jnp.array([[300], [-300]], { dtype: "float16" });
 * console.log(await jnp.matmul(x, y).item()); // 0, although 300 * 300 is no float16
 * ```
 */
export function matmul(x: ArrayLike, y: ArrayLike): NDArray {
  return lifted2("matmul", x, y, (a, b) => {
    if (a.ndim === 0 || b.ndim === 0) {
      throw new RangeError(
        `Cannot matmul: operands must have at least one axis, got ${showShape(a.shape)} and ${
          showShape(b.shape)
        }; use mul for scalars`,
      );
    }
    const inner = b.ndim === 1 ? 0 : b.ndim - 2;
    if (a.shape[a.ndim - 1] !== b.shape[inner]) throw mismatch("matmul", a.shape, b.shape);
    const contracting = [[a.ndim - 1], [inner]] as const;
    if (b.ndim <= 2) return contract(a, b, { contracting, batch: [[], []] });
    return batchedMatmul(a, b);
  });
}

/** The product where `b` has leading axes, which those of `a` are stretched to and the other way round. */
function batchedMatmul(a: NDArray, b: NDArray): Value {
  const rows = a.shape.slice(-2, -1);
  const leading = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const rank = leading.length;
  const left = broadcastTo(a, [...leading, ...rows, a.shape[a.ndim - 1]!]);
  const right = broadcastTo(b, [...leading, ...b.shape.slice(-2)]);
  const batch = range(0, rank);
  const contracting = [[rank + rows.length], [rank]] as const;
  return contract(left, right, { contracting, batch: [batch, batch] });
}

/**
 * The product summed over the last axis of `x` and the second to last of `y` (its only one, where it has
 * one), with every other axis kept: those of `x`, then those of `y`. With a scalar it is `mul`.
 *
 * @throws {RangeError} if the sizes summed over differ.
 */
export function dot(x: ArrayLike, y: ArrayLike): NDArray {
  return lifted2("dot", x, y, (a, b) => {
    if (a.ndim === 0 || b.ndim === 0) return mul(a, b);
    const inner = Math.max(b.ndim - 2, 0);
    if (a.shape[a.ndim - 1] !== b.shape[inner]) throw mismatch("dot", a.shape, b.shape);
    const contracting = [[a.ndim - 1], [inner]] as const;
    return contract(a, b, { contracting, batch: [[], []] });
  });
}

/**
 * The product of all elements of both in row-major order, summed.
 *
 * @throws {RangeError} if the sizes differ.
 */
export function vdot(x: ArrayLike, y: ArrayLike): NDArray {
  return lifted2("vdot", x, y, (a, b) => {
    if (a.size !== b.size) {
      throw new RangeError(
        `Cannot vdot: sizes must match, got ${showShape(a.shape)} and ${showShape(b.shape)}`,
      );
    }
    const [left, right] = [reshape(a, [a.size]), reshape(b, [b.size])];
    return contract(left, right, { contracting: [[0], [0]], batch: [[], []] });
  });
}

/**
 * The product summed over the last axis of both; with a scalar it is `mul`.
 *
 * @throws {RangeError} if the last extents differ.
 */
export function inner(x: ArrayLike, y: ArrayLike): NDArray {
  return lifted2("inner", x, y, (a, b) => {
    if (a.ndim === 0 || b.ndim === 0) return mul(a, b);
    if (a.shape[a.ndim - 1] !== b.shape[b.ndim - 1]) throw mismatch("inner", a.shape, b.shape);
    const contracting = [[a.ndim - 1], [b.ndim - 1]] as const;
    return contract(a, b, { contracting, batch: [[], []] });
  });
}

/** The products of every element of `x` with every element of `y`: `[x.size, y.size]`. */
export function outer(x: ArrayLike, y: ArrayLike): NDArray {
  return lifted2("outer", x, y, (a, b) => {
    return mul(reshape(a, [a.size, 1]), reshape(b, [1, b.size]));
  });
}

/** The axes that tensordot sums over, in the order given. */
function tensordotAxes(
  axes: TensordotAxes,
  a: NDArray,
  b: NDArray,
): readonly [readonly number[], readonly number[]] {
  if (typeof axes === "number") {
    const most = Math.min(a.ndim, b.ndim);
    if (!Number.isInteger(axes) || axes < 0 || axes > most) {
      throw new RangeError(
        `Cannot tensordot: axes must be a number from 0 to ${most} for shapes ${
          showShape(a.shape)
        } and ${showShape(b.shape)}, got ${describe(axes)}`,
      );
    }
    return [range(a.ndim - axes, a.ndim), range(0, axes)];
  }
  if (!Array.isArray(axes) || axes.length !== 2) {
    throw new TypeError(
      `Cannot tensordot: axes must be a number or a pair such as [[0, 1], [1, 0]], got ${
        describe(axes)
      }`,
    );
  }
  return [inOrder(axes[0]!, a.ndim), inOrder(axes[1]!, b.ndim)];
}

/** Axes made positive, in the order in which they pair up with the other operand's. */
function inOrder(axes: number | readonly number[], rank: number): number[] {
  normalizeAxes("tensordot", axes, rank);
  return [axes].flat().map((axis) => axis < 0 ? axis + rank : axis);
}

/**
 * The product summed over several axes: the last `axes` of `x` and the first of `y`, or the two lists of
 * `axes: [[...], [...]]` in pairs. The result has the remaining axes of `x`, then those of `y`.
 *
 * @throws {RangeError} if axes that pair up differ in extent.
 */
export function tensordot(
  x: ArrayLike,
  y: ArrayLike,
  options: { readonly axes?: TensordotAxes } = {},
): NDArray {
  checkOptions("tensordot", options, ["axes"]);
  return lifted2("tensordot", x, y, (a, b) => {
    const contracting = tensordotAxes(options.axes ?? 2, a, b);
    const [ca, cb] = contracting;
    if (ca.length !== cb.length || ca.some((axis, i) => a.shape[axis] !== b.shape[cb[i]!])) {
      throw new RangeError(
        `Cannot tensordot: the extents of paired axes must match, got ${showShape(a.shape)} along ${
          showShape(ca)
        } and ${showShape(b.shape)} along ${showShape(cb)}`,
      );
    }
    return contract(a, b, { contracting, batch: [[], []] });
  });
}

/** The Kronecker product: `y` at every element of `x`, multiplied by it. */
export function kron(x: ArrayLike, y: ArrayLike): NDArray {
  return lifted2("kron", x, y, (a, b) => {
    const rank = Math.max(a.ndim, b.ndim);
    const full = (v: NDArray): number[] => [
      ...new Array<number>(rank - v.ndim).fill(1),
      ...v.shape,
    ];
    const [outerShape, innerShape] = [full(a), full(b)];
    // Axis by axis, the coordinate in x beside the one in y.
    const left = reshape(a, outerShape.flatMap((extent) => [extent, 1]));
    const right = reshape(b, innerShape.flatMap((extent) => [1, extent]));
    const shape = outerShape.map((extent, axis) => extent * innerShape[axis]!);
    return reshape(mul(left, right), shape);
  });
}
