// Scaled dot-product attention (Vaswani et al., 2017), as one operation: kernels never store the matrix of
// logits, which has an element for every query and key. The decomposition stores it, and gives the reference
// and whatever the kernels do not cover.

import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import {
  attentionAvals,
  attentionExtents,
  attentionInputs,
  type AttentionParams,
  batchAttention,
} from "./attention_arguments.ts";
import { attentionGradient } from "./attention_gradient.ts";
import { besideQueries, lowestLogit, maskedLogits, ungrouped } from "./attention_logits.ts";
import { reshape } from "./broadcast.ts";
import { less } from "./comparison.ts";
import { dotGeneral } from "./contraction.ts";
import { logSumExpOperation, softmaxOperation } from "./softmax.ts";
import { where } from "./selection.ts";

function attentionDecomposition(
  inputs: readonly Value[],
  params: AttentionParams,
): readonly Value[] {
  const named = attentionInputs(inputs, params);
  const { query, key, value } = named;
  const { batch, queries, keys, heads, keyHeads } = attentionExtents(
    query.aval.shape,
    key.aval.shape,
  );
  const logits = maskedLogits(named, params);
  const shares = bind(softmaxOperation, {}, logits)[0]!;
  // In a row of excluded logits alone all shares would be equal.
  const weights = params.hasBias || params.hasMask
    ? where(less(logits, lowestLogit), 0, shares)
    : shares;
  const group = keyHeads === 0 ? 0 : heads / keyHeads;
  const result = dotGeneral(reshape(weights, [batch, keyHeads, group, queries, keys]), value, {
    contracting: [[4], [1]],
    batch: [[0, 1], [0, 2]],
    preferredElementType: query.aval.dtype,
  });
  const total = bind(logSumExpOperation, {}, logits)[0]!;
  return [ungrouped(result), besideQueries(where(less(total, lowestLogit), 0, total))];
}

/**
 * Two results: softmax(scale q.k + bias) v in the type of the queries, and in float32 the logarithm of each row's
 * sum of exponentials, `[batch, length, heads]`, from which derivatives compute the softmax again. A row whose
 * query sees no key has zeros for both.
 */
export const attentionOperation: Operation<AttentionParams> = registerOperation<AttentionParams>({
  name: "dotProductAttention",
  precision: "half",
  lower: { kind: "attention", kernel: "forward", decompose: attentionDecomposition },
  aval: attentionAvals,
  derivative: {
    kind: "structured",
    vjp: attentionGradient,
  },
  batch: batchAttention(() => attentionOperation),
});
