// Expansion: composites become the operations they stand for, and contractions the one form that kernels
// know. What has a fused kernel for its shapes stays whole.

import { isHalf } from "../core/dtype.ts";
import { sameShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { dotGeneral, type DotParams, freeAxes } from "../ops/contraction.ts";
import { broadcastTo, reshape, transpose } from "../ops/movement.ts";
import { hasWholeHeads, withWholeHeads } from "./lower_attention.ts";
import { Rewriter } from "./rewrite.ts";

/** Decides which composites and row operations have a kernel of their own. */
export type HasKernel = (node: Node) => boolean;

/** Rewrites a graph until every node is something that a backend runs. */
export function expand(graph: Graph, hasKernel: HasKernel): Graph {
  const rewriter = new Rewriter();
  const visit = (node: Node): void => {
    const { lower } = node.operation;
    const mayStay = lower.kind === "rows" || lower.kind === "attention";
    if (lower.kind === "composite" || (mayStay && !hasKernel(node))) {
      rewriter.inline(
        decomposition(node, (inputs) => lower.decompose(inputs, node.params)),
        node,
        visit,
      );
    } else if (lower.kind === "contraction" && hasKernel(node) && !isCanonical(node)) {
      rewriter.inline(decomposition(node, (inputs) => [canonicalDot(inputs, node)]), node, visit);
    } else if (lower.kind === "attention" && !hasWholeHeads(node)) {
      rewriter.inline(decomposition(node, (inputs) => withWholeHeads(inputs, node)), node, visit);
    } else rewriter.copy(node);
  };
  graph.nodes.forEach(visit);
  return rewriter.finish(graph);
}

function decomposition(node: Node, body: (inputs: readonly Value[]) => readonly Value[]): Graph {
  return traceGraph((...inputs) => body(inputs), node.inputs.map((v) => v.aval));
}

/** Whether a contraction is [batch..., m, k] by [batch..., k, n], stored in whole words. */
function isCanonical(node: Node): boolean {
  const params = node.params as DotParams;
  const [a, b] = node.inputs.map((v) => v.aval.shape) as [Shape, Shape];
  const { contracting: [ca, cb], batch: [ba, bb] } = params;
  const rank = a.length;
  const leading = (axes: readonly number[]) => axes.every((axis, i) => axis === i);
  return rank === b.length && ba.length === rank - 2 && leading(ba) && leading(bb) &&
    !hasNoProducts(node) && ca.length === 1 && ca[0] === rank - 1 && cb[0] === rank - 2 &&
    storesWholeWords(node);
}

/** Sums of nothing are 0: no kernel runs over an operand without elements. */
function hasNoProducts(node: Node): boolean {
  return node.inputs.some((v) => sizeOf(v.aval.shape) === 0);
}

/** 16-bit rows of odd length share words between rows, so such products are stored in float32 first. */
function storesWholeWords(node: Node): boolean {
  const { dtype, shape } = node.outputs[0]!.aval;
  return !isHalf(dtype) || shape[shape.length - 1]! % 4 === 0;
}

function canonicalDot([a, b]: readonly Value[], node: Node): Value {
  const params = node.params as DotParams;
  const { contracting: [ca, cb], batch: [ba, bb] } = params;
  const output = node.outputs[0]!.aval;
  if (hasNoProducts(node)) return broadcastTo(constant(0, output.dtype), output.shape);
  const sizes = (v: Value, axes: readonly number[]) => axes.map((axis) => v.aval.shape[axis]!);
  const product = (extents: readonly number[]) => extents.reduce((x, y) => x * y, 1);
  const fa = freeAxes(a!.aval.shape.length, ca, ba);
  const fb = freeAxes(b!.aval.shape.length, cb, bb);
  const batch = sizes(a!, ba);
  const [m, n, k] = [product(sizes(a!, fa)), product(sizes(b!, fb)), product(sizes(a!, ca))];
  const left = reshape(transpose(a!, [...ba, ...fa, ...ca]), [...batch, m, k]);
  const right = reshape(transpose(b!, [...bb, ...cb, ...fb]), [...batch, k, n]);
  const rank = batch.length + 2;
  const canonical: DotParams = {
    contracting: [[rank - 1], [rank - 2]],
    batch: [ba.map((_, i) => i), bb.map((_, i) => i)],
    preferredElementType: isHalf(output.dtype) && n % 4 !== 0 ? "float32" : output.dtype,
  };
  const out = dotGeneral(left, right, canonical);
  const shaped = sameShape(out.aval.shape, output.shape) ? out : reshape(out, output.shape);
  return astype(shaped, output.dtype);
}
