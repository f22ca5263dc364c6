// Loss scaling. Small gradients vanish in float16, so the loss is multiplied by a scale before it is differentiated
// and the gradients are divided by it afterwards (Micikevicius et al., "Mixed Precision Training", 2018). Every
// scale is an immutable tree of arrays, so it goes through jit and into files.

import { type ArrayLike, isFloatingArray, type NDArray, operand } from "../array.ts";
import { map } from "../core/pytree.ts";
import { lifted } from "../numpy/lift.ts";
import { div, mul } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";

/** What every loss scale can do. */
export interface LossScale {
  /** The scale now, a float32 scalar. */
  readonly value: NDArray;
  /** The loss times the scale, in float32 whatever type it had: 2**24 is infinite in float16. */
  scale(loss: ArrayLike): NDArray;
  /** The tree with its floating arrays in float32 and divided by the scale. */
  unscale<T>(tree: T): T;
  /** The scale for the next step; `finite` is a bool scalar, whether all gradients of this one were. */
  adjust(finite: ArrayLike): LossScale;
}

/** A loss in float32, times a scale. */
export function scaleLoss(loss: ArrayLike, scale: NDArray): NDArray {
  return lifted("scale", () => mul(astype(operand(loss, "scale"), "float32"), scale));
}

/** The floating arrays of a tree in float32, times the inverse of a scale: exact where that is a power of two. */
export function unscaleTree<T>(tree: T, scale: NDArray): T {
  const unscaled = (leaf: unknown): unknown => {
    if (!isFloatingArray(leaf)) return leaf;
    return lifted("unscale", () => mul(astype(leaf, "float32"), div(1, scale)));
  };
  return map(unscaled, tree as unknown) as T;
}
