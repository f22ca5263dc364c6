// Tasks: what becomes one kernel, and the limits that keep a kernel to what drivers compile.

import type { Node, Variable } from "../ir/graph.ts";

/** One kernel (or a fixed sequence of them) and what it stores. */
export interface Task {
  /** The operation with a kernel of its own, if the task is more than an expression. */
  readonly anchor?: Node;
  /** The stored variables: the anchor's outputs, or those of the expression that follows it. */
  readonly roots: readonly Variable[];
  /** Reductions of the same rows that are one kernel; the task has no anchor of its own then. */
  readonly joint?: readonly Task[];
  /** Variables that would be stored but are read by this task alone. */
  readonly internal?: ReadonlySet<Variable>;
  /** Roots that are stored over an array that the task reads. */
  readonly updates?: ReadonlyMap<Variable, Variable>;
}

/** The tasks of a graph in order, with what they need to know of each other. */
export interface Schedule {
  readonly tasks: readonly Task[];
  /** The node of a variable that is computed in place. */
  inlined(variable: Variable): Node | undefined;
  /** The node that computes a variable, stored or not; inputs of the graph have none. */
  producer(variable: Variable): Node | undefined;
  /** The stored variable whose bytes a variable shares, where it is only another shape of it. */
  aliasOf(variable: Variable): Variable | undefined;
}

/** The stored variable whose bytes a variable is, or shares through any number of other shapes. */
export function arrayOf(variable: Variable, plan: Schedule): Variable {
  const base = plan.aliasOf(variable);
  return base ? arrayOf(base, plan) : variable;
}

/** Operations of one expression, at most: compile time grows faster than the text. */
export const largestExpression = 200;

/**
 * Computed arrays of at least so many elements that one expression may wait for: a sum of many, such as a
 * shared weight's gradients, is stored on the way, so that its terms are not all held until the last is there.
 */
export const largeArray = 2 ** 14;
export const mostHeld = 4;

/** Whether a kernel can apply an expression to its results before storing them. */
export function acceptsEpilogue(node: Node): boolean {
  const { shape } = node.outputs[0]!.aval;
  switch (node.operation.lower.kind) {
    case "reduce":
      return true;
    case "rows":
      return true;
    case "contraction":
      return shape[shape.length - 1]! % 4 === 0;
    default:
      return false;
  }
}
