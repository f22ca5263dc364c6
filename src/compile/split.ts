// Splitting: where an expression reads more arrays than a kernel can bind, a value in its middle is stored.

import type { Node, Variable } from "../ir/graph.ts";
import type { Target } from "../../kernels/target.ts";
import type { Schedule, Task } from "./task.ts";

/** The in-place value of a task that reads the most arrays that still fit into a kernel of their own. */
export function variableToStore(task: Task, plan: Schedule, target: Target): Variable {
  const leaves = new Map<Variable, Set<Variable>>();
  const nodeOf = (v: Variable): Node | undefined =>
    plan.inlined(v) ??
      (task.roots.includes(v) && plan.producer(v) !== task.anchor ? plan.producer(v) : undefined);
  const leavesOf = (variable: Variable): Set<Variable> => {
    const known = leaves.get(variable);
    if (known) return known;
    const node = nodeOf(variable);
    const found = new Set<Variable>(node ? [] : [variable]);
    node?.inputs.forEach((v) => leavesOf(v).forEach((leaf) => found.add(leaf)));
    leaves.set(variable, found);
    return found;
  };
  [...task.roots, ...(task.anchor?.inputs ?? [])].forEach(leavesOf);
  let best: Variable | undefined;
  for (const [variable, read] of leaves) {
    const fits = read.size > 1 && read.size < target.maxStorageBuffers;
    if (!fits || !plan.inlined(variable) || (task.anchor && read.has(task.anchor.outputs[0]!))) {
      continue;
    }
    if (!best || read.size > leaves.get(best)!.size) best = variable;
  }
  if (!best) {
    throw new Error("an expression binds too many arrays and has no value in its middle to store");
  }
  return best;
}
