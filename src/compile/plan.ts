// The memory plan: which buffer holds each stored variable while a program runs. Temporaries share buffers
// where their lives do not overlap, and donated arguments serve once they have been read for the last time.

import type { Kernel } from "../../kernels/kernel.ts";
import type { Variable } from "../ir/graph.ts";

/** Memory that a step needs beside the graph's variables. */
export interface Temporary {
  readonly bytes: number;
}

/** Something stored: a variable of the graph or a step's own temporary. */
export type Cell = Variable | Temporary;

/** One dispatch and the arrays that it binds. */
export interface Step {
  readonly kernel: Kernel;
  readonly arrays: readonly Cell[];
  /** Results that the kernel stores over an array that it reads: both are bound as one. */
  readonly updates?: ReadonlyMap<Cell, Cell>;
}

/** Where an array of a step lies. */
export type Location =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "output"; readonly index: number }
  | { readonly kind: "temporary"; readonly index: number };

/** Where a result comes from. */
export type OutputPlan =
  | { readonly kind: "fresh"; readonly bytes: number }
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "donated"; readonly index: number; readonly inPlace: boolean }
  | { readonly kind: "output"; readonly index: number };

/** A step with its arrays found. */
export interface PlannedStep {
  readonly kernel: Kernel;
  readonly arrays: readonly Location[];
}

/** A program on paper: what runs, on which memory. */
export interface Plan {
  readonly steps: readonly PlannedStep[];
  readonly outputs: readonly OutputPlan[];
  /** Bytes of each shared temporary buffer. */
  readonly temporaries: readonly number[];
}

/** What the planner must know. */
export interface PlanRequest {
  readonly steps: readonly Step[];
  readonly inputs: readonly Cell[];
  readonly donated: readonly boolean[];
  readonly outputs: readonly Cell[];
  bytesOf(cell: Cell): number;
  /** The cell whose bytes a cell shares. */
  resolve(cell: Cell): Cell;
}

/** Assigns memory to every cell. */
export function planMemory(request: PlanRequest): Plan {
  return new Planner(request).run();
}

class Planner {
  readonly #request: PlanRequest;
  readonly #lastUse = new Map<Cell, number>();
  readonly #locations = new Map<Cell, Location>();
  readonly #slots: number[] = [];
  #freeSlots: number[] = [];
  /** Donated inputs whose last reader has run and that no result has taken. */
  readonly #idleInputs: number[] = [];
  readonly #outputs: OutputPlan[] = [];

  constructor(request: PlanRequest) {
    this.#request = request;
  }

  run(): Plan {
    const { steps, inputs, outputs, resolve } = this.#request;
    steps.forEach((step, i) =>
      [...step.updates?.values() ?? [], ...step.arrays].forEach((cell) =>
        this.#lastUse.set(resolve(cell), i)
      )
    );
    inputs.forEach((cell, index) => this.#locations.set(cell, { kind: "input", index }));
    const results = new Map<Cell, number>();
    outputs.forEach((cell, index) => {
      const source = resolve(cell);
      const first = results.get(source);
      const location = this.#locations.get(source);
      if (location?.kind === "input") {
        this.#outputs[index] = { kind: "input", index: location.index };
      } else if (first !== undefined) this.#outputs[index] = { kind: "output", index: first };
      else results.set(source, index);
    });
    this.#releaseInputs(-1);
    const planned = steps.map((step, i) => this.#place(step, i, results));
    // No step writes a result without elements; it has a buffer all the same, which no other result shares.
    for (const [cell, index] of results) {
      this.#outputs[index] ??= { kind: "fresh", bytes: this.#request.bytesOf(cell) };
    }
    return { steps: planned, outputs: this.#outputs, temporaries: this.#slots };
  }

  #place(step: Step, at: number, results: Map<Cell, number>): PlannedStep {
    const cells = step.arrays.map((cell) => this.#request.resolve(cell));
    for (const cell of cells) {
      if (this.#locations.has(cell)) continue;
      const result = results.get(cell);
      const updated = step.updates?.get(cell);
      if (updated) {
        this.#update(cell, updated, result);
        continue;
      }
      if (result === undefined) {
        this.#locations.set(cell, { kind: "temporary", index: this.#takeSlot(cell) });
      } else {
        this.#locations.set(cell, { kind: "output", index: result });
        this.#outputs[result] = this.#resultMemory(cell);
      }
    }
    const arrays = cells.map((cell) => this.#locations.get(cell)!);
    this.#freeAfter(cells, at);
    return { kernel: step.kernel, arrays };
  }

  /** A cell takes the place of one that the step reads. */
  #update(cell: Cell, updated: Cell, result: number | undefined): void {
    const location = this.#locations.get(updated)!;
    if (result === undefined) this.#locations.set(cell, location);
    else {
      this.#locations.set(cell, { kind: "output", index: result });
      this.#outputs[result] = { kind: "donated", index: location.index, inPlace: true };
    }
  }

  /** A result takes over an idle donated argument of its size; no kernel writes what it reads. */
  #resultMemory(cell: Cell): OutputPlan {
    const { inputs, bytesOf } = this.#request;
    const bytes = bytesOf(cell);
    const found = this.#idleInputs.findIndex((index) => bytesOf(inputs[index]!) === bytes);
    if (found < 0) return { kind: "fresh", bytes };
    const [index] = this.#idleInputs.splice(found, 1) as [number];
    return { kind: "donated", index, inPlace: false };
  }

  #freeAfter(cells: readonly Cell[], at: number): void {
    for (const cell of new Set(cells)) {
      const location = this.#locations.get(cell)!;
      if (location.kind === "temporary" && this.#lastUse.get(cell) === at) {
        this.#freeSlots.push(location.index);
      }
    }
    this.#releaseInputs(at);
  }

  #releaseInputs(at: number): void {
    const { inputs, donated } = this.#request;
    inputs.forEach((cell, index) => {
      if (!donated[index] || (this.#lastUse.get(cell) ?? -1) !== at) return;
      if (
        this.#outputs.some((o) =>
          o && o.kind !== "fresh" && o.kind !== "output" && o.index === index
        )
      ) {
        return;
      }
      this.#idleInputs.push(index);
    });
  }

  /** The smallest free buffer that is large enough, else the largest one grown, else a new one. */
  #takeSlot(cell: Cell): number {
    const bytes = this.#request.bytesOf(cell);
    const bySize = [...this.#freeSlots].sort((a, b) => this.#slots[a]! - this.#slots[b]!);
    const slot = bySize.find((s) => this.#slots[s]! >= bytes) ?? bySize.pop();
    if (slot === undefined) return this.#slots.push(bytes) - 1;
    this.#slots[slot] = Math.max(this.#slots[slot]!, bytes);
    this.#freeSlots = this.#freeSlots.filter((s) => s !== slot);
    return slot;
  }
}
