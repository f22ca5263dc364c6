// Lifetimes of stored arrays while tasks are put in order: which are read for the last time. A result may be
// stored over an array that its kernel reads if nothing reads that later, so a donated parameter, or a
// temporary, is updated where it lies; and what only its own kernel reads need not be stored at all.

import { sameShape, sizeOf } from "../core/shape.ts";
import type { Variable } from "../ir/graph.ts";
import type { Reads } from "./reads.ts";
import { arrayOf, type Schedule, type Task } from "./task.ts";

/** The program whose tasks are put in order. */
export interface LifetimesRequest {
  readonly planned: Schedule;
  readonly outputs: readonly Variable[];
  /** Inputs whose memory results may take over. */
  readonly donated: readonly Variable[];
}

/** Follows which tasks have been placed where. */
export class Lifetimes {
  readonly #planned: Schedule;
  readonly #donated: ReadonlySet<Variable>;
  readonly #outputs: ReadonlySet<Variable>;
  /** The arrays that outputs are, or share the bytes of. */
  readonly #kept: ReadonlySet<Variable>;
  /** How many tasks read an array and are not placed yet. */
  readonly #waiting = new Map<Variable, number>();
  /** The last position at which an array is read. */
  readonly #lastRead = new Map<Variable, number>();
  readonly #positions = new Map<Variable, number>();
  /** Where an array is stored over. */
  readonly #updated = new Map<Variable, number>();

  constructor({ planned, outputs, donated }: LifetimesRequest) {
    this.#planned = planned;
    this.#donated = new Set(donated);
    this.#outputs = new Set(outputs);
    this.#kept = new Set(outputs.map((v) => this.#arrayOf(v)));
  }

  /** Counts a task among those that will read its operands. All are counted before the first is placed. */
  expect(reads: Reads): void {
    for (const array of this.#arraysOf(reads)) {
      this.#waiting.set(array, (this.#waiting.get(array) ?? 0) + 1);
    }
  }

  /** Notes at which position a task runs. */
  place(task: Task, reads: Reads, position: number): void {
    for (const array of this.#arraysOf(reads)) {
      this.#waiting.set(array, this.#waiting.get(array)! - 1);
      this.#lastRead.set(array, Math.max(this.#lastRead.get(array) ?? -1, position));
    }
    task.roots.forEach((v) => this.#positions.set(v, position));
  }

  /** Notes that the kernel at a position stores over an array. */
  update(variable: Variable, position: number): void {
    this.#updated.set(this.#arrayOf(variable), position);
  }

  /** Notes that what stores and reads these stands at a later position now. */
  move(stored: Iterable<Variable>, read: Iterable<Variable>, position: number): void {
    for (const v of stored) this.#positions.set(v, position);
    for (const v of read) this.#lastRead.set(this.#arrayOf(v), position);
  }

  /** Whether anything placed after a position reads one of these. */
  isReadAfter(variables: Iterable<Variable>, position: number): boolean {
    return [...variables].some((v) => (this.#lastRead.get(this.#arrayOf(v)) ?? -1) > position);
  }

  /** Whether anything placed after a position stores over one of these. */
  isUpdatedAfter(variables: Iterable<Variable>, position: number): boolean {
    return [...variables].some((v) => (this.#updated.get(this.#arrayOf(v)) ?? -1) > position);
  }

  /** Where an array is stored: the position of its task, or -1 for the program's inputs. */
  positionOf(variable: Variable): number {
    return this.#positions.get(this.#arrayOf(variable)) ?? -1;
  }

  /**
   * The results of a task, were it placed at `position`, that may be stored over operands.
   * @param meets what the kernel at that position reads already, and whether only in order.
   */
  updatesOf(
    task: Task,
    reads: Reads,
    position: number,
    meets: ReadonlyMap<Variable, boolean>,
  ): Map<Variable, Variable> {
    const updates = new Map<Variable, Variable>();
    for (const [v, inOrder] of reads.variables) {
      if (!inOrder || !this.#isLastRead(v, position, meets)) continue;
      const root = task.roots.find((r) => !updates.has(r) && this.#mayHold(v, r));
      if (root) updates.set(root, v);
    }
    return updates;
  }

  /** Whether only the kernel at `position`, which stores it, reads a variable; `task` is about to go there. */
  isInternal(variable: Variable, position: number, task?: Reads): boolean {
    if (this.#kept.has(variable)) return false;
    const reads = task?.variables.has(variable) ? 1 : 0;
    const last = this.#lastRead.get(variable) ?? -1;
    return this.#waiting.get(variable) === reads && (reads > 0 || last >= 0) && last <= position;
  }

  #isLastRead(v: Variable, position: number, meets: ReadonlyMap<Variable, boolean>): boolean {
    if (this.#arrayOf(v) !== v || this.#kept.has(v) || this.#waiting.get(v) !== 1) return false;
    if (this.positionOf(v) >= position) return false;
    const last = this.#lastRead.get(v) ?? -1;
    return last < position || (last === position && meets.get(v) === true);
  }

  /** Results of the program go into donated arguments, temporaries into temporaries. */
  #mayHold(v: Variable, root: Variable): boolean {
    const { shape, dtype } = root.aval;
    // A single element is read as a scalar, however it lies.
    if (sizeOf(shape) === 1) return false;
    if (v.aval.dtype !== dtype || !sameShape(v.aval.shape, shape)) return false;
    return this.#outputs.has(root) ? this.#donated.has(v) : this.#positions.has(v);
  }

  #arraysOf({ variables }: Reads): Set<Variable> {
    return new Set([...variables.keys()].map((v) => this.#arrayOf(v)));
  }

  #arrayOf(variable: Variable): Variable {
    return arrayOf(variable, this.#planned);
  }
}
