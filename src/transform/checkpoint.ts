// checkpoint: a function whose intermediates are computed again in the backward pass instead of being kept.

import { describe } from "../core/errors.ts";
import { unflatten } from "../core/pytree.ts";
import type { Graph } from "../ir/graph.ts";
import { isTracing, traceGraph } from "../ir/trace.ts";
import type { Tangent } from "../ir/operation.ts";
import { optimizationBarrier } from "../ops/gradient_control.ts";
import { flattenArrays } from "./arguments.ts";
import { pullBack, pushForward, zerosOf } from "./differentiate.ts";
import { bindFunction, closedGraph, type FunctionRules } from "./function_operation.ts";
import { type AnyFunction, traceCall } from "./traced_call.ts";

/** A graph as an operation that the backward pass runs again. */
function checkpointed(original: Graph): FunctionRules {
  const { graph, text, run } = closedGraph(original);
  return {
    name: "checkpoint",
    params: { graph: text },
    inputs: graph.inputs.map((v) => v.aval),
    outputs: graph.outputs.map((v) => v.aval),
    run,
    jvp: (inputs, tangents) => {
      const moving = tangents.flatMap((t, i) => t ? [i] : []);
      const pushed = traceGraph((...xs) => {
        const own = xs.slice(0, inputs.length);
        const given = tangents.map((t, i): Tangent => t && xs[inputs.length + moving.indexOf(i)]);
        const [results, out] = pushForward(graph, own, given);
        return results.map((x, i) => out[i] ?? zerosOf(x));
      }, [...inputs, ...moving.map((i) => inputs[i]!)].map((x) => x.aval));
      // The derivative's intermediates are no more kept than the function's own.
      return bindFunction(checkpointed(pushed), [...inputs, ...moving.map((i) => tangents[i]!)]);
    },
    // Behind the barrier nothing is taken for what the forward pass computed.
    vjp: (cotangents, inputs) => pullBack(graph, inputs.map(optimizationBarrier))[1](cotangents),
  };
}

/**
 * The same function, but under differentiation nothing that it computes on the way is kept: the backward
 * pass computes it again from the arguments. That trades time for memory; `jit(...).lower(...).memoryAnalysis()`
 * shows how much. Known in JAX as `remat` too.
 *
 * @throws {TypeError} at a call inside a transform, for an argument that is neither an array nor a number.
 *
 * @example
 * ```ts
 * import { checkpoint, grad, init, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const block = checkpoint((x: NDArray) => jnp.sin(jnp.exp(x)));
 * const slope = grad((x: NDArray) => jnp.sum(block(block(x))));
 * console.log(await slope(jnp.zeros([2])).toList());
 * ```
 */
export function checkpoint<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
): (...args: Args) => Result {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot checkpoint: a function is required, got ${describe(fn)}`);
  }
  return (...args) => {
    if (!isTracing()) return fn(...args);
    const trees = args.map((arg, i) => flattenArrays(arg, "checkpoint", `argument ${i}`));
    const { graph, structure } = traceCall(fn as AnyFunction, trees, "checkpoint");
    const leaves = trees.flatMap((tree) => tree.leaves);
    const results = bindFunction(checkpointed(graph), [...leaves, ...graph.captures]);
    return unflatten(structure, results) as Result;
  };
}
