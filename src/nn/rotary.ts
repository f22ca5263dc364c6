// Rotary positions: what is turned by an angle that grows with its place.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isFloating, isInteger } from "../core/dtype.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { lifted } from "../numpy/lift.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { concatenate } from "../ops/concatenate.ts";
import { iota } from "../ops/constant.ts";
import { exp } from "../ops/elementary.ts";
import { reshape, slice } from "../ops/movement.ts";
import { cos, sin } from "../ops/trigonometric.ts";
import type { Value } from "../ir/value.ts";

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
 * @throws {RangeError} if headSize is odd, or the shapes do not fit.
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
    const places = asArray(positions, what, "int32");
    if (!isFloating(array.dtype) || !isInteger(places.dtype)) {
      throw new TypeError(
        `Cannot ${what}: floats and integer positions are required, got ${array.dtype} and ${places.dtype}`,
      );
    }
    const headSize = array.shape[3] ?? 1;
    if (array.ndim !== 4 || headSize % 2 !== 0) {
      throw new RangeError(
        `Cannot ${what}: [batch, length, heads, headSize] with an even headSize is required, got shape ${
          showShape(array.shape)
        }`,
      );
    }
    const angles = anglesOf(places, headSize / 2, base);
    const part = (start: number) => {
      const shape = [...array.shape.slice(0, 3), headSize / 2];
      return astype(slice(array, [0, 0, 0, start], [1, 1, 1, 1], shape), "float32");
    };
    const [first, second] = [part(0), part(headSize / 2)];
    const [c, s] = [cos(angles), sin(angles)];
    const turned = [
      sub(mul(first, c), mul(second, s)),
      add(mul(second, c), mul(first, s)),
    ];
    return concatenate(turned.map((half) => astype(half, array.dtype)), 3);
  });
}

/** `[..., length, 1, count]`: how far each pair of features is turned at each position. */
function anglesOf(positions: NDArray, count: number, base: number): Value {
  const places = astype(reshape(positions, [...positions.shape, 1, 1]), "float32");
  const waves = exp(mul(iota([count], 0, "float32"), -Math.log(base) / count));
  return mul(places, waves);
}
