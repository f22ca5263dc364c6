// Expressions around a task's kernel: what it reads in place of stored arrays, and what it applies before
// it stores.

import { sizeOf } from "../core/shape.ts";
import type { Variable } from "../ir/graph.ts";
import { elementwiseKernel, outputName } from "../../kernels/elementwise.ts";
import type { Fragment } from "../../kernels/fragment.ts";
import { type StorageFormat, storageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { buildExpression, type Expression } from "./expression.ts";
import type { Step } from "./plan.ts";
import type { Schedule, Task } from "./task.ts";

/** The node of a variable that is computed in place; a task's own roots are, although they are stored. */
function inlinedFor(task: Task, plan: Schedule): (v: Variable) => ReturnType<Schedule["inlined"]> {
  const own = new Set([...task.roots, ...task.internal ?? []]);
  return (v) => plan.inlined(v) ?? (own.has(v) ? plan.producer(v) : undefined);
}

/** How a task's results are stored. */
export function outputFormats(task: Task, target: Target): StorageFormat[] {
  return task.roots.map((v) => storageFormat(v.aval.dtype, target));
}

/** The expression that a kernel applies to its results, where it does; the kernel's own result is its anchor. */
export function epilogueOf(
  task: Task,
  plan: Schedule,
  target: Target,
  prefix = "q",
): { fragment: Fragment | undefined; operands: readonly Variable[] } {
  const [result] = task.anchor!.outputs as [Variable];
  if (task.roots.length === 1 && task.roots[0] === result) {
    return { fragment: undefined, operands: [] };
  }
  return buildExpression({
    roots: task.roots,
    shape: task.roots[0]!.aval.shape,
    anchors: [result],
    aligned: true,
    inlined: inlinedFor(task, plan),
    target,
    prefix,
  });
}

/** The expressions that a kernel reads over `request.shape`, rounded as if they had been stored. */
export function prologueOf(
  roots: readonly Variable[],
  plan: Schedule,
  request: Pick<Parameters<typeof buildExpression>[0], "shape" | "movement" | "aligned" | "target">,
): Expression {
  return buildExpression({
    ...request,
    roots,
    inlined: (v) => plan.inlined(v),
    prefix: "p",
    roundResults: true,
  });
}

/** The kernel of a task that is nothing but an expression. */
export function lowerElementwise(task: Task, plan: Schedule, target: Target): Step[] {
  const { roots, updates } = task;
  const { shape } = roots[0]!.aval;
  const updated = new Map(
    [...updates ?? []].map(([root, v]) => [v, outputName(roots.indexOf(root))]),
  );
  const { fragment, operands } = buildExpression({
    roots,
    shape,
    aligned: true,
    inlined: inlinedFor(task, plan),
    target,
    prefix: "e",
    updated,
  });
  const outputs = roots.map((v) => ({
    format: storageFormat(v.aval.dtype, target),
    inPlace: updates?.has(v),
  }));
  const kernel = elementwiseKernel({ size: sizeOf(shape), fragment, outputs }, target);
  return [{ kernel, arrays: [...operands, ...roots], updates }];
}
