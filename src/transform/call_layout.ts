// Arguments of a call taken apart into what a trace replaces, arrays and numbers, and what it sees as it is.

import { NDArray } from "../array.ts";
import { auxKey } from "../core/aux_key.ts";
import { flatten, type TreeStructure, unflatten } from "../core/pytree.ts";
import { ShapeDtype } from "./trace_tree.ts";

/** Everything about a call but its arrays and numbers. */
export class CallLayout {
  readonly #structure: TreeStructure;
  /** The leaves, with a hole where a traced value goes. */
  readonly #fixed: readonly unknown[];
  readonly #traced: readonly boolean[];

  constructor(structure: TreeStructure, leaves: readonly unknown[], traced: readonly boolean[]) {
    this.#structure = structure;
    this.#fixed = leaves.map((leaf, i) => traced[i] ? undefined : leaf);
    this.#traced = traced;
  }

  /** The arguments with these values in the holes. */
  fill(values: readonly unknown[]): unknown[] {
    let next = 0;
    const leaves = this.#fixed.map((leaf, i) => this.#traced[i] ? values[next++] : leaf);
    return unflatten<unknown[]>(this.#structure, leaves);
  }
}

/** A call: its layout, and the arrays and numbers that are traced. */
export interface LaidOutCall {
  readonly layout: CallLayout;
  readonly values: readonly unknown[];
}

/** Lays calls out; equal layouts are one object, so that it can be part of a cache key. */
export class CallLayouts {
  readonly #known = new Map<string, CallLayout>();
  readonly #numbersUpTo: number;

  /** @param numbersUpTo from this argument on numbers are not traced: options are decisions. */
  constructor(numbersUpTo = Infinity) {
    this.#numbersUpTo = numbersUpTo;
  }

  /** Takes the arguments of a call apart. */
  of(args: readonly unknown[]): LaidOutCall {
    const [leaves, structure] = flatten<unknown>(args) as [unknown[], TreeStructure];
    const options = structure.children.slice(0, this.#numbersUpTo)
      .reduce((sum, { numLeaves }) => sum + numLeaves, 0);
    const traced = leaves.map((leaf, i) =>
      leaf instanceof NDArray || leaf instanceof ShapeDtype ||
      (typeof leaf === "number" && i < options)
    );
    const fixed = leaves.filter((_, i) => !traced[i]);
    const key = `${structure.key};${traced.map(Number).join("")};${auxKey(fixed)}`;
    let layout = this.#known.get(key);
    if (!layout) this.#known.set(key, layout = new CallLayout(structure, leaves, traced));
    return { layout, values: leaves.filter((_, i) => traced[i]) };
  }
}
