// The tables that optax made, and its optimizers built here from their specifications.

import { type NDArray, numpy as jnp, optim, tree } from "../../mod.ts";

/** A call: a name of the `optim` namespace and its arguments, which may be calls too. */
export type Spec = readonly [name: string, ...args: unknown[]];

/** Leaves of the tables' parameter tree, flat; null is NaN. */
export type Leaves = Readonly<Record<string, readonly (number | null)[]>>;

/** Where an optimizer takes the parameters. */
export interface Trajectory {
  readonly spec: Spec;
  /** The steps, counted from 1, whose gradients have a NaN in `b`. */
  readonly broken: readonly number[];
  /** The parameters after some steps. */
  readonly params: Readonly<Record<string, Leaves>>;
  /** The last state's counters, in optax's own names. */
  readonly counters: Readonly<Record<string, number>>;
}

interface OptimTables {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly params: Leaves;
  readonly grads: readonly Leaves[];
  readonly trajectories: readonly Trajectory[];
  readonly counts: readonly number[];
  readonly schedules: readonly { readonly spec: Spec; readonly values: readonly number[] }[];
}

/** What optax gave. */
export const tables: OptimTables = JSON.parse(
  await Deno.readTextFile(new URL("../data/optim_tables.json", import.meta.url)),
);

/** The parameter tree of the tables. */
export type Params = Record<string, NDArray>;

/** Leaves of the tables as a tree of float32 arrays. */
export function arrays(leaves: Leaves): Params {
  return Object.fromEntries(
    Object.entries(leaves).map(([name, values]) => [
      name,
      jnp.array(Float32Array.from(values, (v) => v ?? NaN)).reshape([...tables.shapes[name]!]),
    ]),
  );
}

/** The gradients of a step, with a NaN where it is broken. */
export function gradsOf({ broken }: Trajectory, step: number): Params {
  const grads = tables.grads[step - 1]!;
  const b = grads.b!.map((v, i) => i === 2 && broken.includes(step) ? null : v);
  return arrays({ ...grads, b });
}

/** Whether each parameter has an axis: what the tables call the mask "arrays". */
const arrayMask = (params: Params) => tree.map((p: NDArray) => p.ndim > 0, params);

function built(part: unknown): unknown {
  if (Array.isArray(part)) return build(part as unknown as Spec);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map((
      [key, value],
    ) => [key, value === "arrays" ? arrayMask : built(value)]),
  );
}

/** Makes what a specification describes. */
export function build([name, ...args]: Spec): unknown {
  const make = optim[name as keyof typeof optim] as (...args: unknown[]) => unknown;
  return make(...args.map(built));
}
