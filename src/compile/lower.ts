// Lowering: one task becomes the kernels that compute it.

import { sizeOf } from "../core/shape.ts";
import type { Node } from "../ir/graph.ts";
import { elementwiseKernel } from "../../kernels/elementwise.ts";
import { storageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { buildExpression } from "./expression.ts";
import type { Step } from "./plan.ts";
import type { Schedule, Task } from "./schedule.ts";

/** Whether an operation that could be decomposed has a kernel for its shapes. */
export function hasKernel(node: Node, _target: Target): boolean {
  return node.operation.lower.kind === "contraction";
}

/** The kernels of one task in order. Nothing runs for results without elements. */
export function lowerTask(task: Task, plan: Schedule, target: Target): Step[] {
  if (task.roots.every((v) => sizeOf(v.aval.shape) === 0)) return [];
  const kind = task.anchor?.operation.lower.kind;
  switch (kind) {
    case undefined:
      return lowerElementwise(task, plan, target);
    default:
      throw new Error(`no kernel lowers ${task.anchor!.operation.name}`);
  }
}

function lowerElementwise(task: Task, plan: Schedule, target: Target): Step[] {
  const { shape } = task.roots[0]!.aval;
  const { fragment, operands } = buildExpression({
    roots: task.roots,
    shape,
    aligned: true,
    // A stored root is computed here all the same: it is what the kernel is for.
    inlined: (v) => plan.inlined(v) ?? (task.roots.includes(v) ? plan.producer(v) : undefined),
    target,
    prefix: "e",
  });
  const outputs = task.roots.map((v) => storageFormat(v.aval.dtype, target));
  const kernel = elementwiseKernel({ size: sizeOf(shape), fragment, outputs }, target);
  return [{ kernel, arrays: [...operands, ...task.roots] }];
}
