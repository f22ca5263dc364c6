// The casts over trees: to the types of the policy in force, and to a type of one's own.
import { checkDType, type FloatDType, isFloating } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { getPolicy, halfDType } from "./policy.ts";
import { castTree } from "./tree_cast.ts";

export { type LeafCast, registerCast } from "./tree_cast.ts";

/**
 * Casts the floating leaves of a tree to the half type of the policy in force: float16 while no policy
 * was ever set, and no cast at all under a policy that computes in float32, so that one word switches a
 * whole program. All other leaves pass through untouched, as with every cast here.
 *
 * @example
 * ```ts
 * import { castToHalf, init, numpy as jnp, withPolicy } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.ones([2, 3]);
 * console.log(withPolicy("mixed_bfloat16", () => castToHalf(x).dtype)); // bfloat16
 * ```
 */
export function castToHalf<T>(tree: T): T {
  return castTree(tree, halfDType());
}

/**
 * Casts the floating leaves of a tree to float32.
 *
 * @example
 * ```ts
 * import { castToFull, init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * console.log(castToFull({ w: jnp.ones([2], { dtype: "float16" }) }).w.dtype); // float32
 * ```
 */
export function castToFull<T>(tree: T): T {
  return castTree(tree, "float32");
}

/**
 * Casts the floating leaves of a tree to the compute type of the policy in force.
 *
 * @example
 * ```ts
 * import { castToCompute, init, numpy as jnp, withPolicy } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.ones([2]);
 * console.log(withPolicy("mixed_float16", () => castToCompute(x).dtype)); // float16
 * ```
 */
export function castToCompute<T>(tree: T): T {
  return castTree(tree, getPolicy().computeDtype);
}

/**
 * Casts the floating leaves of a tree to the parameter type of the policy in force.
 *
 * @example
 * ```ts
 * import { castToParam, init, numpy as jnp, withPolicy } from "@zenith/jax";
 *
 * await init();
 * const w = jnp.ones([2]);
 * console.log(withPolicy("float16", () => castToParam(w).dtype)); // float16
 * ```
 */
export function castToParam<T>(tree: T): T {
  return castTree(tree, getPolicy().paramDtype);
}

/**
 * Casts the floating leaves of a tree to the output type of the policy in force.
 *
 * @example
 * ```ts
 * import { castToOutput, init, numpy as jnp, withPolicy } from "@zenith/jax";
 *
 * await init();
 * const y = jnp.ones([2]);
 * console.log(withPolicy("compute=half,output=full", () => castToOutput(y).dtype)); // float32
 * ```
 */
export function castToOutput<T>(tree: T): T {
  return castTree(tree, getPolicy().outputDtype);
}

/**
 * Casts the floating leaves of a tree to a type that no policy changes.
 *
 * @throws TypeError if `dtype` is not float32, float16 or bfloat16.
 *
 * @example
 * ```ts
 * import { castTo, init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const batch = { x: jnp.ones([2]), labels: jnp.arange(2) };
 * console.log(castTo(batch, "bfloat16").x.dtype, castTo(batch, "bfloat16").labels.dtype);
 * // bfloat16 int32
 * ```
 */
export function castTo<T>(tree: T, dtype: FloatDType): T {
  if (!isFloating(checkDType(dtype, "cast a tree"))) {
    throw new TypeError(
      `Cannot cast a tree: dtype must be float32, float16 or bfloat16, got ${
        describe(dtype)
      }; use astype for integers`,
    );
  }
  return castTree(tree, dtype);
}
