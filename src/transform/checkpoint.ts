// checkpoint: a function whose intermediates are computed again in the backward pass instead of being kept.

import { describe } from "../core/errors.ts";
import { unflatten } from "../core/pytree.ts";
import type { Graph } from "../ir/graph.ts";
import { isTracing } from "../ir/trace.ts";
import { optimizationBarrier } from "../ops/gradient_control.ts";
import { flattenArrays } from "./arguments.ts";
import { present, pushedGraph } from "./derivative_graphs.ts";
import { pullBack } from "./differentiate.ts";
import {
  bindFunction,
  closedGraph,
  type FunctionRules,
  positionsFrom,
} from "./function_operation.ts";
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
    // The derivative's intermediates are no more kept than the function's own.
    jvp: (inputs, tangents) =>
      bindFunction(checkpointed(pushedGraph(graph, inputs, tangents)), [
        ...inputs,
        ...present(tangents),
      ]),
    // Behind the barrier nothing is taken for what the forward pass computed.
    vjp: (cotangents, inputs) => pullBack(graph, inputs.map(optimizationBarrier))[1](cotangents),
    rewritten: (rewrite) => checkpointed(rewrite(graph, positionsFrom(0, graph.inputs.length))),
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
