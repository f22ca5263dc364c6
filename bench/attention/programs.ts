// Attention as one operation, beside the same written out as products and a softmax, which stores the matrix of
// weights: forward, and the gradient.

import { grad, type NDArray, nn, numpy as jnp } from "../../mod.ts";
import type { FunctionProgram } from "../programs.ts";
import { attentionElement, attentionGradientElement } from "./reference.ts";

/** Heads of the queries, keys and values. */
export const HEADS = 8;

/** The size of a head. */
export const HEAD_SIZE = 64;

type Attention = (q: NDArray, k: NDArray, v: NDArray) => NDArray;

const fused: Attention = (q, k, v) => nn.dotProductAttention(q, k, v);

/** What users wrote before there was one operation. */
const unfused: Attention = (q, k, v) => {
  const logits = jnp.einsum("bthd,bshd->bhts", q, k).astype("float32").mul(HEAD_SIZE ** -0.5);
  return jnp.einsum("bhts,bshd->bthd", nn.softmax(logits).astype(q.dtype), v);
};

/** The gradients of half the sum of the squares of the result, of queries, keys and values, in one sum. */
function gradientOf(attention: Attention): Attention {
  const loss: Attention = (q, k, v) => attention(q, k, v).astype("float32").square().sum().mul(0.5);
  const gradients = grad(loss, { argnums: [0, 1, 2] });
  return (q, k, v) => {
    const [ofQuery, ofKey, ofValue] = gradients(q, k, v) as [NDArray, NDArray, NDArray];
    return ofQuery.add(ofKey).add(ofValue);
  };
}

type Described = Pick<FunctionProgram, "name" | "flops" | "run" | "unfused" | "reference">;

function describe(program: Described): FunctionProgram {
  return {
    kind: "function",
    sections: ["attention"],
    sizes: [128, 256, 512, 1024],
    label: (n) => `${n} x ${HEADS} x ${HEAD_SIZE}`,
    arguments: (n) => [1, 1, 1].map((bound) => ({ shape: [1, n, HEADS, HEAD_SIZE], bound })),
    ...program,
  };
}

/** Multiplications and additions of a product of every query with every key. */
const product = (n: number): number => 2 * n * n * HEADS * HEAD_SIZE;

/** Attention forward. */
export const attention: FunctionProgram = describe({
  name: "attention",
  flops: (n) => 2 * product(n),
  run: fused,
  unfused,
  reference: attentionElement,
});

/** Attention forward and backward; what is computed again on the way back is not counted. */
export const attentionGradient: FunctionProgram = describe({
  name: "attention gradient",
  flops: (n) => 6 * product(n),
  run: gradientOf(fused),
  unfused: gradientOf(unfused),
  reference: attentionGradientElement,
});
