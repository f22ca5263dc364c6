// What the attention programs ought to give, in float64: a head is computed once and kept for the elements of it.

import type { HostArray } from "../host_data.ts";

/** One head: its rows, and what its softmax gives. */
interface Head {
  readonly query: Float64Array;
  readonly key: Float64Array;
  readonly value: Float64Array;
  /** The logarithm of each query's sum of exponentials. */
  readonly logSums: Float64Array;
  readonly result: Float64Array;
}

const heads = new WeakMap<HostArray, Map<number, Head>>();

/** The rows of a head as one matrix. */
function rowsOf({ shape, values }: HostArray, head: number): Float64Array {
  const [, length, count, size] = shape;
  const rows = new Float64Array(length * size);
  for (let row = 0; row < length; row++) {
    const start = (row * count + head) * size;
    rows.set(values.subarray(start, start + size), row * size);
  }
  return rows;
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, size: number): number {
  let sum = 0;
  for (let d = 0; d < size; d++) sum += a[i * size + d] * b[j * size + d];
  return sum;
}

function headOf(inputs: readonly HostArray[], head: number): Head {
  const [, length, , size] = inputs[0].shape;
  const known = heads.get(inputs[0]) ?? new Map<number, Head>();
  heads.set(inputs[0], known);
  let made = known.get(head);
  if (made) return made;
  const [query, key, value] = inputs.map((x) => rowsOf(x, head));
  const logSums = new Float64Array(length);
  const result = new Float64Array(length * size);
  for (let t = 0; t < length; t++) {
    // The logits are small here: nothing overflows.
    const weights = Array.from(
      { length },
      (_, s) => Math.exp(dot(query, t, key, s, size) / Math.sqrt(size)),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    logSums[t] = Math.log(total);
    weights.forEach((weight, s) => {
      for (let d = 0; d < size; d++) {
        result[t * size + d] += weight / total * value[s * size + d];
      }
    });
  }
  known.set(head, made = { query, key, value, logSums, result });
  return made;
}

/** An element of softmax(q.k / sqrt(size)) v, for arrays of `[1, length, heads, size]`. */
export function attentionElement(inputs: readonly HostArray[], position: number): number {
  const [, , count, size] = inputs[0].shape;
  const [row, head] = [Math.floor(position / size / count), Math.floor(position / size) % count];
  return headOf(inputs, head).result[row * size + position % size];
}

/** An element of the three gradients of half the sum of the result's squares, summed. */
export function attentionGradientElement(inputs: readonly HostArray[], position: number): number {
  const [, length, count, size] = inputs[0].shape;
  const [row, head] = [Math.floor(position / size / count), Math.floor(position / size) % count];
  const d = position % size;
  const { query, key, value, logSums, result } = headOf(inputs, head);
  const scale = 1 / Math.sqrt(size);
  let sum = 0;
  /** The weight of key s for query t, and its gradient through the result, whose cotangent it is itself. */
  const weightOf = (t: number, s: number): [weight: number, slope: number] => {
    const weight = Math.exp(dot(query, t, key, s, size) * scale - logSums[t]);
    const own = dot(result, t, value, s, size) - dot(result, t, result, t, size);
    return [weight, weight * own * scale];
  };
  for (let other = 0; other < length; other++) {
    sum += weightOf(row, other)[1] * key[other * size + d];
    const [weight, slope] = weightOf(other, row);
    sum += slope * query[other * size + d] + weight * result[other * size + d];
  }
  return sum;
}
