// Row operations as kernels: softmax and its kin, and normalization, over the last axis.

import { sizeOf } from "../core/shape.ts";
import type { Node } from "../ir/graph.ts";
import type { NormParams } from "../ops/rows.ts";
import type { Kernel } from "../../kernels/kernel.ts";
import { layerNormKernel, rmsNormKernel } from "../../kernels/rows/normalize.ts";
import {
  rowsAreAligned,
  type RowsDescription,
  supportsRows,
} from "../../kernels/rows/row_kernel.ts";
import { logSoftmaxKernel, logSumExpKernel, softmaxKernel } from "../../kernels/rows/softmax.ts";
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
  const [x, ...operands] = node.inputs;
  const length = rowLength(node);
  const input = prologueOf([x!], plan, {
    shape: x!.aval.shape,
    aligned: rowsAreAligned(length),
    target,
  });
  const epilogue = epilogueOf(task, plan, target);
  const kernel = rowsKernel(node, {
    rows: sizeOf(x!.aval.shape) / length,
    length,
    input: input.fragment,
    outputs: outputFormats(task, target),
    epilogue: epilogue.fragment,
  }, target);
  return [{
    kernel,
    arrays: [...input.operands, ...operands, ...epilogue.operands, ...task.roots],
  }];
}

function rowsKernel(node: Node, description: RowsDescription, target: Target): Kernel {
  const { lower } = node.operation;
  if (lower.kind !== "rows") throw new Error(`${lower.kind} is not a row operation`);
  switch (lower.kernel) {
    case "softmax":
      return softmaxKernel(description, target);
    case "logSoftmax":
      return logSoftmaxKernel(description, target);
    case "logSumExp":
      return logSumExpKernel(description, target);
    case "layerNorm":
      return layerNormKernel({ ...description, ...normOperands(node, target) }, target);
    case "rmsNorm":
      return rmsNormKernel({ ...description, ...normOperands(node, target) }, target);
  }
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
