// Dropout: elements left out at random while a network is trained.

import { asArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { zeros } from "../numpy/creation.ts";
import { lifted } from "../numpy/lift.ts";
import { div } from "../ops/arithmetic.ts";
import { where } from "../ops/selection.ts";
import * as random from "../random/namespace.ts";
import { checkApplyOptions, checkParameterNames, type Module } from "./module.ts";

/** The option of {@linkcode dropout}. */
export interface DropoutOptions {
  /** How likely an element is left out: from 0 to 1. */
  readonly rate: number;
}

/**
 * Sets elements to 0 with probability `rate` and divides the others by 1 - rate, so that the mean stays
 * (Srivastava et al., 2014). `apply` takes the `key` of the draw, or `{ deterministic: true }`, with which x is
 * returned as it is.
 *
 * @throws {RangeError} if the rate is not from 0 to 1.
 * @throws {TypeError} when it is applied, if neither a key nor `deterministic: true` is given.
 *
 * @example
 * ```ts
 * import { init, nn, numpy as jnp, random } from "@zenith/jax";
 *
 * await init();
 * const dropout = nn.dropout({ rate: 0.5 });
 * const params = dropout.init(random.key(0)); // {}
 * console.log(await dropout.apply(params, jnp.ones([8]), { key: random.key(1) }).toList());
 * console.log(await dropout.apply(params, jnp.ones([2]), { deterministic: true }).toList()); // [1, 1]
 * ```
 */
export function dropout(options: DropoutOptions): Module<Record<string, never>> {
  checkOptions("dropout", options ?? null, ["rate"]);
  const rate = checkRate("dropout", options.rate);
  return {
    name: "dropout",
    init: () => ({}),
    apply: (params, x, applyOptions = {}) => {
      checkApplyOptions("dropout", applyOptions);
      checkParameterNames("dropout", params, []);
      const { key, deterministic = false } = applyOptions;
      if (key === undefined && !deterministic && rate > 0) {
        throw new TypeError(
          "Cannot dropout: a key is required, as in { key: random.key(0) }, or { deterministic: true }",
        );
      }
      return lifted("dropout", () => {
        const array = asArray(x, "dropout");
        if (!isFloating(array.dtype)) {
          throw new TypeError(`Cannot dropout: x must be floating, got ${describe(array)}`);
        }
        if (deterministic || rate === 0) return array;
        // Divided by 0 they would be 0 too, but their gradient NaN.
        if (rate === 1) return zeros(array.shape, { dtype: array.dtype });
        const kept = random.bernoulli(key!, 1 - rate, array.shape);
        return where(kept, div(array, 1 - rate), 0);
      }, x);
    },
  };
}

/** Checks how likely an element is left out. */
export function checkRate(what: string, rate: unknown): number {
  if (typeof rate === "number" && rate >= 0 && rate <= 1) return rate;
  const Wrong = typeof rate === "number" ? RangeError : TypeError;
  throw new Wrong(`Cannot ${what}: rate must be a number from 0 to 1, got ${describe(rate)}`);
}
