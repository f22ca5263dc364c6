// Merging: expressions of one shape that share what they read, or of which one reads what another stores,
// become one kernel that reads it once. A merged task runs where the first of its expressions stood, or where
// the last did if nothing has read the others' results by then. An expression of a product's result joins the
// product's kernel, also where both are stored: an activation, say, whose input the backward pass needs.

import { sameShape, sizeOf } from "../core/shape.ts";
import type { Node, Variable } from "../ir/graph.ts";
import { Lifetimes, type LifetimesRequest } from "./lifetimes.ts";
import { type Reads, readsOf } from "./reads.ts";
import { acceptsEpilogue, largeArray, largestExpression, mostHeld, type Task } from "./task.ts";

/** What merging must know of the program. */
export interface MergeRequest extends LifetimesRequest {
  /** Arrays that a merged kernel may bind. */
  readonly mostArrays: number;
}

/** Expressions that become one kernel. */
interface Group {
  /** The operation that the kernel is for, and that the expressions follow. */
  readonly anchor?: Node;
  position: number;
  readonly tasks: Task[];
  readonly roots: Variable[];
  /** What it reads, and whether only in order; see {@linkcode Reads}. */
  readonly reads: Map<Variable, boolean>;
  readonly updates: Map<Variable, Variable>;
  operations: number;
}

/** The tasks with expressions merged, in an order in which everything is stored before it is read. */
export function mergeExpressions(request: MergeRequest): readonly Task[] {
  return new Merger(request).run();
}

/** Whether a task's kernel can store more than its operation's result. */
function canLead({ anchor }: Task): boolean {
  const kind = anchor?.operation.lower.kind;
  return (kind === "contraction" || kind === "rows") && acceptsEpilogue(anchor!);
}

class Merger {
  readonly #request: MergeRequest;
  readonly #lifetimes: Lifetimes;
  /** In order; a group that moved down leaves a gap. */
  readonly #placed: (Group | Task | undefined)[] = [];
  /** The last group that reads or stores a variable. */
  readonly #meeting = new Map<Variable, Group>();

  constructor(request: MergeRequest) {
    this.#request = request;
    this.#lifetimes = new Lifetimes(request);
  }

  run(): readonly Task[] {
    const { planned } = this.#request;
    const tasks = planned.tasks.map((task) => ({ task, reads: readsOf(task, planned) }));
    tasks.forEach(({ reads }) => this.#lifetimes.expect(reads));
    tasks.forEach(({ task, reads }) => this.#place(task, reads));
    return this.#placed.filter((place) => place !== undefined).map((place) =>
      "tasks" in place ? this.#taskOf(place) : place
    );
  }

  /** A group as one task; the task itself where nothing joined it and nothing is updated in place. */
  #taskOf({ anchor, position, tasks, roots, updates }: Group): Task {
    if (tasks.length === 1 && updates.size === 0) return tasks[0]!;
    // What only the group reads need not be stored: it is computed where it is used.
    const internal = new Set(roots.filter((v) => this.#lifetimes.isInternal(v, position)));
    const stored = roots.filter((v) => !internal.has(v));
    return {
      anchor,
      roots: stored,
      internal,
      updates: new Map([...updates].filter(([root]) => !internal.has(root))),
    };
  }

  #place(task: Task, reads: Reads): void {
    let position = this.#placed.length;
    if (canLead(task)) this.#lead(task, reads);
    else if (task.anchor || reads.barrier) this.#placed.push(task);
    else {
      const group = this.#groupFor(task, reads);
      position = group.position;
      this.#join(group, task, reads);
    }
    this.#lifetimes.place(task, reads, position);
  }

  /** A group that the task can join, where it then stands, or a new one. */
  #groupFor(task: Task, reads: Reads): Group {
    for (const group of this.#candidates(task, reads)) {
      const position = this.#meetingPlace(group, task, reads);
      if (position === undefined) continue;
      if (position !== group.position) this.#moveDown(group, position);
      return group;
    }
    return this.#open();
  }

  /** A product or a row operation begins a group: what is made of its results may join. */
  #lead(task: Task, reads: Reads): void {
    const group = this.#open(task.anchor);
    group.tasks.push(task);
    group.roots.push(...task.roots);
    reads.variables.forEach((_, v) => group.reads.set(v, false));
    task.roots.forEach((v) => this.#meeting.set(v, group));
  }

  #open(anchor?: Node): Group {
    const group: Group = {
      anchor,
      position: this.#placed.length,
      tasks: [],
      roots: [],
      reads: new Map(),
      updates: new Map(),
      operations: 0,
    };
    this.#placed.push(group);
    return group;
  }

  #join(group: Group, task: Task, reads: Reads): void {
    for (const [root, v] of this.#updates(group, task, reads, group.position)) {
      group.updates.set(root, v);
      this.#lifetimes.update(v, group.position);
    }
    group.tasks.push(task);
    group.roots.push(...task.roots);
    group.operations += reads.operations;
    for (const [v, inOrder] of reads.variables) {
      group.reads.set(v, inOrder && (group.reads.get(v) ?? true));
      this.#meeting.set(v, group);
    }
    task.roots.forEach((v) => this.#meeting.set(v, group));
  }

  /** Groups worth joining: those of the task's shape that read or store what it reads. */
  #candidates(task: Task, { variables }: Reads): Group[] {
    const { shape } = task.roots[0]!.aval;
    const isMet = (group: Group | undefined): group is Group =>
      group !== undefined && sameShape(group.roots[0]!.aval.shape, shape);
    return [...new Set([...variables.keys()].map((v) => this.#meeting.get(v)).filter(isMet))];
  }

  /** The position at which a group and a task can be one, if there is any. */
  #meetingPlace(group: Group, task: Task, reads: Reads): number | undefined {
    if (group.operations + reads.operations > largestExpression) return undefined;
    let position = group.position;
    for (const [v, inOrder] of reads.variables) {
      const stored = this.#lifetimes.positionOf(v);
      if (stored === group.position) {
        if (!inOrder || !group.roots.includes(v)) return undefined;
      } else if (stored > group.position) position = this.#placed.length;
    }
    if (position !== group.position && !this.#canMoveDown(group, reads)) return undefined;
    const fits = this.#bindings(group, task, reads, position) <= this.#request.mostArrays;
    return fits ? position : undefined;
  }

  /** Whether nothing has read what a group stores, nor stored over what it reads, which is not held for long. */
  #canMoveDown({ anchor, position, roots, reads }: Group, others: Reads): boolean {
    if (anchor) return false;
    const read = new Set([...reads.keys(), ...others.variables.keys()]);
    const held = [...read].filter((v) =>
      sizeOf(v.aval.shape) >= largeArray && this.#lifetimes.positionOf(v) >= 0 && !roots.includes(v)
    );
    return held.length <= mostHeld && !this.#lifetimes.isReadAfter(roots, position) &&
      !this.#lifetimes.isUpdatedAfter(reads.keys(), position);
  }

  #moveDown(group: Group, position: number): void {
    this.#placed[group.position] = undefined;
    this.#placed.push(group);
    group.position = position;
    this.#lifetimes.move(group.roots, group.reads.keys(), position);
    group.updates.forEach((v) => this.#lifetimes.update(v, position));
  }

  #updates(
    group: Group,
    task: Task,
    reads: Reads,
    position: number,
  ): Map<Variable, Variable> {
    return group.anchor ? new Map() : this.#lifetimes.updatesOf(task, reads, position, group.reads);
  }

  /** Arrays that the group would bind: what it only reads, and what it stores. */
  #bindings(group: Group, task: Task, reads: Reads, position: number): number {
    const made = [...group.roots, ...task.roots];
    const stored = made.filter((v) => !this.#lifetimes.isInternal(v, position, reads));
    const updates = this.#updates(group, task, reads, position);
    const updated = [...group.updates.values(), ...updates.values()];
    const free = new Set([...made, ...updated]);
    const read = new Set([...group.reads.keys(), ...reads.variables.keys()]);
    return stored.length + [...read].filter((v) => !free.has(v)).length;
  }
}
