// Joint reductions: reductions of the same rows that read the same array, such as a gradient's norm and
// whether it is finite, become one kernel that reads it once. It runs where the first of them stood.

import type { Node, Variable } from "../ir/graph.ts";
import { sizeOf } from "../core/shape.ts";
import type { ReduceParams } from "../ops/reduction.ts";
import { readsOf } from "./reads.ts";
import { arrayOf, type Schedule, type Task } from "./task.ts";

/** Tasks that become one kernel, and what they read. */
interface Joint {
  readonly tasks: Task[];
  readonly reads: Set<Variable>;
}

/** The tasks with such reductions joined; `mostArrays` is how many arrays a kernel may bind. */
export function joinReductions(
  tasks: readonly Task[],
  planned: Schedule,
  mostArrays: number,
): Task[] {
  const placed: Joint[] = [];
  const positions = new Map<Variable, number>();
  /** Where an array was reduced last, by how. */
  const last = new Map<Variable, Map<string, number>>();
  for (const task of tasks) {
    const how = reductionOf(task.anchor);
    const reads = how === undefined ? [] : [...readsOf(task, planned).variables.keys()];
    const ready = Math.max(-1, ...reads.map((v) => positions.get(arrayOf(v, planned)) ?? -1));
    const fits = (at: number | undefined): at is number =>
      at !== undefined && at > ready && arraysOf(placed[at]!, task, reads) <= mostArrays;
    const position = reads.map((v) => last.get(v)?.get(how!)).find(fits) ??
      placed.push({ tasks: [], reads: new Set() }) - 1;
    placed[position]!.tasks.push(task);
    task.roots.forEach((v) => positions.set(v, position));
    for (const v of reads) {
      placed[position]!.reads.add(v);
      if (sizeOf(v.aval.shape) === 1) continue;
      const ways = last.get(v) ?? new Map<string, number>();
      last.set(v, ways.set(how!, position));
    }
  }
  return placed.map(({ tasks }) =>
    tasks.length === 1 ? tasks[0]! : { roots: tasks.flatMap(({ roots }) => roots), joint: tasks }
  );
}

/** What two reductions must have in common. */
function reductionOf(anchor: Node | undefined): string | undefined {
  if (anchor?.operation.lower.kind !== "reduce") return undefined;
  const { axes } = anchor.params as ReduceParams;
  return `${anchor.inputs[0]!.aval.shape}|${axes}`;
}

/** Arrays that a kernel would bind with one task more, each at most two ways. */
function arraysOf({ tasks, reads }: Joint, task: Task, others: readonly Variable[]): number {
  const read = new Set([...reads, ...others]);
  return 2 * read.size + [...tasks, task].flatMap(({ roots }) => roots).length;
}
