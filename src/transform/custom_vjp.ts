// customVjp: a function with a backward pass of the user's own.

import { isFloating } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import { flattenUpTo, type TreeStructure, unflatten } from "../core/pytree.ts";
import { sameShape } from "../core/shape.ts";
import { asArray, asNDArray, type NDArray } from "../array.ts";
import type { Graph } from "../ir/graph.ts";
import { isTracing } from "../ir/trace.ts";
import type { Tangent } from "../ir/operation.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { flattenArrays, type FlatTree } from "./arguments.ts";
import { zerosOf } from "./differentiate.ts";
import {
  bindFunction,
  closedGraph,
  type FunctionRules,
  positionsFrom,
} from "./function_operation.ts";
import { type AnyFunction, traceCall, type TracedCall } from "./traced_call.ts";

const what = "customVjp";

/** The structures of `[result, residuals]`, which the forward function must return. */
function forwardStructures({ structure }: TracedCall, result: TreeStructure): TreeStructure {
  const [out, residuals] = structure.children;
  if (structure.kind === "array" && structure.children.length === 2 && out!.equals(result)) {
    return residuals!;
  }
  throw new TypeError(
    `Cannot ${what}: fwd must return [result, residuals] with the result of fn, ${result}, got ${structure}`,
  );
}

/** What the backward function returned as cotangents of all leaves. */
function leafCotangents(given: unknown, trees: readonly FlatTree[]): Tangent[] {
  if (!Array.isArray(given) || given.length !== trees.length) {
    throw new TypeError(
      `Cannot ${what}: bwd must return an array of ${trees.length} cotangents, one for each argument (null where there is none), got ${
        describe(given)
      }`,
    );
  }
  return trees.flatMap((tree, at): Tangent[] => {
    const none = given[at] === null || given[at] === undefined;
    if (none) return tree.leaves.map(() => undefined);
    const leaves = flattenUpTo(what, tree.structure, given[at], `cotangent ${at}`);
    return leaves.map((leaf, i) => checkedCotangent(leaf as NDArray, tree.leaves[i]!, at));
  });
}

function checkedCotangent(leaf: NDArray, primal: Value, at: number): Tangent {
  const { shape, dtype } = primal.aval;
  if (!isFloating(dtype)) return undefined;
  const value = asArray(leaf, what);
  if (sameShape(value.shape, shape)) return value;
  throw new RangeError(
    `Cannot ${what}: bwd must return cotangents of the arguments' shapes, got ${
      showShape(value.shape)
    } for ${showShape(shape)} of argument ${at}`,
  );
}

/**
 * A function with a backward pass of its own. Under differentiation `fwd` runs in place of `fn`, and what it
 * returns beside the result goes to `bwd`. What the functions use without taking it as an argument is a
 * constant to derivatives.
 *
 * @param fn the function.
 * @param fwd takes the same arguments and returns `[result, residuals]`, the residuals any tree of arrays.
 * @param bwd takes the residuals and the result's cotangent, and returns an array of the arguments'
 * cotangents: a tree like the argument, or null for none.
 * @throws {TypeError} if `fwd` or `bwd` returns something else, and under forward-mode differentiation, for
 * which there is no rule.
 *
 * @example
 * ```ts
 * import { customVjp, grad, init, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * // The identity, whose gradient is clipped.
 * const clipped = customVjp(
 *   (x: NDArray) => x,
 *   (x: NDArray): [NDArray, null] => [x, null],
 *   (_: null, g: NDArray) => [jnp.clip(g, -1, 1)],
 * );
 * const slope = grad((x: NDArray) => jnp.sum(clipped(x).mul(5)));
 * console.log(await slope(jnp.ones([2])).toList()); // [1, 1]
 * ```
 */
export function customVjp<Args extends readonly unknown[], Result, Residuals>(
  fn: (...args: Args) => Result,
  fwd: (...args: Args) => readonly [result: Result, residuals: Residuals],
  bwd: (residuals: Residuals, cotangent: Result) => readonly unknown[],
): (...args: Args) => Result {
  for (const [name, given] of Object.entries({ fn, fwd, bwd })) {
    if (typeof given === "function") continue;
    throw new TypeError(`Cannot ${what}: ${name} must be a function, got ${describe(given)}`);
  }
  return (...args) => isTracing() ? recorded(fn, fwd, bwd as AnyFunction, args) : fn(...args);
}

/** A function with its own backward pass, traced. */
interface CustomFunction {
  /** The function: of the arguments' leaves and what it captures. */
  readonly body: Graph;
  /** What runs in its place under differentiation: of the arguments' leaves and what that captures. */
  readonly forward: Graph;
  /** How many leaves the arguments have. */
  readonly leaves: number;
  /** The cotangents of the leaves, from the results of `forward` and the cotangents of those of `body`. */
  backward(forward: readonly Value[], cotangents: readonly NDArray[]): readonly Tangent[];
}

function customRules(custom: CustomFunction): FunctionRules {
  const [body, forward] = [closedGraph(custom.body), closedGraph(custom.forward)];
  const ownEnd = custom.body.inputs.length;
  const forwardInputs = <T>(all: readonly T[]) => [
    ...all.slice(0, custom.leaves),
    ...all.slice(ownEnd),
  ];
  const inputs = [...body.graph.inputs, ...forward.graph.inputs.slice(custom.leaves)];
  return {
    name: what,
    params: { graph: body.text, forward: forward.text },
    inputs: inputs.map((v) => v.aval),
    outputs: body.graph.outputs.map((v) => v.aval),
    run: (values) => body.run(values.slice(0, ownEnd)),
    jvp: () => {
      throw new TypeError(
        "Cannot jvp: a function made by customVjp has no forward-mode derivative; use grad, vjp or jacrev",
      );
    },
    vjp: (cotangents, values) => {
      const out = forward.run(forwardInputs(values));
      const given = cotangents.map((t, i) => asNDArray(t ?? zerosOf(out[i]!)));
      const back = custom.backward(out, given);
      return back.map((t, i) => t && astype(t, values[i]!.aval.dtype));
    },
    rewritten: (rewrite) =>
      customRules({
        ...custom,
        body: rewrite(body.graph, positionsFrom(0, ownEnd)),
        forward: rewrite(forward.graph, forwardInputs(positionsFrom(0, inputs.length))),
      }),
  };
}

function recorded<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  fwd: (...args: Args) => unknown,
  bwd: AnyFunction,
  args: Args,
): Result {
  const trees = args.map((arg, i) => flattenArrays(arg, what, `argument ${i}`));
  const plain = traceCall(fn as AnyFunction, trees, what);
  const traced = traceCall(fwd as AnyFunction, trees, what);
  const residuals = forwardStructures(traced, plain.structure);
  const leaves: Value[] = trees.flatMap((tree) => tree.leaves);
  const count = plain.graph.outputs.length;
  const rules = customRules({
    body: plain.graph,
    forward: traced.graph,
    leaves: leaves.length,
    backward: (out, cotangents) => {
      const kept = unflatten(residuals, out.slice(count).map(asNDArray));
      return leafCotangents(bwd(kept, unflatten(plain.structure, cotangents)), trees);
    },
  });
  const results = bindFunction(rules, [
    ...leaves,
    ...plain.graph.captures,
    ...traced.graph.captures,
  ]);
  return unflatten(plain.structure, results) as Result;
}
