// Joint reductions: reductions of the same rows that read the same array, such as a gradient's norm and
// whether it is finite, become one kernel that reads it once. It runs where the first of them stood.

import type { Node, Variable } from "../ir/graph.ts";
import { sizeOf } from "../core/shape.ts";
import type { ReduceParams } from "../ops/reduction.ts";
import { readsOf } from "./reads.ts";
import type { Schedule, Task } from "./task.ts";

/** The tasks with such reductions joined; `mostArrays` is how many arrays a kernel may bind. */
export function joinReductions(
  tasks: readonly Task[],
  planned: Schedule,
  mostArrays: number,
): Task[] {
  const placed: Task[][] = [];
  const positions = new Map<Variable, number>();
  /** Where an array was first reduced, by which array and how. */
  const first = new Map<Variable, Map<string, number>>();
  for (const task of tasks) {
    const how = reductionOf(task.anchor);
    const reads = how === undefined ? [] : [...readsOf(task, planned).variables.keys()];
    const ready = Math.max(-1, ...reads.map((v) => positions.get(arrayOf(v, planned)) ?? -1));
    const fits = (at: number | undefined): at is number =>
      at !== undefined && at > ready && arraysOf([...placed[at]!, task], planned) <= mostArrays;
    const met = reads.map((v) => first.get(v)?.get(how!)).find(fits);
    const position = met ?? placed.length;
    if (met === undefined) placed.push([task]);
    else placed[met]!.push(task);
    task.roots.forEach((v) => positions.set(v, position));
    for (const v of reads) {
      if (sizeOf(v.aval.shape) === 1) continue;
      if (!first.has(v)) first.set(v, new Map());
      if (met === undefined) first.get(v)!.set(how!, position);
    }
  }
  return placed.map((joint) =>
    joint.length === 1 ? joint[0]! : { roots: joint.flatMap(({ roots }) => roots), joint }
  );
}

/** The variable whose bytes these are. */
function arrayOf(variable: Variable, planned: Schedule): Variable {
  const base = planned.aliasOf(variable);
  return base ? arrayOf(base, planned) : variable;
}

/** What two reductions must have in common. */
function reductionOf(anchor: Node | undefined): string | undefined {
  if (anchor?.operation.lower.kind !== "reduce") return undefined;
  const { axes } = anchor.params as ReduceParams;
  return `${anchor.inputs[0]!.aval.shape}|${axes}`;
}

/** Arrays that a joint kernel binds, at most two ways each. */
function arraysOf(tasks: readonly Task[], planned: Schedule): number {
  const read = new Set(tasks.flatMap((task) => [...readsOf(task, planned).variables.keys()]));
  return 2 * read.size + tasks.flatMap(({ roots }) => roots).length;
}
