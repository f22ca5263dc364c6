// Lowering: one task becomes the kernels that compute it.

import { sizeOf } from "../core/shape.ts";
import type { Node } from "../ir/graph.ts";
import type { Target } from "../../kernels/target.ts";
import { hasAttentionKernel } from "./lower_attention.ts";
import { lowerContraction } from "./lower_contraction.ts";
import { lowerElementwise } from "./lower_expression.ts";
import { lowerKernel } from "./lower_kernel.ts";
import { lowerArgReduce, lowerReductions } from "./lower_reduce.ts";
import { hasRowKernel, lowerRows } from "./lower_rows.ts";
import type { Step } from "./plan.ts";
import type { Schedule, Task } from "./task.ts";

/** Whether an operation that could be decomposed has a kernel for its shapes. */
export function hasKernel(node: Node, target: Target): boolean {
  const { kind } = node.operation.lower;
  return kind === "contraction" || (kind === "rows" && hasRowKernel(node, target)) ||
    (kind === "attention" && hasAttentionKernel(node, target));
}

/** The kernels of one task in order. Nothing runs for results without elements. */
export function lowerTask(task: Task, plan: Schedule, target: Target): Step[] {
  if (task.roots.every((v) => sizeOf(v.aval.shape) === 0)) return [];
  if (task.joint) return lowerReductions(task.joint, plan, target);
  switch (task.anchor?.operation.lower.kind) {
    case undefined:
      return lowerElementwise(task, plan, target);
    case "contraction":
      return lowerContraction(task, plan, target);
    case "reduce":
      return lowerReductions([task], plan, target);
    case "rows":
      return lowerRows(task, plan, target);
    case "argReduce":
      return lowerArgReduce(task, plan, target);
    case "attention":
    case "kernel":
      return lowerKernel(task, target);
    default:
      throw new Error(`no kernel lowers ${task.anchor!.operation.name}`);
  }
}
