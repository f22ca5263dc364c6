// vmap: a function of one example becomes a function of a batch.

import { checkOptions, describe, showShape } from "../core/errors.ts";
import { type TreeStructure, unflatten } from "../core/pytree.ts";
import { normalizeAxis } from "../core/shape.ts";
import { asNDArray, type NDArray } from "../array.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { transpose } from "../ops/movement.ts";
import { flattenArrays } from "./arguments.ts";
import { batchGraph, withBatchAxis } from "./batch.ts";
import { runGraph } from "./run_graph.ts";
import { traceTree } from "./trace_tree.ts";

/** Axes for the leaves of a tree: one for all, null for none, or a tree of them that matches from its root. */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes };

/** What `vmap` may be told. */
export interface VmapOptions {
  /** The batch axis of every argument: one for all, or an array with an entry an argument. Default 0. */
  readonly inAxes?: Axes;
  /** Where the batch axis goes in the result. Default 0; null only for results that do not depend on the batch. */
  readonly outAxes?: Axes;
}

/** The axis of each leaf of a tree, from a prefix tree of axes. */
function axesOf(what: string, axes: Axes, structure: TreeStructure): (number | null)[] {
  if (axes === null || typeof axes === "number") return new Array(structure.numLeaves).fill(axes);
  const entries: Axes[] | undefined = Array.isArray(axes)
    ? [...axes]
    : structure.kind === "object"
    ? structure.keys.map((key) => (axes as { [key: string]: Axes })[key] as Axes)
    : undefined;
  if (
    !entries || entries.length !== structure.children.length || entries.includes(undefined as never)
  ) {
    throw new TypeError(
      `Cannot vmap: ${what} must match the tree from its root, got ${
        describe(axes)
      } for ${structure}`,
    );
  }
  return structure.children.flatMap((child, i) => axesOf(what, entries[i]!, child));
}

function moveAxis(x: Value, from: number, to: number): Value {
  const axes = x.aval.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  axes.splice(to, 0, from);
  return transpose(x, axes);
}

/**
 * Maps a function over an axis of its arguments, without a loop: every operation runs once for the batch.
 *
 * @throws {RangeError} at a call, if the mapped axes differ in extent or none is mapped.
 *
 * @example
 * ```ts
 * import { init, type NDArray, numpy as jnp, vmap } from "@zenith/jax";
 *
 * await init();
 * const dots = vmap((x: NDArray, y: NDArray) => jnp.dot(x, y));
 * console.log(await dots(jnp.ones([3, 2]), jnp.ones([3, 2])).toList()); // [2, 2, 2]
 * ```
 */
// deno-lint-ignore no-explicit-any -- what the parameters are is up to the user's function.
export function vmap<F extends (...args: any[]) => any>(
  fn: F,
  options: VmapOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot vmap: a function is required, got ${describe(fn)}`);
  }
  checkOptions("vmap", options, ["inAxes", "outAxes"]);
  const { inAxes = 0, outAxes = 0 } = options;
  return (...args) => mapOver(fn, args, inAxes, outAxes) as ReturnType<F>;
}

function mapOver(
  fn: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  inAxes: Axes,
  outAxes: Axes,
): unknown {
  const { leaves, structure } = flattenArrays(args, "vmap", "arguments");
  const axes = axesOf("inAxes", inAxes, structure).map((axis, i) =>
    axis === null ? null : normalizeAxis("vmap", axis, leaves[i]!.ndim)
  );
  const size = batchSize(leaves, axes);
  const avals = leaves.map(({ aval: { shape, dtype } }, i) => ({
    shape: shape.filter((_, axis) => axis !== axes[i]),
    dtype,
  }));
  const traced = traceTree((tree) => fn(...(tree as unknown[])), structure, avals, "vmap");
  const out = axesOf("outAxes", outAxes, traced.structure);
  const graph = traceGraph((...inputs) => {
    const moved = inputs.map((x, i) => axes[i] === null ? x : moveAxis(x, axes[i]!, 0));
    const results = batchGraph(traced.graph, {
      values: moved,
      batched: axes.map((axis) => axis !== null),
    }, size);
    return results.values.map((x, i) => placeBatch(x, results.batched[i]!, out[i]!, size));
  }, leaves.map((leaf) => leaf.aval));
  return unflatten(traced.structure, runGraph(graph, leaves, "vmap").map(asNDArray));
}

function placeBatch(x: Value, batched: boolean, axis: number | null, size: number): Value {
  if (axis === null) {
    if (!batched) return x;
    throw new TypeError(
      "Cannot vmap: outAxes is null for a result that depends on the batch; give it an axis",
    );
  }
  const value = batched ? x : withBatchAxis(x, size);
  return moveAxis(value, 0, normalizeAxis("vmap", axis, value.aval.shape.length));
}

function batchSize(leaves: readonly NDArray[], axes: readonly (number | null)[]): number {
  const sizes = leaves.flatMap((leaf, i) => axes[i] === null ? [] : [leaf.shape[axes[i]!]!]);
  if (sizes.length === 0) {
    throw new RangeError(
      "Cannot vmap: at least one argument must be mapped, got inAxes of null for all",
    );
  }
  if (sizes.some((size) => size !== sizes[0])) {
    throw new RangeError(`Cannot vmap: mapped axes must have one extent, got ${showShape(sizes)}`);
  }
  return sizes[0]!;
}
