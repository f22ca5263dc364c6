// Attention as kernels: which shapes they take, and how the others are brought to such.

import { sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import type { Node } from "../ir/graph.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import {
  attentionExtents,
  attentionInputs,
  type AttentionParams,
} from "../ops/attention_arguments.ts";
import { constant } from "../ops/constant.ts";
import { pad, slice } from "../ops/movement.ts";
import {
  type AttentionDescription,
  backwardSteps,
  forwardSteps,
  type LogitsArray,
  supportsAttention,
} from "../../kernels/attention/attention.ts";
import type { KernelSequence } from "../../kernels/sequence.ts";
import { storageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";

function kernelOf({ operation: { lower, name } }: Node): "forward" | "backward" {
  if (lower.kind === "attention") return lower.kernel;
  throw new Error(`${name} is not attention`);
}

/** Whether there are kernels for an attention; others are decomposed. */
export function hasAttentionKernel(node: Node, target: Target): boolean {
  return node.inputs.slice(0, 3).every((v) => sizeOf(v.aval.shape) > 0) &&
    supportsAttention(describe(node, target), kernelOf(node), target);
}

/** Heads of whole vectors, which the kernels need. */
function wholeHead(headSize: number): number {
  return Math.ceil(headSize / 4) * 4;
}

/** Whether the kernels take an attention as it is, once {@linkcode hasAttentionKernel} holds. */
export function hasWholeHeads({ inputs }: Node): boolean {
  const headSize = inputs[0]!.aval.shape[3]!;
  return headSize === wholeHead(headSize);
}

/** An attention over heads with zeros at their ends, which change no product. */
export function withWholeHeads(inputs: readonly Value[], node: Node): readonly Value[] {
  const headSize = inputs[0]!.aval.shape[3]!;
  const missing = wholeHead(headSize) - headSize;
  // Queries, keys, values and cotangents have heads; sums over rows have three axes.
  const { hasBias, hasMask } = node.params as AttentionParams;
  const arrays = Number(hasBias) + Number(hasMask);
  const hasHeads = (i: number, x: Value) => x.aval.shape.length === 4 && (i < 3 || i >= 3 + arrays);
  const padded = inputs.map((x, i) =>
    hasHeads(i, x) ? pad(x, constant(0, x.aval.dtype), [0, 0, 0, 0], [0, 0, 0, missing]) : x
  );
  return bind(node.operation, node.params, ...padded).map((x) => {
    const { shape } = x.aval;
    if (shape.length !== 4) return x;
    return slice(x, [0, 0, 0, 0], [1, 1, 1, 1], [...shape.slice(0, 3), headSize]);
  });
}

/** The kernels of an attention. */
export function attentionSequence(node: Node, target: Target): KernelSequence {
  const steps = kernelOf(node) === "forward" ? forwardSteps : backwardSteps;
  return steps(describe(node, target), target);
}

function describe(node: Node, target: Target): AttentionDescription {
  const params = node.params as AttentionParams;
  const { query, key, bias, mask } = attentionInputs(node.inputs.map((v) => v.aval), params);
  const extents = attentionExtents(query.shape, key.shape);
  return {
    ...extents,
    headSize: wholeHead(extents.headSize),
    format: storageFormat(query.dtype, target),
    scale: params.scale,
    isCausal: params.isCausal,
    bias: bias && logitsArray(bias, target),
    mask: mask && logitsArray(mask, target),
  };
}

/** Axes of extent 1 are the same everywhere. */
function logitsArray({ shape, dtype }: Aval, target: Target): LogitsArray {
  const strides = shape.map((extent, axis) => extent === 1 ? 0 : sizeOf(shape.slice(axis + 1)));
  return {
    format: storageFormat(dtype, target),
    strides: strides as [number, number, number, number],
  };
}
