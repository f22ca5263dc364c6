// whileLoop: a loop whose end is only known when it runs.

import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { unflatten } from "../core/pytree.ts";
import { asNDArray, type NDArray } from "../array.ts";
import { showAval } from "../ir/aval.ts";
import { isTracing, replayGraph, traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { where } from "../ops/selection.ts";
import { bindCond } from "./cond.ts";
import { ownHandles, strong, type TracedStep, traceStep } from "./loop_carry.ts";
import { preparedGraph } from "./run_graph.ts";
import { type AnyFunction, releaseMade, traceCall, type TracedCall } from "./traced_call.ts";

/** What `whileLoop` may be told. */
export interface WhileOptions {
  /**
   * The most steps there can be. Required inside transforms, which unroll the loop to that many; outside, a
   * loop that takes more is an error.
   */
  readonly maxSteps?: number;
}

/**
 * Calls `body` with the carry that it returned before, as long as `condition(carry)` is true.
 *
 * Outside of transforms one compiled step is started at a time, and the host reads the condition after each:
 * that costs a synchronous read a step. Inside `jit`, `grad`, `jvp` and `vmap` the option `maxSteps` is
 * required: that many steps are computed, those after the end without effect, and derivatives are of the
 * steps that count. Floating results of a loop that has not ended by then are NaN.
 *
 * @throws {TypeError} if the carry changes its shape or dtype, if the condition is no boolean scalar, and
 * inside transforms without `maxSteps`.
 * @throws {RangeError} if a loop outside of transforms takes more than `maxSteps`.
 *
 * @example
 * ```ts
 * import { init, lax, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const last = lax.whileLoop((x: NDArray) => x.less(100), (x: NDArray) => x.mul(3), jnp.array(1));
 * console.log(await last.item()); // 243
 * ```
 */
export function whileLoop<Carry>(
  condition: (carry: Carry) => NDArray | boolean,
  body: (carry: Carry) => Carry,
  init: Carry,
  options: WhileOptions = {},
): Carry {
  for (const given of [condition, body]) {
    if (typeof given === "function") continue;
    throw new TypeError(`Cannot whileLoop: two functions are required, got ${describe(given)}`);
  }
  const { maxSteps } = checkWhileOptions(options);
  const traced = traceStep("whileLoop", body as AnyFunction, init, [], (step, carry) => {
    if (step.structure.equals(carry.structure)) return;
    throw new TypeError(
      `Cannot whileLoop: the body must return a carry like init, ${carry.structure}, got ${step.structure}`,
    );
  });
  const test = traceCall(condition as AnyFunction, [traced.carry], "whileLoop");
  checkTest(test);
  const last = isTracing()
    ? unrolled(traced, test, maxSteps)
    : runWhile(traced, test, maxSteps ?? Infinity);
  return unflatten(traced.carry.structure, last.map(asNDArray)) as Carry;
}

function checkWhileOptions(options: WhileOptions): WhileOptions {
  checkOptions("whileLoop", options, ["maxSteps"]);
  const { maxSteps } = options;
  if (maxSteps === undefined || (Number.isInteger(maxSteps) && maxSteps >= 0)) return options;
  throw new RangeError(
    `Cannot whileLoop: maxSteps must be a whole number, got ${describe(maxSteps)}`,
  );
}

function checkTest({ graph, structure }: TracedCall): void {
  const [result] = graph.outputs;
  if (structure.kind === "leaf" && result!.aval.dtype === "bool" && !result!.aval.shape.length) {
    return;
  }
  throw new TypeError(
    `Cannot whileLoop: the condition must return a boolean scalar, got ${
      structure.kind === "leaf" ? showAval(result!.aval) : structure
    }`,
  );
}

/** One step after the other on the device; the host reads the condition between them. */
function runWhile({ carry, step }: TracedStep, test: TracedCall, most: number): readonly Value[] {
  const what = "whileLoop";
  const [next, goesOn] = [preparedGraph(step.graph, what), preparedGraph(test.graph, what)];
  let now: readonly Value[] = ownHandles(carry.leaves, what);
  for (let steps = 0;; steps++) {
    const truth = asNDArray(goesOn(now)[0]!);
    const more = Boolean(truth.itemSync());
    truth.consume(what);
    if (!more) break;
    if (steps >= most) {
      throw new RangeError(`Cannot whileLoop: the loop has not ended after maxSteps, ${most}`);
    }
    const results = next(now);
    now.forEach((x) => x.consume(what));
    now = results;
  }
  releaseMade([carry], what);
  return now;
}

function unrolled(
  { carry, step }: TracedStep,
  test: TracedCall,
  maxSteps: number | undefined,
): readonly Value[] {
  if (maxSteps === undefined) {
    throw new TypeError(
      "Cannot whileLoop: inside jit, grad, jvp and vmap the option maxSteps is required, since the loop is unrolled; where the number of steps is known, use lax.foriLoop",
    );
  }
  const kept = traceGraph((...xs) => xs, carry.leaves.map((x) => x.aval));
  let now: readonly Value[] = carry.leaves.map(strong);
  const goesOn = () => replayGraph(test.graph, now)[0]!;
  for (let i = 0; i < maxSteps; i++) now = bindCond(goesOn(), step.graph, kept, now);
  const unfinished = goesOn();
  return now.map((x) => isFloating(x.aval.dtype) ? where(unfinished, NaN, x) : x);
}
