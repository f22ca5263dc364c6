// Contractions as matmul kernels: operands are read through their views, casts included, and what follows
// is applied before the store.

import type { View } from "../core/view.ts";
import type { Node, Variable } from "../ir/graph.ts";
import type { MatmulDescription, MatmulOperand } from "../../kernels/matmul/matmul.ts";
import { defaultTile, matmulKernel } from "../../kernels/matmul/matmul.ts";
import { storageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { type ContractionOperand, contractionOperand } from "./contraction_operand.ts";
import { epilogueOf, outputFormats } from "./lower_expression.ts";
import type { Step } from "./plan.ts";
import type { Schedule, Task } from "./task.ts";

/** The kernel of a contraction in canonical form, [batch..., m, k] by [batch..., k, n]. */
export function lowerContraction(task: Task, plan: Schedule, target: Target): Step[] {
  const node = task.anchor!;
  const [a, b] = node.inputs.map((v) => operandOf(v, plan)) as [
    ContractionOperand,
    ContractionOperand,
  ];
  const epilogue = epilogueOf(task, plan, target);
  const description: MatmulDescription = {
    ...extentsOf(node),
    batch: batchOf(a.view, b.view),
    a: matmulOperand(a, target),
    b: matmulOperand(b, target),
    outputs: outputFormats(task, target),
    epilogue: epilogue.fragment,
  };
  const kernel = matmulKernel(description, defaultTile(description, target), target);
  return [{ kernel, arrays: [a.base, b.base, ...epilogue.operands, ...task.roots] }];
}

/** The stored array and the view of it that an operand is; scheduling has made sure that there is one. */
function operandOf(variable: Variable, plan: Schedule): ContractionOperand {
  const operand = contractionOperand(variable, plan.inlined);
  if (!operand) throw new Error("the operand of a contraction is neither stored nor a simple view");
  return operand;
}

function extentsOf(node: Node): { m: number; n: number; k: number } {
  const [a, b] = node.inputs.map((v) => v.aval.shape) as [readonly number[], readonly number[]];
  return { m: a[a.length - 2]!, n: b[b.length - 1]!, k: a[a.length - 1]! };
}

function batchOf(a: View, b: View): MatmulDescription["batch"] {
  return a.shape.slice(0, -2).map((extent, axis) => ({
    extent,
    aStride: a.strides[axis]!,
    bStride: b.strides[axis]!,
  }));
}

function matmulOperand(
  { base, view, roundTo, unit }: ContractionOperand,
  target: Target,
): MatmulOperand {
  const rank = view.shape.length;
  return {
    format: storageFormat(base.aval.dtype, target),
    // Rounding what is stored in that type already would change nothing.
    roundTo: roundTo === base.aval.dtype ? undefined : roundTo,
    layout: unit === "last" ? "rows" : "columns",
    stride: view.strides[unit === "last" ? rank - 2 : rank - 1]!,
    offset: view.offset,
  };
}
