// The general product: any axes summed over, any in parallel.

import { type ArrayLike, asArray, dtypeOption, type NDArray } from "../array.ts";
import { type DType, isFloating } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { normalizeAxes, type Shape } from "../core/shape.ts";
import type { DotDimensions } from "../ops/contraction.ts";
import { lifted } from "../numpy/lift.ts";
import { contract } from "../numpy/linear_algebra.ts";

/** Axes of the two operands of a product, in pairs. */
export type AxisPairs = readonly [readonly number[], readonly number[]];

/** What {@linkcode dotGeneral} multiplies and how it stores the sums. */
export interface DotGeneralOptions {
  /** The axes summed over: those of `a` and, in the same order, those of `b`. */
  readonly contracting: AxisPairs;
  /** The axes that run in parallel, first in the result; none by default. */
  readonly batch?: AxisPairs;
  /** The type of the result; by default the one that both operands promote to. */
  readonly preferredElementType?: DType;
}

function axisPairs(pairs: AxisPairs, name: string, a: Shape, b: Shape): AxisPairs {
  const isList = (x: unknown): boolean => Array.isArray(x);
  if (!Array.isArray(pairs) || pairs.length !== 2 || !pairs.every(isList)) {
    throw new TypeError(
      `Cannot dotGeneral: ${name} must be the axes of both operands such as [[1], [0]], got ${
        describe(pairs)
      }`,
    );
  }
  const [as, bs] = pairs.map((axes, i) => {
    const rank = (i === 0 ? a : b).length;
    normalizeAxes("dotGeneral", axes, rank);
    return axes.map((axis: number) => axis < 0 ? axis + rank : axis);
  }) as [number[], number[]];
  if (as.length !== bs.length || as.some((axis, i) => a[axis] !== b[bs[i]!])) {
    throw new RangeError(
      `Cannot dotGeneral: ${name} sizes must match, got ${showShape(a)} along ${
        showShape(as)
      } and ${showShape(b)} along ${showShape(bs)}`,
    );
  }
  return [as, bs];
}

function checkDisjoint({ contracting, batch }: DotDimensions): void {
  for (const side of [0, 1]) {
    const both = contracting[side]!.find((axis) => batch[side]!.includes(axis));
    if (both === undefined) continue;
    throw new RangeError(
      `Cannot dotGeneral: an axis is either contracted or a batch axis, got axis ${both} of the ${
        side === 0 ? "first" : "second"
      } operand as both`,
    );
  }
}

/**
 * The general product: multiplies two arrays and sums over the contracting axes, in float32 (integers in 32
 * bits), rounding once. The result has the batch axes, the remaining axes of `a`, then those of `b`.
 *
 * @throws {RangeError} if axes that pair up differ in extent.
 * @throws {TypeError} if `preferredElementType` is an integer type for floats, or a float type for integers.
 *
 * @example
 * ```ts
 * import { init, lax, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.ones([4, 8], { dtype: "float16" });
 * const y = lax.dotGeneral(x, x, { contracting: [[1], [1]], preferredElementType: "float32" });
 * console.log(y.shape, y.dtype); // [4, 4] float32
 * ```
 */
export function dotGeneral(a: ArrayLike, b: ArrayLike, options: DotGeneralOptions): NDArray {
  if (options === undefined) {
    throw new TypeError(
      "Cannot dotGeneral: the axes to contract are required, such as { contracting: [[1], [0]] }",
    );
  }
  checkOptions("dotGeneral", options, ["contracting", "batch", "preferredElementType"]);
  return lifted("dotGeneral", () => {
    const left = asArray(a, "dotGeneral");
    const right = asArray(b, "dotGeneral");
    const pairs = (given: AxisPairs, name: string) =>
      axisPairs(given, name, left.shape, right.shape);
    const dimensions = {
      contracting: pairs(options.contracting, "contracting"),
      batch: pairs(options.batch ?? [[], []], "batch"),
    };
    checkDisjoint(dimensions);
    const preferred = dtypeOption(options.preferredElementType, "dotGeneral");
    const floating = isFloating(left.dtype) || isFloating(right.dtype);
    if (preferred !== undefined && isFloating(preferred) !== floating) {
      throw new TypeError(
        `Cannot dotGeneral: preferredElementType must be ${
          floating ? "a floating" : "an integer"
        } type for ${left.dtype} and ${right.dtype}, got ${preferred}`,
      );
    }
    return contract(left, right, dimensions, preferred);
  });
}
