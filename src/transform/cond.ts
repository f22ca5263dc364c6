// cond: one of two functions, by a truth value that is known when the program runs.

import { promoteTypes } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import { unflatten } from "../core/pytree.ts";
import { asArray, asNDArray, NDArray } from "../array.ts";
import { sameAval, showAval } from "../ir/aval.ts";
import type { Graph, Variable } from "../ir/graph.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { where } from "../ops/selection.ts";
import { flattenArrays } from "./arguments.ts";
import { cotangentsOf, present, pulledGraph, pushedGraph } from "./derivative_graphs.ts";
import {
  bindFunction,
  closedGraph,
  type FunctionRules,
  positionsFrom,
} from "./function_operation.ts";
import {
  type AnyFunction,
  releaseMade,
  runTraced,
  traceCall,
  type TracedCall,
} from "./traced_call.ts";

/** Two graphs of the same inputs and results, none of which captures anything. */
type Branches = readonly [whenTrue: Graph, whenFalse: Graph];

function each(branches: Branches, derive: (graph: Graph) => Graph): Branches {
  return [derive(branches[0]), derive(branches[1])];
}

/** Applies one of two graphs; the derivative is that of the one, so that nothing of the other leaks in. */
function bindBranches(
  branches: Branches,
  predicate: Value,
  inputs: readonly Value[],
): readonly Value[] {
  return bindFunction(conditional(branches), [predicate, ...inputs]);
}

function conditional(branches: Branches): FunctionRules {
  const [whenTrue, whenFalse] = branches.map(closedGraph) as [
    ReturnType<typeof closedGraph>,
    ReturnType<typeof closedGraph>,
  ];
  return {
    name: "cond",
    params: { whenTrue: whenTrue.text, whenFalse: whenFalse.text },
    inputs: [{ shape: [], dtype: "bool" }, ...branches[0].inputs.map((v) => v.aval)],
    outputs: branches[0].outputs.map((v) => v.aval),
    run: ([predicate, ...inputs]) => {
      const others = whenFalse.run(inputs);
      return whenTrue.run(inputs).map((x, i) => where(predicate!, x, others[i]!));
    },
    jvp: ([predicate, ...inputs], [, ...tangents]) => {
      const pushed = each(branches, (graph) => pushedGraph(graph, inputs, tangents));
      return bindBranches(pushed, predicate!, [...inputs, ...present(tangents)]);
    },
    vjp: (cotangents, [predicate, ...inputs]) => {
      const pulled = each(branches, (graph) => pulledGraph(graph, inputs, cotangents));
      const back = bindBranches(pulled, predicate!, [...inputs, ...present(cotangents)]);
      return [undefined, ...cotangentsOf(inputs, back)];
    },
    rewritten: (rewrite) => {
      const positions = positionsFrom(1, 1 + branches[0].inputs.length);
      return conditional(joinedTypes(each(branches, (graph) => rewrite(graph, positions))));
    },
  };
}

/** Branches whose results have other dtypes, with those that they promote to. */
function joinedTypes(branches: Branches): Branches {
  const [first, second] = branches.map(({ outputs }) => outputs) as [
    readonly Variable[],
    readonly Variable[],
  ];
  const dtypes = first.map((v, i) => promoteTypes([v.aval, second[i]!.aval]).dtype);
  return each(branches, (graph) =>
    traceGraph(
      (...xs) => closedGraph(graph).run(xs).map((x, i) => astype(x, dtypes[i]!)),
      graph.inputs.map((v) => v.aval),
    ));
}

/** Both branches as graphs of the operands and of all that either captures. */
function joinBranches(
  whenTrue: Graph,
  whenFalse: Graph,
): { readonly branches: Branches; readonly captures: readonly Value[] } {
  const captures = [...whenTrue.captures, ...whenFalse.captures];
  const own = whenTrue.inputs.length - whenTrue.captures.length;
  const avals = [
    ...whenTrue.inputs.slice(0, own).map((v) => v.aval),
    ...captures.map((x) => x.aval),
  ];
  const first = closedGraph(whenTrue);
  const second = closedGraph(whenFalse);
  const split = own + whenTrue.captures.length;
  const branches: Branches = [
    traceGraph((...xs) => first.run(xs.slice(0, split)), avals),
    traceGraph((...xs) => second.run([...xs.slice(0, own), ...xs.slice(split)]), avals),
  ];
  return { branches, captures };
}

/** Applies one of two traced functions of the same operands. */
export function bindCond(
  predicate: Value,
  whenTrue: Graph,
  whenFalse: Graph,
  operands: readonly Value[],
): readonly Value[] {
  const { branches, captures } = joinBranches(whenTrue, whenFalse);
  return bindBranches(branches, predicate, [...operands, ...captures]);
}

function checkBranches(a: TracedCall, b: TracedCall): void {
  if (!a.structure.equals(b.structure)) {
    throw new TypeError(
      `Cannot cond: both functions must return the same tree, got ${a.structure} and ${b.structure}`,
    );
  }
  a.graph.outputs.forEach(({ aval }, i) => {
    const other = b.graph.outputs[i]!.aval;
    if (sameAval(aval, other)) return;
    throw new TypeError(
      `Cannot cond: both functions must return the same shapes and dtypes, got ${
        showAval(aval)
      } and ${showAval(other)}`,
    );
  });
}

function truthOf(predicate: unknown): NDArray {
  const value = asArray(predicate as NDArray, "cond");
  if (value.shape.length === 0) return asNDArray(astype(value, "bool"));
  throw new TypeError(
    `Cannot cond: the predicate must be a scalar, got shape ${
      showShape(value.shape)
    }; numpy.where selects element by element`,
  );
}

/**
 * The result of one of two functions of the same operands, by a scalar. Derivatives are those of the one
 * that is chosen: no NaN or infinity of the other leaks in. A JS boolean runs that function alone; for an
 * array both are computed and one is selected, inside `jit` and outside, so nothing waits for the predicate.
 *
 * @throws {TypeError} if the functions return different trees, shapes or dtypes, or the predicate is no
 * scalar.
 *
 * @example
 * ```ts
 * import { init, lax, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array(-4);
 * const y = lax.cond(x.greater(0), (v: NDArray) => jnp.sqrt(v), (v: NDArray) => v.mul(0), x);
 * console.log(await y.item());
 * ```
 */
export function cond<Operands extends readonly unknown[], Result>(
  predicate: NDArray | number | boolean,
  whenTrue: (...operands: Operands) => Result,
  whenFalse: (...operands: Operands) => Result,
  ...operands: Operands
): Result {
  for (const given of [whenTrue, whenFalse]) {
    if (typeof given === "function") continue;
    throw new TypeError(`Cannot cond: two functions are required, got ${describe(given)}`);
  }
  if (!(predicate instanceof NDArray)) {
    const chosen = predicate ? whenTrue : whenFalse;
    return chosen(...operands);
  }
  const trees = operands.map((x, i) => flattenArrays(x, "cond", `operand ${i}`));
  const first = traceCall(whenTrue as AnyFunction, trees, "cond");
  const second = traceCall(whenFalse as AnyFunction, trees, "cond");
  checkBranches(first, second);
  const leaves = [truthOf(predicate), ...trees.flatMap((tree) => tree.leaves)];
  const results = runTraced(
    leaves,
    ([truth, ...own]) => bindCond(truth!, first.graph, second.graph, own),
    "cond",
  );
  releaseMade(trees, "cond");
  return unflatten(first.structure, results) as Result;
}
