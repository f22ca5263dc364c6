// Attention as a function.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "../numpy/lift.ts";
import { attentionOperation } from "../ops/attention.ts";
import type { AttentionParams } from "../ops/attention_arguments.ts";
import { astype } from "../ops/cast.ts";
import { promoteOperands } from "../ops/define.ts";
import { reshape } from "../ops/movement.ts";

/** Options of {@linkcode dotProductAttention}. */
export interface DotProductAttentionOptions {
  /** Booleans that broadcast to `[batch, heads, queries, keys]`: true where a query may see a key. */
  readonly mask?: ArrayLike;
  /** Floats that broadcast to `[batch, heads, queries, keys]` and are added to the scaled products. */
  readonly bias?: ArrayLike;
  /** Whether a query sees no key behind its own position; both count from 0. By default false. */
  readonly isCausal?: boolean;
  /** What the products are multiplied by; by default 1 / sqrt(headSize). */
  readonly scale?: number;
}

/**
 * Scaled dot-product attention (Vaswani et al., 2017) as `jax.nn.dot_product_attention` has it: softmax(scale q.k +
 * bias) v, for queries `[batch, queries, heads, headSize]` and keys and values `[batch, keys, keyHeads, headSize]`.
 * With fewer heads of keys than of queries each serves a group of neighbouring ones (grouped query attention:
 * Ainslie et al., 2023). The result has the shape of the queries.
 *
 * Everything between the products is float32 and the result is rounded once, to the promoted type of q, k and v.
 * A query that sees no key at all gives zeros. The matrix of weights is never stored, neither here nor for the
 * gradient (Dao et al., 2022), so that memory grows with the lengths and not with their product.
 *
 * @throws {TypeError} for arrays that are not floating or a mask that is not boolean; RangeError if shapes do not
 * fit, or if the heads of the queries are not a multiple of those of the keys.
 *
 * @example
 * ```ts
 * import { init, nn, random } from "@zenith/jax";
 *
 * await init();
 * const [q, k, v] = [0, 1, 2].map((seed) =>
 *   random.normal(random.key(seed), [2, 16, 4, 8], { dtype: "float16" })
 * );
 * const y = nn.dotProductAttention(q, k, v, { isCausal: true });
 * console.log(y.dtype, y.shape); // float16 [ 2, 16, 4, 8 ]
 * ```
 */
export function dotProductAttention(
  query: ArrayLike,
  key: ArrayLike,
  value: ArrayLike,
  options: DotProductAttentionOptions = {},
): NDArray {
  const what = "dotProductAttention";
  checkOptions(what, options, ["mask", "bias", "isCausal", "scale"]);
  const { mask, bias, isCausal = false, scale } = options;
  if (typeof isCausal !== "boolean") {
    throw new TypeError(`Cannot ${what}: isCausal must be a boolean, got ${describe(isCausal)}`);
  }
  if (scale !== undefined && !(typeof scale === "number" && Number.isFinite(scale))) {
    throw new TypeError(`Cannot ${what}: scale must be a finite number, got ${describe(scale)}`);
  }
  return lifted(what, () => {
    const rows = promoteOperands([query, key, value].map((x) => asArray(x, what)), true);
    const headSize = rows[0]!.aval.shape.at(-1) ?? 0;
    const params: AttentionParams = {
      scale: scale ?? 1 / Math.sqrt(Math.max(headSize, 1)),
      isCausal,
      hasBias: bias !== undefined,
      hasMask: mask !== undefined,
    };
    const besides = [
      ...bias === undefined ? [] : [biasOf(what, bias)],
      ...mask === undefined ? [] : [maskOf(what, mask)],
    ];
    return bind(attentionOperation, params, ...rows, ...besides)[0]!;
  });
}

/** With leading axes of extent 1 up to the four of the logits; more axes than four are left to be refused. */
function ofFourAxes(x: Value): Value {
  const { shape } = x.aval;
  return reshape(x, [...new Array(Math.max(0, 4 - shape.length)).fill(1), ...shape]);
}

function biasOf(what: string, bias: ArrayLike): Value {
  const array = asArray(bias, what);
  return ofFourAxes(isFloating(array.dtype) ? array : astype(array, "float32"));
}

function maskOf(what: string, mask: ArrayLike): Value {
  const array = asArray(mask, what);
  if (array.dtype === "bool") return ofFourAxes(array);
  throw new TypeError(
    `Cannot ${what}: the mask must be boolean, got ${array.dtype}; numbers to add are the bias`,
  );
}
