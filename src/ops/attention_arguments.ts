// What attention is given: its inputs by name, their extents, what must fit, and how batches fold into them.

import { isFloating } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { sameShape, type Shape } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import type { BatchRule, Operation, Params } from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import { broadcastTo, reshape, withBatchAxis } from "./broadcast.ts";

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

/** The shapes and dtypes of attention's two results. */
export function attentionAvals(inputs: readonly Aval[], params: AttentionParams): readonly Aval[] {
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

/** Folds a new leading axis into the batch. A bias or a mask that is the same for every batch stays one. */
export function batchAttention<P extends AttentionParams>(
  operation: () => Operation<P>,
): BatchRule<P> {
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
