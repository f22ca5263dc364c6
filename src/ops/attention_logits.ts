// The logits of attention as an array, and the orders of axes in which they are multiplied: what decompositions
// are made of.

import type { Value } from "../ir/value.ts";
import { add, mul } from "./arithmetic.ts";
import {
  attentionExtents,
  type AttentionInputs,
  type AttentionParams,
} from "./attention_arguments.ts";
import { reshape } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { less, lessEqual } from "./comparison.ts";
import { iota } from "./constant.ts";
import { dotGeneral } from "./contraction.ts";
import { transpose } from "./movement.ts";
import { where } from "./selection.ts";

/** What stands for the logit of a key that a query does not see: finite, so that no difference is NaN. */
export const excludedLogit = -3.4028234663852886e38;

/** Logits below this count as excluded, a bias of -infinity among them. */
export const lowestLogit: number = -(2 ** 127);

/** Queries as [batch, keyHeads, group, length, headSize]: groups share a head of the keys. */
export function grouped(x: Value, keyHeads: number): Value {
  const [batch, length, heads, headSize] = x.aval.shape as [number, number, number, number];
  const group = keyHeads === 0 ? 0 : heads / keyHeads;
  return transpose(reshape(x, [batch, length, keyHeads, group, headSize]), [0, 2, 3, 1, 4]);
}

/** The inverse of {@linkcode grouped}. */
export function ungrouped(x: Value): Value {
  const [batch, keyHeads, group, length, headSize] = x.aval.shape as number[];
  return reshape(transpose(x, [0, 3, 1, 2, 4]), [batch!, length!, keyHeads! * group!, headSize!]);
}

/** The logits in float32, `[batch, heads, queries, keys]`, with {@linkcode excludedLogit} where a key is not seen. */
export function maskedLogits(
  { query, key, bias, mask }: AttentionInputs<Value>,
  { scale, isCausal }: AttentionParams,
): Value {
  const { batch, queries, keys, heads, keyHeads } = attentionExtents(
    query.aval.shape,
    key.aval.shape,
  );
  const products = dotGeneral(grouped(query, keyHeads), key, {
    contracting: [[4], [3]],
    batch: [[0, 1], [0, 2]],
    preferredElementType: "float32",
  });
  let logits = mul(reshape(products, [batch, heads, queries, keys]), scale);
  if (bias) {
    const sum = add(logits, astype(bias, "float32"));
    logits = where(less(sum, lowestLogit), excludedLogit, sum);
  }
  if (mask) logits = where(mask, logits, excludedLogit);
  if (!isCausal) return logits;
  const place = (axis: number) => iota([queries, keys], axis, "int32");
  return where(lessEqual(place(1), place(0)), logits, excludedLogit);
}

/** A number for each row of logits, as one for each row of the queries. */
export function besideQueries(x: Value): Value {
  return transpose(x, [0, 2, 1]);
}
