// Twelve transformer blocks written by hand, whose attention scores are modules of their own: a scale that is wrong
// in one of them is what the searches are to find.

import { type NDArray, nn, numpy as jnp, random } from "@zenith/jax";
import { nameScope } from "../../src/ir/trace.ts";

const layers = 12;
const features = 32;
const heads = 4;
const headSize = features / heads;

/** Parameters of one block. */
export interface BlockParams {
  readonly query: NDArray;
  readonly key: NDArray;
  readonly value: NDArray;
  readonly up: NDArray;
  readonly down: NDArray;
}

/** Logits of queries and keys. */
function attentionScores(q: NDArray, k: NDArray, scale: number): NDArray {
  const heard = (x: NDArray) =>
    x.reshape([x.shape[0]!, x.shape[1]!, heads, headSize]).transpose([0, 2, 1, 3]);
  const logits = heard(q).matmul(heard(k).transpose([0, 1, 3, 2]));
  return logits.mul(scale);
}

function block(params: BlockParams, x: NDArray, scale: number): NDArray {
  const normed = nameScope("norm1", () => nn.layerNorm(x));
  const [q, k, v] = [params.query, params.key, params.value].map((w) => normed.matmul(w)) as [
    NDArray,
    NDArray,
    NDArray,
  ];
  const scores = nameScope("scores", () => attentionScores(q, k, scale));
  // Linear attention: weights without a softmax, which infinite scores turn into NaN.
  const weights = scores.div(jnp.abs(scores).sum({ axis: -1, keepdims: true }));
  const [batch, length] = x.shape as [number, number];
  const heard = v.reshape([batch, length, heads, headSize]).transpose([0, 2, 1, 3]);
  const seen = weights.matmul(heard).transpose([0, 2, 1, 3]).reshape([batch, length, features]);
  const middle = x.add(seen);
  const again = nameScope("norm2", () => nn.layerNorm(middle));
  return middle.add(nn.gelu(again.matmul(params.up)).matmul(params.down));
}

/** Parameters of all blocks. */
export function makeStack(): BlockParams[] {
  return Array.from({ length: layers }, (_, layer) => {
    const keys = [...random.split(random.key(layer), 5)] as NDArray[];
    const weight = (i: number, n: number, m: number) =>
      random.normal(keys[i]!, [n, m]).mul(Math.sqrt(1 / n));
    return {
      query: weight(0, features, features),
      key: weight(1, features, features),
      value: weight(2, features, features),
      up: weight(3, features, 2 * features),
      down: weight(4, 2 * features, features).mul(0.3),
    };
  });
}

/** A sequence to apply the stack to. */
export function makeInput(): NDArray {
  return random.normal(random.key(100), [2, 16, features]);
}

/** The stack with the attention scale of one layer multiplied by `factor`; without a layer all are as they should be. */
export function stackWith(wrong: number | undefined, factor: number) {
  return (stack: readonly BlockParams[], x: NDArray): NDArray =>
    stack.reduce((x, params, layer) => {
      const scale = 80 * (layer === wrong ? factor : 1);
      return nameScope(`block${layer}`, () => block(params, x, scale));
    }, x);
}
