// Putting steps side by side: small independent steps, as an optimizer has for every leaf of a tree, share
// a dispatch. A step moves up to the first of those it joins.

import type { Kernel } from "../../kernels/kernel.ts";
import { canShareDispatch, countWorkgroups, sideBySide } from "../../kernels/side_by_side.ts";
import type { Target } from "../../kernels/target.ts";
import type { Cell, Step } from "./plan.ts";

/**
 * Workgroups of a joint kernel on a CPU driver, which computes every branch in every workgroup, all but one
 * for nothing: past this many that costs more than the dispatches saved.
 */
const mostSoftwareWorkgroups = 256;

/** Branches of a joint kernel: compile time grows faster than the text. */
const mostBranches = 16;

/** Joint kernels that may still grow while steps are placed. */
const mostOpen = 8;

/** Steps that become one dispatch, in the place of the first. */
interface Group {
  readonly position: number;
  readonly steps: Step[];
  workgroups: number;
}

/** What decides which steps may share a dispatch. */
export interface SideBySideRequest {
  readonly steps: readonly Step[];
  /** Whether a cell is a result of the program, which costs no memory that would be free otherwise. */
  isResult(cell: Cell): boolean;
  bytesOf(cell: Cell): number;
  /** The cell whose bytes a cell shares. */
  resolve(cell: Cell): Cell;
  readonly target: Target;
}

/** The steps with small independent ones joined. */
export function placeSideBySide(request: SideBySideRequest): Step[] {
  return new Placer(request).run();
}

class Placer {
  readonly #request: SideBySideRequest;
  readonly #groups: Group[] = [];
  #open: Group[] = [];
  /** Where a cell was written and read last. */
  readonly #written = new Map<Cell, number>();
  readonly #read = new Map<Cell, number>();

  constructor(request: SideBySideRequest) {
    this.#request = request;
  }

  run(): Step[] {
    this.#request.steps.forEach((step) => this.#place(step));
    return this.#groups.map(({ steps }) => steps.length === 1 ? steps[0]! : this.#join(steps));
  }

  #place(step: Step): void {
    const group = this.#open.find((g) => this.#fits(g, step)) ?? this.#begin(step);
    group.steps.push(step);
    group.workgroups += countWorkgroups(step.kernel);
    const { reads, writes } = this.#accesses(step);
    for (const cell of reads) {
      this.#read.set(cell, Math.max(this.#read.get(cell) ?? -1, group.position));
    }
    for (const cell of writes) this.#written.set(cell, group.position);
  }

  #begin(step: Step): Group {
    const group = { position: this.#groups.length, steps: [], workgroups: 0 };
    this.#groups.push(group);
    if (step.kernel.sharesDispatch && this.#staysSmall(step) && this.#isWorth(step.kernel)) {
      this.#open = [group, ...this.#open].slice(0, mostOpen);
    }
    return group;
  }

  /** A step that moves up stores its results earlier: these must be the program's, or small. */
  #staysSmall(step: Step): boolean {
    const { isResult, bytesOf } = this.#request;
    return [...this.#accesses(step).writes].every((c) => isResult(c) || bytesOf(c) <= 65_536);
  }

  #fits(group: Group, step: Step): boolean {
    const { target } = this.#request;
    if (!canShareDispatch(group.steps[0]!.kernel, step.kernel) || !this.#staysSmall(step)) {
      return false;
    }
    const workgroups = group.workgroups + countWorkgroups(step.kernel);
    if (target.kind === "software" && workgroups > mostSoftwareWorkgroups) return false;
    if (group.steps.length >= mostBranches) return false;
    const { reads, writes } = this.#accesses(step);
    for (const cell of reads) if ((this.#written.get(cell) ?? -1) >= group.position) return false;
    // What is updated in place must have been read by everything else before.
    for (const cell of writes) if ((this.#read.get(cell) ?? -1) >= group.position) return false;
    return jointArrays([...group.steps, step]).bindings.length <= target.maxStorageBuffers;
  }

  #isWorth(kernel: Kernel, workgroups = 0): boolean {
    return this.#request.target.kind !== "software" ||
      workgroups + countWorkgroups(kernel) <= mostSoftwareWorkgroups;
  }

  #accesses({ kernel, arrays, updates }: Step): { reads: Set<Cell>; writes: Set<Cell> } {
    const { resolve } = this.#request;
    const cells = (access: string) =>
      arrays.filter((_, i) => kernel.bindings[i]!.access === access).map(resolve);
    const updated = [...updates?.values() ?? []].map(resolve);
    return {
      reads: new Set([...cells("read"), ...updated]),
      writes: new Set([...cells("read_write"), ...updated]),
    };
  }

  #join(steps: readonly Step[]): Step {
    const { cells, bindings, numbers } = jointArrays(steps);
    const branches = steps.map(({ kernel }, i) => ({ kernel, arrays: numbers[i]! }));
    return {
      kernel: sideBySide(branches, bindings, this.#request.target),
      arrays: cells,
      updates: new Map(steps.flatMap(({ updates }) => [...updates ?? []])),
    };
  }
}

/** The arrays of several steps, each once for every way in which it is declared. */
function jointArrays(steps: readonly Step[]) {
  const cells: Cell[] = [];
  const bindings: { access: "read" | "read_write"; element: string }[] = [];
  const known = new Map<Cell, Map<string, number>>();
  const numbers = steps.map(({ kernel, arrays }) =>
    arrays.map((cell, i) => {
      const { access, element } = kernel.bindings[i]!;
      let ways = known.get(cell);
      if (!ways) known.set(cell, ways = new Map());
      let number = ways.get(element);
      if (number === undefined) {
        ways.set(element, number = cells.length);
        cells.push(cell);
        bindings.push({ access, element });
      }
      return number;
    })
  );
  return { cells, bindings, numbers };
}
