// The gradient of attention as an operation of its own: kernels compute the softmax again from the logarithms of
// the rows' sums, and store no logit either.

import { type Operation, registerOperation, type Tangent } from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { mul, sub } from "./arithmetic.ts";
import {
  attentionExtents,
  type AttentionInputs,
  attentionInputs,
  type AttentionParams,
  batchAttention,
} from "./attention_arguments.ts";
import { besideQueries, grouped, maskedLogits, ungrouped } from "./attention_logits.ts";
import { broadcastTo, reshape, sumOperation, unbroadcast, widened } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { constant } from "./constant.ts";
import { dotGeneral } from "./contraction.ts";
import { exp } from "./elementary.ts";
import { transpose } from "./movement.ts";
import { reduce } from "./reduction.ts";

/** The sum of each row's products with another row. */
function rowProducts(a: Value, b: Value): Value {
  return reduce(sumOperation, mul(widened(a), widened(b)), [a.aval.shape.length - 1]);
}

/** Softmax of the logits from the logarithms of the rows' sums, and the cotangent of the logits. */
function logitSlopes(
  inputs: AttentionInputs<Value>,
  params: AttentionParams,
  { logSums, cotangent, rowSums }: AttentionSlopes,
): { weights: Value; slopes: Value } {
  const { query, value } = inputs;
  const { batch, queries, keys, heads, keyHeads } = attentionExtents(
    query.aval.shape,
    value.aval.shape,
  );
  const besideLogits = (x: Value) => reshape(besideQueries(x), [batch, heads, queries, 1]);
  const weights = exp(sub(maskedLogits(inputs, params), besideLogits(logSums)));
  const products = dotGeneral(grouped(cotangent, keyHeads), value, {
    contracting: [[4], [3]],
    batch: [[0, 1], [0, 2]],
    preferredElementType: "float32",
  });
  const ofWeights = reshape(products, [batch, heads, queries, keys]);
  return { weights, slopes: mul(weights, sub(ofWeights, besideLogits(rowSums))) };
}

/** What the gradient needs beside the inputs. */
interface AttentionSlopes {
  /** The second result of attention. */
  readonly logSums: Value;
  /** The first result's cotangent. */
  readonly cotangent: Value;
  /** The sums of its products with the result over each row, less the second result's cotangent. */
  readonly rowSums: Value;
}

function gradientDecomposition(
  inputs: readonly Value[],
  params: AttentionParams,
): readonly Value[] {
  const named = attentionInputs(inputs, params);
  const [logSums, cotangent, rowSums] = inputs.slice(-3) as [Value, Value, Value];
  const { weights, slopes } = logitSlopes(named, params, { logSums, cotangent, rowSums });
  const { query, key } = named;
  const { batch, queries, keys, keyHeads, heads } = attentionExtents(
    query.aval.shape,
    key.aval.shape,
  );
  const group = keyHeads === 0 ? 0 : heads / keyHeads;
  const byGroup = (x: Value) => reshape(x, [batch, keyHeads, group, queries, keys]);
  const scaled = byGroup(mul(slopes, params.scale));
  const ofQuery = dotGeneral(scaled, key, {
    contracting: [[4], [1]],
    batch: [[0, 1], [0, 2]],
    preferredElementType: query.aval.dtype,
  });
  // What comes out is [batch, keyHeads, keys, headSize].
  const overQueries = (x: Value, rows: Value) =>
    transpose(
      dotGeneral(x, grouped(rows, keyHeads), {
        contracting: [[2, 3], [2, 3]],
        batch: [[0, 1], [0, 1]],
        preferredElementType: key.aval.dtype,
      }),
      [0, 2, 1, 3],
    );
  return [
    ungrouped(ofQuery),
    overQueries(scaled, query),
    overQueries(byGroup(weights), cotangent),
  ];
}

/** The gradients of queries, keys and values, of attention's inputs and then those of {@linkcode AttentionSlopes}. */
export const attentionGradientOperation: Operation<AttentionParams> = registerOperation<
  AttentionParams
>({
  name: "dotProductAttentionGradient",
  precision: "half",
  lower: { kind: "attention", kernel: "backward", decompose: gradientDecomposition },
  aval: (inputs) => inputs.slice(0, 3).map(({ shape, dtype }) => ({ shape, dtype })),
  batch: batchAttention(() => attentionGradientOperation),
});

/** Attention's derivative rule: cotangents of its results to those of its inputs. */
export function attentionGradient(
  [ofResult, ofLogSums]: readonly Tangent[],
  inputs: readonly Value[],
  [result, logSums]: readonly Value[],
  params: AttentionParams,
): readonly Tangent[] {
  const cotangent = ofResult ?? broadcastTo(constant(0, result!.aval.dtype), result!.aval.shape);
  const products = rowProducts(cotangent, result!);
  const rowSums = ofLogSums ? sub(products, ofLogSums) : products;
  const given = [...inputs, logSums!, cotangent, rowSums];
  const back = bind(attentionGradientOperation, params, ...given);
  const named = attentionInputs(inputs, params);
  if (!named.bias) return back;
  const { slopes } = logitSlopes(named, params, { logSums: logSums!, cotangent, rowSums });
  const ofBias = astype(unbroadcast(slopes, named.bias.aval.shape), named.bias.aval.dtype);
  return [...back, ofBias];
}
