// Row operations as kernels: softmax and its kin, and normalization, over the last axis.

import { sizeOf } from "../core/shape.ts";
import type { Node } from "../ir/graph.ts";
import type { RowKernel } from "../ir/operation.ts";
import type { NormGradientParams, NormParams } from "../ops/normalization.ts";
import type { Kernel } from "../../kernels/kernel.ts";
import { layerNormKernel, rmsNormKernel } from "../../kernels/rows/normalize.ts";
import {
  layerNormGradientKernel,
  rmsNormGradientKernel,
} from "../../kernels/rows/normalize_gradient.ts";
import {
  rowsAreAligned,
  type RowsDescription,
  supportsRows,
} from "../../kernels/rows/row_kernel.ts";
import { logSoftmaxKernel, logSumExpKernel, softmaxKernel } from "../../kernels/rows/softmax.ts";
import {
  logSoftmaxGradientKernel,
  softmaxGradientKernel,
} from "../../kernels/rows/softmax_gradient.ts";
import { storageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { epilogueOf, outputFormats, prologueOf } from "./lower_expression.ts";
import type { Step } from "./plan.ts";
import type { Schedule, Task } from "./task.ts";

/** Whether a row operation's rows suit the kernels; others, rows without elements among them, are decomposed. */
export function hasRowKernel(node: Node, target: Target): boolean {
  return rowLength(node) > 0 && supportsRows(rowLength(node), target);
}

function rowLength(node: Node): number {
  const { shape } = node.inputs[0]!.aval;
  return shape[shape.length - 1]!;
}

/** The kernel of a row operation. */
export function lowerRows(task: Task, plan: Schedule, target: Target): Step[] {
  const node = task.anchor!;
  const { lower } = node.operation;
  if (lower.kind !== "rows") throw new Error(`${lower.kind} is not a row operation`);
  const { shape } = node.inputs[0]!.aval;
  const length = rowLength(node);
  const input = prologueOf(node.inputs.slice(0, lower.rowInputs), plan, {
    shape,
    aligned: rowsAreAligned(length),
    target,
  });
  // What there is one of for each row the kernel stores as it is.
  const [, ...statistics] = node.outputs;
  const elements = { ...task, roots: task.roots.filter((v) => !statistics.includes(v)) };
  const epilogue = epilogueOf(elements, plan, target);
  const kernel = rowsKernel(lower.kernel, node, {
    rows: sizeOf(shape) / length,
    length,
    input: input.fragment,
    outputs: outputFormats(elements, target),
    epilogue: epilogue.fragment,
  }, target);
  const operands = [...node.inputs.slice(lower.rowInputs), ...epilogue.operands];
  return [{
    kernel,
    arrays: [...input.operands, ...operands, ...elements.roots, ...statistics],
  }];
}

function rowsKernel(
  kernel: RowKernel,
  node: Node,
  description: RowsDescription,
  target: Target,
): Kernel {
  switch (kernel) {
    case "softmax":
      return softmaxKernel(description, target);
    case "softmaxGradient":
      return softmaxGradientKernel(description, target);
    case "logSoftmax":
      return logSoftmaxKernel(description, target);
    case "logSoftmaxGradient":
      return logSoftmaxGradientKernel(description, target);
    case "logSumExp":
      return logSumExpKernel(description, target);
    case "layerNorm":
      return layerNormKernel({ ...description, ...normOperands(node, target) }, target);
    case "layerNormGradient":
      return layerNormGradientKernel({ ...description, eps: epsOf(node) }, target);
    case "rmsNorm":
      return rmsNormKernel({ ...description, ...normOperands(node, target) }, target);
    case "rmsNormGradient":
      return rmsNormGradientKernel({ ...description, eps: epsOf(node) }, target);
  }
}

function epsOf(node: Node): number {
  return (node.params as NormGradientParams).eps;
}

/** How the scale and the bias that a normalization has are stored; they follow its input. */
function normOperands(node: Node, target: Target) {
  const { eps, hasScale, hasBias } = node.params as NormParams;
  const format = (index: number) => storageFormat(node.inputs[index]!.aval.dtype, target);
  return {
    eps,
    scale: hasScale ? format(1) : undefined,
    bias: hasBias ? format(hasScale ? 2 : 1) : undefined,
  };
}
