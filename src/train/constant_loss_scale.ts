// The loss scales that never change: none, and a fixed one.

import { type ArrayLike, fromHost, isFloatingArray, type NDArray, operand } from "../array.ts";
import { describe } from "../core/errors.ts";
import { map, registerNode } from "../core/pytree.ts";
import { lifted } from "../numpy/lift.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { type LossScale, scaleLoss, unscaleTree } from "./loss_scale.ts";

/** No scaling: losses and gradients only become float32. What float32 and bfloat16 need. */
export class NoOpLossScale implements LossScale {
  /** Always 1. */
  get value(): NDArray {
    return lifted("lossScale", () => constant(1, "float32"));
  }

  /** The loss in float32. */
  scale(loss: ArrayLike): NDArray {
    return lifted("scale", () => astype(operand(loss, "scale"), "float32"), loss);
  }

  /** The tree with its floating arrays in float32. */
  unscale<T>(tree: T): T {
    const full = (leaf: unknown): unknown =>
      isFloatingArray(leaf) ? lifted("unscale", () => astype(leaf, "float32"), leaf) : leaf;
    return map(full, tree as unknown) as T;
  }

  /** Itself. */
  adjust(_finite: ArrayLike): NoOpLossScale {
    return this;
  }
}

registerNode(NoOpLossScale, { flatten: () => [[], null], unflatten: () => new NoOpLossScale() });

/** A scale that stays what it is. */
export class FixedLossScale implements LossScale {
  /** The scale, a float32 scalar. */
  readonly value: NDArray;

  /** Made by `lossScale.fixed`. */
  constructor(value: NDArray) {
    this.value = value;
  }

  /** The loss times the scale, in float32. */
  scale(loss: ArrayLike): NDArray {
    return scaleLoss(loss, this.value);
  }

  /** The tree with its floating arrays in float32 and divided by the scale. */
  unscale<T>(tree: T): T {
    return unscaleTree(tree, this.value);
  }

  /** Itself, whether the gradients were finite or not. */
  adjust(_finite: ArrayLike): FixedLossScale {
    return this;
  }
}

registerNode(FixedLossScale, {
  flatten: ({ value }) => [[value], null],
  unflatten: (_, [value]) => new FixedLossScale(value as NDArray),
  names: ["value"],
});

/**
 * No loss scaling, for gradients that have float32's range: under float32 and bfloat16 policies.
 *
 * @example
 * ```ts
 * import { init, lossScale, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const scaled = lossScale.noOp().scale(jnp.array(3, { dtype: "float16" }));
 * console.log(scaled.dtype, await scaled.item()); // float32 3
 * ```
 */
export function noOp(): NoOpLossScale {
  return new NoOpLossScale();
}

/**
 * A loss scale that never changes. Unscaling is exact for powers of two.
 *
 * @throws {RangeError} unless it is a positive number that float32 holds, and its inverse too.
 *
 * @example
 * ```ts
 * import { init, lossScale, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const scale = lossScale.fixed(1024);
 * console.log(await scale.scale(jnp.array(3)).item()); // 3072
 * console.log(await scale.unscale({ w: jnp.array([2048]) }).w.toList()); // [2]
 * ```
 */
export function fixed(scale: number): FixedLossScale {
  const held = typeof scale === "number" ? Math.fround(scale) : NaN;
  if (!(held > 0 && held < Infinity && Math.fround(1 / held) < Infinity)) {
    throw new RangeError(
      `Cannot make a fixed loss scale: a positive number that float32 holds is required, got ${
        describe(scale)
      }`,
    );
  }
  return new FixedLossScale(fromHost([held], [], "float32"));
}
