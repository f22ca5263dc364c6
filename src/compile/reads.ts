// What a task reads: the stored variables at the ends of its expressions.

import { sameShape } from "../core/shape.ts";
import { optimizationBarrierOperation } from "../ops/gradient_control.ts";
import type { Node, Variable } from "../ir/graph.ts";
import type { Schedule, Task } from "./task.ts";

/** The stored variables that a task reads, and what its expressions are like. */
export interface Reads {
  /**
   * Each variable, and whether the task reads it element by element: the thread that computes an element
   * of the results reads that element of the variable and no other.
   */
  readonly variables: ReadonlyMap<Variable, boolean>;
  /** Operations computed in place. */
  readonly operations: number;
  /** Whether one of them forbids that the task runs earlier than it stands. */
  readonly barrier: boolean;
}

/** Finds what a task reads. */
export function readsOf(task: Task, plan: Schedule): Reads {
  const variables = new Map<Variable, boolean>();
  const visited = new Map<Variable, boolean>();
  const nodes = new Set<Node>();
  const own = new Set(task.anchor?.outputs);
  const visit = (variable: Variable, inOrder: boolean): void => {
    // A variable once reached out of order stays so; reached in order first, it is visited again.
    if (visited.get(variable) === inOrder || visited.get(variable) === false) return;
    visited.set(variable, inOrder);
    if (own.has(variable)) return;
    const node = plan.inlined(variable) ??
      (task.roots.includes(variable) ? plan.producer(variable) : undefined);
    if (!node) {
      variables.set(variable, inOrder);
      return;
    }
    nodes.add(node);
    const { shape } = variable.aval;
    const elementwise = node.operation.lower.kind === "elementwise";
    for (const v of node.inputs) {
      visit(v, inOrder && elementwise && sameShape(v.aval.shape, shape));
    }
  };
  task.roots.forEach((v) => visit(v, true));
  task.anchor?.inputs.forEach((v) => visit(v, false));
  return {
    variables,
    operations: nodes.size,
    barrier: [...nodes].some(({ operation }) => operation === optimizationBarrierOperation),
  };
}
