// scan and foriLoop: loops of a number of steps that is known beforehand.

import { checkOptions, describe, showShape } from "../core/errors.ts";
import { unflatten } from "../core/pytree.ts";
import { asNDArray, type NDArray } from "../array.ts";
import type { Aval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import { isTracing, replayGraph, traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add } from "../ops/arithmetic.ts";
import { broadcastTo, reshape, withBatchAxis } from "../ops/broadcast.ts";
import { concatenate } from "../ops/concatenate.ts";
import { constant } from "../ops/constant.ts";
import { slice } from "../ops/movement.ts";
import { dynamicSlice } from "../ops/window.ts";
import { flattenArrays, type FlatTree } from "./arguments.ts";
import { ownHandles, strong, traceStep } from "./loop_carry.ts";
import { preparedGraph } from "./run_graph.ts";
import { type AnyFunction, releaseMade, runTraced, type TracedCall } from "./traced_call.ts";

/** What `scan` may be told. */
export interface ScanOptions {
  /** The number of steps, where `xs` has no arrays that say it. */
  readonly length?: number;
  /** Whether it runs from the last element to the first. */
  readonly reverse?: boolean;
}

/** Operations that an unrolled loop may record: more would take minutes to compile. */
const mostUnrolled = 20_000;

function checkUnrolled(what: string, graph: Graph, steps: number): void {
  if (graph.nodes.length * steps <= mostUnrolled) return;
  throw new RangeError(
    `Cannot ${what}: inside jit, grad and vmap a loop is unrolled, to at most ${mostUnrolled} operations, got ${steps} steps of ${graph.nodes.length}; run the loop outside, with the step inside jit`,
  );
}

/** The element at a fixed place along the first axis. */
function elementAt(x: Value, index: number): Value {
  const [, ...rest] = x.aval.shape;
  const starts = [index, ...rest.map(() => 0)];
  return reshape(slice(x, starts, starts.map(() => 1), [1, ...rest]), rest);
}

/** Values one behind the other along a new first axis. */
function stacked(values: readonly Value[], { shape, dtype }: Aval): Value {
  if (values.length === 0) return broadcastTo(constant(0, dtype), [0, ...shape]);
  return concatenate(values.map((x) => withBatchAxis(x, 1)), 0);
}

/** A loop: its step, what it starts from, and what every step gets besides, by its number. */
interface Loop {
  readonly what: string;
  /** Takes the carry and what the step gets, and returns the carry and what the step leaves. */
  readonly graph: Graph;
  readonly carry: readonly Value[];
  readonly steps: number;
  readonly reverse: boolean;
}

/** Runs a loop step by step on the device: one program, started once a step. */
function runLoop(
  { what, graph, carry, steps, reverse }: Loop,
  each: (index: Value, inputs: readonly Value[]) => readonly Value[],
  shared: readonly Value[],
): { carry: readonly Value[]; left: readonly (readonly Value[])[] } {
  const left: (readonly Value[])[] = [];
  let now: readonly Value[] = ownHandles(carry, what);
  if (steps === 0) return { carry: now, left };
  const count = carry.length;
  const whole = traceGraph((index, ...xs) => {
    const own = xs.slice(0, count);
    return replayGraph(graph, [...own, ...each(index!, xs.slice(count))]);
  }, [{ shape: [], dtype: "int32" }, ...[...carry, ...shared].map((x) => x.aval)]);
  const run = preparedGraph(whole, what);
  for (let step = 0; step < steps; step++) {
    const index = constant(reverse ? steps - 1 - step : step, "int32");
    const results = run([index, ...now, ...shared]);
    index.consume(what);
    now.forEach((x) => x.consume(what));
    now = results.slice(0, count);
    left.push(results.slice(count));
  }
  return { carry: now, left: reverse ? left.reverse() : left };
}

/** The same in a trace: every step is recorded. */
function unrolled(
  { what, graph, carry, steps, reverse }: Loop,
  each: (index: number) => readonly Value[],
): { carry: readonly Value[]; left: readonly (readonly Value[])[] } {
  checkUnrolled(what, graph, steps);
  const left: (readonly Value[])[] = [];
  let now: readonly Value[] = carry.map(strong);
  for (let step = 0; step < steps; step++) {
    const results = replayGraph(graph, [...now, ...each(reverse ? steps - 1 - step : step)]);
    now = results.slice(0, carry.length);
    left.push(results.slice(carry.length));
  }
  return { carry: now, left: reverse ? left.reverse() : left };
}

function stepsOf(xs: FlatTree, length: number | undefined): number {
  const sizes = xs.leaves.map((x) => {
    if (x.ndim > 0) return x.shape[0]!;
    throw new RangeError("Cannot scan: the arrays of xs must have an axis to scan, got a scalar");
  });
  const all = length === undefined ? sizes : [length, ...sizes];
  if (all.length === 0) {
    throw new TypeError("Cannot scan: xs has no arrays, so the option length is required");
  }
  if (all.some((n) => n !== all[0]) || !Number.isInteger(all[0]) || all[0]! < 0) {
    throw new RangeError(
      `Cannot scan: the first axes of xs and length must agree, got ${showShape(all)}`,
    );
  }
  return all[0]!;
}

function checkPair({ structure }: TracedCall, carry: FlatTree): void {
  const [first] = structure.children;
  if (
    structure.kind === "array" && structure.children.length === 2 && first!.equals(carry.structure)
  ) {
    return;
  }
  throw new TypeError(
    `Cannot scan: the step must return [carry, y] with a carry like init, ${carry.structure}, got ${structure}`,
  );
}

/**
 * Takes a carry through the elements of `xs` along their first axis: `step` gets the carry and an element and
 * returns the next carry and what it leaves; what all steps left comes back stacked. `xs` may be a tree, or
 * null with a `length`.
 *
 * Outside of transforms one compiled step is started once an element. Inside `jit`, `grad` and the like the
 * loop is unrolled into the graph: compile time and, under `grad`, memory grow with the number of steps
 * (`checkpoint` around the step saves the latter).
 *
 * @throws {TypeError} if the step returns something else than `[carry, y]`, or a carry of another shape or
 * dtype.
 * @throws {RangeError} if the first axes differ, or a loop to unroll is too long.
 *
 * @example
 * ```ts
 * import { init, lax, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const step = (sum: NDArray, x: NDArray): [NDArray, NDArray] => [sum.add(x), sum.mul(x)];
 * const [total, products] = lax.scan(step, jnp.array(0), jnp.array([1, 2, 3]));
 * console.log(await total.item(), await products.toList()); // 6 [0, 2, 9]
 * ```
 */
export function scan<Carry, X, Y>(
  step: (carry: Carry, x: X) => readonly [carry: Carry, y: Y],
  init: Carry,
  xs: X,
  options: ScanOptions = {},
): [carry: Carry, ys: Y] {
  if (typeof step !== "function") {
    throw new TypeError(`Cannot scan: a function is required first, got ${describe(step)}`);
  }
  checkOptions("scan", options, ["length", "reverse"]);
  const flat = flattenArrays(xs ?? null, "scan", "xs");
  const steps = stepsOf(flat, options.length);
  const elements = {
    structure: flat.structure,
    leaves: flat.leaves.map(({ aval }) => ({ aval: { ...aval, shape: aval.shape.slice(1) } })),
  };
  const traced = traceStep("scan", step as AnyFunction, init, [elements], checkPair);
  const { carry, step: { graph, structure } } = traced;
  const loop: Loop = {
    what: "scan",
    graph,
    carry: carry.leaves,
    steps,
    reverse: options.reverse ?? false,
  };
  const { carry: last, left } = isTracing()
    ? unrolled(loop, (i) => flat.leaves.map((x) => elementAt(x, i)))
    : runLoop(loop, (index, shared) => shared.map((x) => elementAtRunTime(x, index)), flat.leaves);
  const ys = stackAll(left, graph.outputs.slice(carry.leaves.length).map((v) => v.aval));
  releaseMade([carry, flat], "scan");
  return unflatten(structure, [...last, ...ys].map(asNDArray)) as [Carry, Y];
}

function elementAtRunTime(x: Value, index: Value): Value {
  const [, ...rest] = x.aval.shape;
  return reshape(dynamicSlice(x, [index], [0], [1]), rest);
}

function stackAll(left: readonly (readonly Value[])[], avals: readonly Aval[]): NDArray[] {
  if (isTracing()) {
    return avals.map((aval, i) => asNDArray(stacked(left.map((ys) => ys[i]!), aval)));
  }
  return avals.map((aval, i) => {
    const parts = left.map((ys) => ys[i]!);
    const [whole] = runTraced(parts, (xs) => [stacked(xs, aval)], "scan");
    parts.forEach((part) => part.consume("scan"));
    return whole!;
  });
}

/**
 * Calls `body(i, carry)` for every i from `lower` up to `upper` (left out), each time with the carry that it
 * returned before; i is an int32 scalar. Runs as {@linkcode scan} does, with its costs.
 *
 * @throws {TypeError} if a bound is not a whole number, or the carry changes its shape or dtype.
 *
 * @example
 * ```ts
 * import { init, lax, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const body = (i: NDArray, sum: NDArray): NDArray => sum.add(i.mul(i));
 * console.log(await lax.foriLoop(0, 4, body, jnp.array(0)).item()); // 14
 * ```
 */
export function foriLoop<Carry>(
  lower: number,
  upper: number,
  body: (i: NDArray, carry: Carry) => Carry,
  init: Carry,
): Carry {
  for (const bound of [lower, upper]) {
    if (Number.isInteger(bound)) continue;
    throw new TypeError(
      `Cannot foriLoop: bounds must be whole JS numbers, got ${
        describe(bound)
      }; a bound that is only known at run time needs lax.whileLoop`,
    );
  }
  if (typeof body !== "function") {
    throw new TypeError(`Cannot foriLoop: a function is required, got ${describe(body)}`);
  }
  const index: Aval = { shape: [], dtype: "int32" };
  const step = (carry: Carry, i: NDArray): Carry => body(i, carry);
  const number = flattenArrays(0, "foriLoop", "index");
  const counter = { structure: number.structure, leaves: [{ aval: index }] };
  const traced = traceStep("foriLoop", step as AnyFunction, init, [counter], checkCarry);
  const { carry, step: { graph, structure } } = traced;
  const steps = Math.max(upper - lower, 0);
  const loop: Loop = { what: "foriLoop", graph, carry: carry.leaves, steps, reverse: false };
  const { carry: last } = isTracing()
    ? unrolled(loop, (i) => [constant(lower + i, "int32")])
    : runLoop(loop, (i, [offset]) => [add(i, offset!)], [constant(lower, "int32")]);
  releaseMade([carry, number], "foriLoop");
  return unflatten(structure, last.map(asNDArray)) as Carry;
}

function checkCarry({ structure }: TracedCall, carry: FlatTree): void {
  if (structure.equals(carry.structure)) return;
  throw new TypeError(
    `Cannot foriLoop: the body must return a carry like init, ${carry.structure}, got ${structure}`,
  );
}
