// Scaled dot-product attention (Vaswani et al., 2017), as one operation: kernels never store the matrix of
// logits, which has an element for every query and key. The decomposition stores it, and gives the reference
// and whatever the kernels do not cover.

import { isFloating } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { sameShape, type Shape } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import { type BatchRule, type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add, mul } from "./arithmetic.ts";
import { broadcastTo, reshape, withBatchAxis } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { less, lessEqual } from "./comparison.ts";
import { iota } from "./constant.ts";
import { dotGeneral } from "./contraction.ts";
import { transpose } from "./movement.ts";
import { logSumExpOperation, softmaxOperation } from "./softmax.ts";
import { where } from "./selection.ts";

/**
 * The static arguments of attention. Its inputs are queries `[batch, length, heads, headSize]`, keys and values
 * with heads that divide those of the queries, and then the bias and the mask that it has, whose axes
 * `[batch, heads, queries, keys]` may each be 1.
 */
export interface AttentionParams extends Params {
  readonly scale: number;
  /** A query sees the keys up to its own position, counted from the first of either. */
  readonly isCausal: boolean;
  readonly hasBias: boolean;
  readonly hasMask: boolean;
}

/** What stands for the logit of a key that a query does not see: finite, so that no difference is NaN. */
export const excludedLogit = -3.4028234663852886e38;

/** Logits below this count as excluded, a bias of -infinity among them. */
export const lowestLogit: number = -(2 ** 127);

/** The inputs by name. */
export interface AttentionInputs<T> {
  readonly query: T;
  readonly key: T;
  readonly value: T;
  readonly bias?: T;
  readonly mask?: T;
}

/** Tells the inputs apart. */
export function attentionInputs<T>(
  [query, key, value, ...rest]: readonly T[],
  { hasBias, hasMask }: AttentionParams,
): AttentionInputs<T> {
  return {
    query: query!,
    key: key!,
    value: value!,
    bias: hasBias ? rest[0] : undefined,
    mask: hasMask ? rest[hasBias ? 1 : 0] : undefined,
  };
}

/** The extents of one attention. */
export interface AttentionExtents {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  /** Heads of the keys and values: each serves `heads / keyHeads` heads of the queries. */
  readonly keyHeads: number;
  readonly headSize: number;
}

/** Reads the extents off the shapes of queries and keys. */
export function attentionExtents(query: Shape, key: Shape): AttentionExtents {
  const [batch, queries, heads, headSize] = query as [number, number, number, number];
  return { batch, queries, keys: key[1]!, heads, keyHeads: key[2]!, headSize };
}

function attentionAvals(inputs: readonly Aval[], params: AttentionParams): readonly Aval[] {
  const { query, key, value, bias, mask } = attentionInputs(inputs, params);
  const shown = () => [query, key, value].map((x) => showShape(x.shape)).join(", ");
  if ([query, key, value].some((x) => x.shape.length !== 4)) {
    throw new RangeError(
      `Cannot dotProductAttention: queries, keys and values must have the axes [batch, length, heads, headSize], got ${shown()}`,
    );
  }
  const { batch, queries, keys, heads, keyHeads, headSize } = attentionExtents(
    query.shape,
    key.shape,
  );
  if (
    !sameShape(key.shape, value.shape) ||
    !sameShape(key.shape, [batch, keys, keyHeads, headSize])
  ) {
    throw new RangeError(
      `Cannot dotProductAttention: keys and values must have one shape, with the batch and the headSize of the queries, got ${shown()}`,
    );
  }
  if (keyHeads === 0 ? heads !== 0 : heads % keyHeads !== 0) {
    throw new RangeError(
      `Cannot dotProductAttention: the heads of the queries must be a multiple of those of the keys, got ${heads} and ${keyHeads}`,
    );
  }
  if ([query, key, value].some((x) => !isFloating(x.dtype) || x.dtype !== query.dtype)) {
    throw new TypeError(
      `Cannot dotProductAttention: queries, keys and values must be floats of one type, got ${query.dtype}, ${key.dtype} and ${value.dtype}`,
    );
  }
  const logits = [batch, heads, queries, keys];
  for (const [name, x] of [["bias", bias], ["mask", mask]] as const) {
    const fits = x?.shape.length === 4 &&
      x.shape.every((extent, axis) => extent === 1 || extent === logits[axis]);
    if (!x || fits) continue;
    throw new RangeError(
      `Cannot dotProductAttention: the ${name} must broadcast to [batch, heads, queries, keys], ${
        showShape(logits)
      } here, got ${showShape(x.shape)}`,
    );
  }
  return [
    { shape: query.shape, dtype: query.dtype },
    { shape: query.shape.slice(0, -1), dtype: "float32" },
  ];
}

/** Queries as [batch, keyHeads, group, length, headSize]: groups share a head of the keys. */
function grouped(x: Value, keyHeads: number): Value {
  const [batch, length, heads, headSize] = x.aval.shape as [number, number, number, number];
  const group = keyHeads === 0 ? 0 : heads / keyHeads;
  return transpose(reshape(x, [batch, length, keyHeads, group, headSize]), [0, 2, 3, 1, 4]);
}

/** The inverse of {@linkcode grouped}. */
function ungrouped(x: Value): Value {
  const [batch, keyHeads, group, length, headSize] = x.aval.shape as number[];
  return reshape(transpose(x, [0, 3, 1, 2, 4]), [batch!, length!, keyHeads! * group!, headSize!]);
}

/** The logits in float32, `[batch, heads, queries, keys]`, with {@linkcode excludedLogit} where a key is not seen. */
function maskedLogits(
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
function besideQueries(x: Value): Value {
  return transpose(x, [0, 2, 1]);
}

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

/** Folds a new leading axis into the batch. A bias or a mask that is the same for every batch stays one. */
function batchAttention<P extends AttentionParams>(operation: () => Operation<P>): BatchRule<P> {
  return (inputs, batched, params, size) => {
    const folded = inputs.map((x, i) => {
      const own = batched[i] ? x.aval.shape.slice(1) : x.aval.shape;
      const isRow = i < 3 || i >= 3 + Number(params.hasBias) + Number(params.hasMask);
      if (!batched[i] && !isRow && own[0] === 1) return x;
      const batch = inputs[0]!.aval.shape[batched[0] ? 1 : 0]!;
      const stretched = [size, batch, ...own.slice(1)];
      const whole = batched[i] ? x : withBatchAxis(x, size);
      return reshape(broadcastTo(whole, stretched), [size * batch, ...own.slice(1)]);
    });
    return bind(operation(), params, ...folded).map((x) => {
      const [first, ...rest] = x.aval.shape as [number, ...number[]];
      return reshape(x, [size, first / size, ...rest]);
    });
  };
}

/**
 * Two results: softmax(scale q.k + bias) v in the type of the queries, and in float32 the logarithm of each row's
 * sum of exponentials, `[batch, length, heads]`, from which derivatives compute the softmax again. A row whose
 * query sees no key has zeros for both.
 */
export const attentionOperation: Operation<AttentionParams> = registerOperation<AttentionParams>({
  name: "dotProductAttention",
  precision: "half",
  lower: { kind: "composite", decompose: attentionDecomposition },
  aval: attentionAvals,
  batch: batchAttention(() => attentionOperation),
});
