// The memory plan: which buffer holds each stored variable while a program runs. Temporaries share buffers
// where their lives do not overlap, and donated arguments serve once they have been read for the last time.

import type { Kernel } from "../../kernels/kernel.ts";
import type { Variable } from "../ir/graph.ts";
import { type Life, shareSlots } from "./slots.ts";

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
  /** Where inputs and results lie. */
  readonly #locations = new Map<Cell, Location>();
  /** The lives of everything else; cells that are updated in place live on as one. */
  readonly #lives = new Map<Cell, Life>();
  /** Donated inputs whose last reader has run and that no result has taken. */
  readonly #idleInputs: number[] = [];
  readonly #outputs: OutputPlan[] = [];
  readonly #results = new Map<Cell, number>();

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
    outputs.forEach((cell, index) => this.#expectResult(resolve(cell), index));
    this.#releaseInputs(-1);
    const cells = steps.map((step, i) => this.#place(step, i));
    // No step writes a result without elements; it has a buffer all the same, which no other result shares.
    for (const [cell, index] of this.#results) {
      this.#outputs[index] ??= { kind: "fresh", bytes: this.#request.bytesOf(cell) };
    }
    const { slotOf, sizes } = shareSlots(new Set(this.#lives.values()));
    const locate = (cell: Cell): Location =>
      this.#locations.get(cell) ??
        { kind: "temporary", index: slotOf.get(this.#lives.get(cell)!)! };
    return {
      steps: steps.map(({ kernel }, i) => ({ kernel, arrays: cells[i]!.map(locate) })),
      outputs: this.#outputs,
      temporaries: sizes,
    };
  }

  #expectResult(cell: Cell, index: number): void {
    const first = this.#results.get(cell);
    const location = this.#locations.get(cell);
    if (location?.kind === "input") {
      this.#outputs[index] = { kind: "input", index: location.index };
    } else if (first !== undefined) this.#outputs[index] = { kind: "output", index: first };
    else this.#results.set(cell, index);
  }

  /** Finds places for what a step makes; returns the cells that it binds. */
  #place(step: Step, at: number): Cell[] {
    const cells = step.arrays.map((cell) => this.#request.resolve(cell));
    for (const cell of cells) {
      if (this.#locations.has(cell) || this.#lives.has(cell)) continue;
      const updated = step.updates?.get(cell);
      const result = this.#results.get(cell);
      if (result === undefined) this.#begin(cell, at, updated);
      else {
        this.#outputs[result] = this.#resultMemory(cell, updated);
        this.#locations.set(cell, { kind: "output", index: result });
      }
    }
    this.#releaseInputs(at);
    return cells;
  }

  /** A temporary's life begins, or that of the one that it is stored over goes on. */
  #begin(cell: Cell, at: number, updated: Cell | undefined): void {
    const last = this.#lastUse.get(cell)!;
    const before = updated && this.#lives.get(updated);
    if (before) {
      before.last = last;
      this.#lives.set(cell, before);
    } else this.#lives.set(cell, { bytes: this.#request.bytesOf(cell), first: at, last });
  }

  /** A result is stored over a donated argument, or takes over an idle one of its size, or is new. */
  #resultMemory(cell: Cell, updated: Cell | undefined): OutputPlan {
    const { inputs, bytesOf } = this.#request;
    if (updated) {
      const index = inputs.indexOf(updated);
      return { kind: "donated", index, inPlace: true };
    }
    const bytes = bytesOf(cell);
    const found = this.#idleInputs.findIndex((index) => bytesOf(inputs[index]!) === bytes);
    if (found < 0) return { kind: "fresh", bytes };
    const [index] = this.#idleInputs.splice(found, 1) as [number];
    return { kind: "donated", index, inPlace: false };
  }

  /** Donated arguments that are read for the last time can hold results of later steps. */
  #releaseInputs(at: number): void {
    const { inputs, donated } = this.#request;
    const taken = new Set(
      this.#outputs.flatMap((o) => o?.kind === "input" || o?.kind === "donated" ? [o.index] : []),
    );
    inputs.forEach((cell, index) => {
      if (!donated[index] || (this.#lastUse.get(cell) ?? -1) !== at) return;
      if (!taken.has(index)) this.#idleInputs.push(index);
    });
  }
}
