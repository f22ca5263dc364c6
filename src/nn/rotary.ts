// Rotary positions: what is turned by an angle that grows with its place.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { integerArray } from "../numpy/integers.ts";
import { lifted } from "../numpy/lift.ts";
import { rotary } from "../ops/rotary.ts";

/** Options of {@linkcode rotaryEmbedding}. */
export interface RotaryOptions {
  /** The longest wave is 2 pi times this number long; by default 10000. */
  readonly base?: number;
}

/** Checks the base of rotary positions. */
export function checkBase(what: string, base: unknown): number {
  if (typeof base === "number" && base > 0 && Number.isFinite(base)) return base;
  throw new RangeError(`Cannot ${what}: base must be a positive number, got ${describe(base)}`);
}

/**
 * Turns queries or keys `[batch, length, heads, headSize]` by their positions, so that their products depend on
 * distances alone (Su et al., 2021): feature i of the first half and feature i of the second half are turned by
 * the angle position * base^(-2 i / headSize). Angles are float32 and the result is rounded once.
 *
 * @param positions integers that broadcast to `[batch, length]`.
 * @throws {TypeError} for positions that are no integers; RangeError if headSize is odd, or the shapes do not fit.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const q = jnp.ones([1, 3, 2, 4]);
 * console.log(nn.rotaryEmbedding(q, jnp.arange(3)).shape); // [1, 3, 2, 4]
 * ```
 */
export function rotaryEmbedding(
  x: ArrayLike,
  positions: ArrayLike,
  options: RotaryOptions = {},
): NDArray {
  const what = "rotaryEmbedding";
  checkOptions(what, options, ["base"]);
  const base = checkBase(what, options.base ?? 10000);
  return lifted(what, () => {
    const array = asArray(x, what);
    const places = integerArray(what, "positions", positions);
    if (!isFloating(array.dtype)) {
      throw new TypeError(`Cannot ${what}: x must be floating, got ${describe(array)}`);
    }
    const headSize = array.shape[3] ?? 1;
    if (array.ndim !== 4 || headSize % 2 !== 0) {
      throw new RangeError(
        `Cannot ${what}: [batch, length, heads, headSize] with an even headSize is required, got shape ${
          showShape(array.shape)
        }`,
      );
    }
    const wanted = array.shape.slice(2 - places.ndim, 2);
    if (places.ndim > 2 || places.shape.some((n, axis) => n !== 1 && n !== wanted[axis])) {
      throw new RangeError(
        `Cannot ${what}: positions must broadcast to ${showShape(array.shape.slice(0, 2))}, got ${
          showShape(places.shape)
        }`,
      );
    }
    return rotary(array, places, { base });
  });
}
