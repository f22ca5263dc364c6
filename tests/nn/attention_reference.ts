// Attention and its gradients on the host in float64, straight from the formulas: what the kernels are compared
// with.

import { type DType, isHalf } from "../../src/core/dtype.ts";
import { roundTo } from "../../src/core/half.ts";
import { type NDArray, nn, numpy as jnp, vjp } from "../../mod.ts";
import { randomSource } from "../kernels/random_elements.ts";

/** One attention to try. */
export interface AttentionCase {
  readonly batch?: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads?: number;
  readonly keyHeads?: number;
  readonly headSize: number;
  readonly isCausal?: boolean;
  readonly scale?: number;
  /** Shapes that broadcast to `[batch, heads, queries, keys]`. */
  readonly mask?: readonly number[];
  readonly bias?: readonly number[];
  /** The range of queries and keys; by default 1. */
  readonly bound?: number;
  /** Queries, counted from the first, to whom the mask shows nothing. */
  readonly blind?: number;
}

/** Elements of an array, and how to find one. */
interface HostArray {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** The inputs of a case as they are stored in a dtype. */
export interface AttentionData {
  readonly query: HostArray;
  readonly key: HostArray;
  readonly value: HostArray;
  readonly bias?: HostArray;
  readonly mask?: HostArray;
  /** The result's cotangent. */
  readonly cotangent: HostArray;
}

function complete({ batch = 1, heads = 1, keyHeads = heads, ...rest }: AttentionCase) {
  const scale = rest.scale ?? 1 / Math.sqrt(rest.headSize);
  return { ...rest, batch, heads, keyHeads, scale };
}

/** Random inputs for a case, rounded to a dtype. */
export function attentionData(at: AttentionCase, dtype: DType): AttentionData {
  const { batch, queries, keys, heads, keyHeads, headSize, bound = 1 } = complete(at);
  const next = randomSource(queries * 31 + keys);
  const random = (shape: readonly number[], largest: number): HostArray => ({
    shape,
    values: Float64Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => roundTo(dtype, largest * (next() / 2 ** 31 - 1)),
    ),
  });
  const rows = [batch, keys, keyHeads, headSize];
  const mask = at.mask && random(at.mask, 1);
  const blind = at.blind ?? 0;
  return {
    query: random([batch, queries, heads, headSize], bound),
    key: random(rows, bound),
    value: random(rows, 1),
    bias: at.bias && random(at.bias, 2),
    mask: mask && {
      shape: mask.shape,
      values: mask.values.map((x, i) => {
        const query = Math.floor(i / mask.shape[3]!) % mask.shape[2]!;
        return Number(x > -0.4 && query >= blind);
      }),
    },
    cotangent: random([batch, queries, heads, headSize], 1),
  };
}

/** An element of an array over the logits, whose axes of extent 1 repeat. */
function stretched({ shape, values }: HostArray, place: readonly number[]): number {
  const at = shape.reduce(
    (sum, extent, axis) => sum * extent + (extent === 1 ? 0 : place[axis]!),
    0,
  );
  return values[at]!;
}

/** The result and the gradients of queries, keys and values. */
export function attentionReference(at: AttentionCase, data: AttentionData): Float64Array[] {
  const { batch, queries, keys, heads, keyHeads, headSize, scale, isCausal } = complete(at);
  const { query, key, value, cotangent, bias, mask } = data;
  const results = [query, query, key, value].map((x) => new Float64Array(x.values.length));
  const [out, ofQuery, ofKey, ofValue] = results as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const dot = (a: HostArray, i: number, b: HostArray, j: number) => {
    let sum = 0;
    for (let d = 0; d < headSize; d++) sum += a.values[i + d]! * b.values[j + d]!;
    return sum;
  };
  const addRow = (to: Float64Array, i: number, weight: number, from: Float64Array, j: number) => {
    for (let d = 0; d < headSize; d++) to[i + d]! += weight * from[j + d]!;
  };
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const rowOfKey = (s: number) =>
        ((b * keys + s) * keyHeads + Math.floor(h / (heads / keyHeads))) * headSize;
      for (let t = 0; t < queries; t++) {
        const row = ((b * queries + t) * heads + h) * headSize;
        const logits = Array.from({ length: keys }, (_, s) => {
          const place = [b, h, t, s];
          if ((isCausal && s > t) || (mask && !stretched(mask, place))) return -Infinity;
          return scale * dot(query, row, key, rowOfKey(s)) + (bias ? stretched(bias, place) : 0);
        });
        const peak = logits.reduce((x, y) => Math.max(x, y), -Infinity);
        if (peak === -Infinity) continue;
        const weights = logits.map((x) => Math.exp(x - peak));
        const total = weights.reduce((x, y) => x + y, 0);
        weights.forEach((w, s) => addRow(out, row, w / total, value.values, rowOfKey(s)));
        const mean = dot(cotangent, row, { ...query, values: out }, row);
        weights.forEach((w, s) => {
          const [share, other] = [w / total, rowOfKey(s)];
          const slope = scale * share * (dot(cotangent, row, value, other) - mean);
          addRow(ofQuery, row, slope, key.values, other);
          addRow(ofKey, other, slope, query.values, row);
          addRow(ofValue, other, share, cotangent.values, row);
        });
      }
    }
  }
  return results;
}

/** The same by the library, on the backend in use. */
export function attentionResults(at: AttentionCase, data: AttentionData, dtype: DType): NDArray[] {
  const device = ({ shape, values }: HostArray, type: DType = dtype) =>
    jnp.array(Float32Array.from(values)).astype(type).reshape([...shape]);
  const options = {
    isCausal: at.isCausal,
    scale: at.scale,
    ...data.mask && { mask: device(data.mask, "bool") },
    ...data.bias && { bias: device(data.bias) },
  };
  const [out, pullback] = vjp(
    (q: NDArray, k: NDArray, v: NDArray) => nn.dotProductAttention(q, k, v, options),
    device(data.query),
    device(data.key),
    device(data.value),
  );
  return [out, ...[...pullback(device(data.cotangent))] as NDArray[]];
}

/** What is wrong with results, each element within so much of the largest one, or of 0.1: a line, or nothing. */
export async function wrongAttention(
  at: AttentionCase,
  dtype: DType,
  tolerance: number = isHalf(dtype) ? (dtype === "float16" ? 2 ** -9 : 2 ** -6) : 4e-6,
): Promise<string[]> {
  const data = attentionData(at, dtype);
  const wanted = attentionReference(at, data);
  const got = attentionResults(at, data, dtype);
  const names = ["result", "queries' gradient", "keys' gradient", "values' gradient"];
  const lines: string[] = [];
  for (const [i, array] of got.entries()) {
    const values = await array.data();
    const largest = wanted[i]!.reduce((x, y) => Math.max(x, Math.abs(y)), 0.1);
    const bad = wanted[i]!.findIndex((w, j) => !(Math.abs(values[j]! - w) <= tolerance * largest));
    if (values.length !== wanted[i]!.length || array.dtype !== dtype) {
      lines.push(`${names[i]} has another form`);
    }
    if (bad < 0) continue;
    lines.push(
      `${JSON.stringify(at)} ${dtype}: ${names[i]} [${bad}] is ${values[bad]}, wanted ${
        wanted[i]![bad]
      }`,
    );
  }
  return lines;
}
