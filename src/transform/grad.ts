// Gradients: grad, valueAndGrad, vjp and jvp of functions of trees.

import { isFloating } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import { flattenUpTo, type TreeStructure, unflatten } from "../core/pytree.ts";
import { asArray, asNDArray, type NDArray } from "../array.ts";
import type { Graph } from "../ir/graph.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import {
  checkGradOptions,
  flattenArrays,
  flattenDifferentiable,
  type FlatTree,
  type GradOptions,
  rebuild,
} from "./arguments.ts";
import { pullBack, pushForward, zerosOf } from "./differentiate.ts";
import { runGraph } from "./run_graph.ts";
import { flattenResult } from "./trace_tree.ts";

export type { GradOptions };

/** A function as `grad` and its like take it. */
// deno-lint-ignore no-explicit-any -- what the parameters are is up to the user's function.
export type AnyFunction = (...args: any[]) => any;

/** The gradient for one argument, or a tuple for several. */
export type GradientOf<Args extends readonly unknown[]> = Args[0];

/** Traces a function of its chosen trees; everything else is captured. */
function traceFlat(
  fn: (...trees: unknown[]) => unknown,
  trees: readonly FlatTree[],
  what: string,
): { graph: Graph; structure: TreeStructure } {
  let structure: TreeStructure | undefined;
  const avals = trees.flatMap((tree) => tree.leaves.map((leaf) => leaf.aval));
  const graph = traceGraph((...inputs: Value[]) => {
    let next = 0;
    const args = trees.map((tree) => {
      const leaves = inputs.slice(next, next += tree.leaves.length);
      return rebuild(tree, leaves);
    });
    const [leaves, shape] = flattenResult(fn(...args), what);
    structure = shape;
    return leaves;
  }, avals);
  return { graph, structure: structure! };
}

/** Traces `body` as one graph of the leaves and runs it. */
function runBody(
  leaves: readonly Value[],
  body: (inputs: readonly Value[]) => readonly Value[],
  what: string,
): readonly NDArray[] {
  const graph = traceGraph((...inputs) => body(inputs), leaves.map((leaf) => leaf.aval));
  return runGraph(graph, leaves, what).map(asNDArray);
}

/**
 * A function that returns a function's value and its gradient. Each gradient has the dtype of the leaf it
 * belongs to.
 *
 * @throws {TypeError} at a call, if the value is not a floating scalar or an argument is not floating.
 */
export function valueAndGrad<F extends AnyFunction>(
  fn: F,
  options: GradOptions = {},
): (...args: Parameters<F>) => [value: ReturnType<F>, gradient: GradientOf<Parameters<F>>] {
  return differentiate("valueAndGrad", fn, options) as never;
}

/**
 * A function that returns a function's gradient with respect to its first argument, or those that
 * `argnums` chooses. With `hasAux` it returns `[gradient, aux]`.
 *
 * @throws {TypeError} at a call, if the value is not a floating scalar or an argument is not floating.
 *
 * @example
 * ```ts
 * import { grad, init, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const gradient = grad((x: NDArray) => jnp.sum(x.mul(x)));
 * console.log(await gradient(jnp.array([1, 2, 3])).toList()); // [2, 4, 6]
 * ```
 */
export function grad<F extends AnyFunction>(
  fn: F,
  options: GradOptions = {},
): (...args: Parameters<F>) => GradientOf<Parameters<F>> {
  const both = differentiate("grad", fn, options);
  return ((...args: Parameters<F>) => {
    const [value, gradient] = both(...args);
    return options.hasAux ? [gradient, (value as unknown[])[1]] : gradient;
  }) as never;
}

function differentiate(
  what: string,
  fn: AnyFunction,
  options: GradOptions,
): (...args: unknown[]) => [unknown, unknown] {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot ${what}: a function is required, got ${describe(fn)}`);
  }
  checkGradOptions(what, options);
  const { argnums = 0, hasAux = false } = options;
  const chosen = typeof argnums === "number" ? [argnums] : argnums;
  return (...args) => {
    const missing = chosen.find((n) => n >= args.length);
    if (missing !== undefined) {
      throw new RangeError(
        `Cannot ${what}: argnums names argument ${missing}, but the call has ${args.length}`,
      );
    }
    const trees = args.map((arg, i) =>
      chosen.includes(i)
        ? flattenDifferentiable(arg, what, `argument ${i}`)
        : flattenArrays(arg, what, `argument ${i}`)
    );
    const traced = traceFlat((...inputs) => fn(...inputs), trees, what);
    checkScalar(what, traced.graph, traced.structure, hasAux);
    const leaves = trees.flatMap((tree) => tree.leaves);
    const wanted = trees.flatMap((tree, i) => tree.leaves.map(() => chosen.includes(i)));
    const flat = runBody(leaves, (inputs) => {
      const [results, pullback] = pullBack(traced.graph, inputs, wanted);
      const [loss] = results as [Value];
      const cotangents = pullback([constant(1, loss.aval.dtype)]);
      const gradients = inputs.flatMap((x, i) => wanted[i] ? [cotangents[i] ?? zerosOf(x)] : []);
      return [...results, ...gradients];
    }, what);
    const value = unflatten(traced.structure, flat.slice(0, traced.graph.outputs.length));
    let next = traced.graph.outputs.length;
    const gradients = chosen.map((n) => {
      const tree = trees[n]!;
      // Gradients come in the order of the arguments, which argnums may name in another.
      const before = trees.slice(0, n).reduce(
        (sum, t, i) => sum + (chosen.includes(i) ? t.leaves.length : 0),
        0,
      );
      return rebuild(tree, flat.slice(next + before, next + before + tree.leaves.length));
    });
    next = flat.length;
    return [value, typeof argnums === "number" ? gradients[0] : gradients];
  };
}

function checkScalar(what: string, graph: Graph, structure: TreeStructure, hasAux: boolean): void {
  if (hasAux && (structure.kind !== "array" || structure.children.length !== 2)) {
    throw new TypeError(
      `Cannot ${what}: with hasAux the function must return [value, aux], got ${structure}`,
    );
  }
  const value = hasAux ? structure.children[0]! : structure;
  if (value.numLeaves !== 1) {
    throw new TypeError(
      `Cannot ${what}: the function must return one scalar, got ${structure}; to return more, use hasAux`,
    );
  }
  const { shape, dtype } = graph.outputs[0]!.aval;
  if (shape.length > 0) {
    throw new TypeError(
      `Cannot ${what}: the function must return a scalar, got shape ${
        showShape(shape)
      }; reduce it, for example with numpy.sum, or use vjp or jacrev`,
    );
  }
  if (!isFloating(dtype)) {
    throw new TypeError(`Cannot ${what}: the function must return a floating scalar, got ${dtype}`);
  }
}

/**
 * A function's value and the function that takes a cotangent of it back to one for each argument. The
 * pullback may be called any number of times.
 */
export function vjp<F extends AnyFunction>(
  fn: F,
  ...primals: Parameters<F>
): [out: ReturnType<F>, pullback: (cotangent: ReturnType<F>) => Parameters<F>] {
  const trees = primals.map((arg, i) => flattenDifferentiable(arg, "vjp", `argument ${i}`));
  const traced = traceFlat((...inputs) => fn(...inputs), trees, "vjp");
  const leaves = trees.flatMap((tree) => tree.leaves);
  const count = traced.graph.outputs.length;
  const results = runGraph(traced.graph, leaves, "vjp").map(asNDArray);
  const pullback = (cotangent: unknown): unknown[] => {
    const given = matchTangents(
      "vjp",
      traced.structure,
      cotangent,
      traced.graph.outputs.map((v) => v.aval),
    );
    const back = runBody([...leaves, ...given], (inputs) => {
      const [, pull] = pullBack(traced.graph, inputs.slice(0, leaves.length));
      const cotangents = pull(inputs.slice(leaves.length));
      return leaves.map((_, i) => cotangents[i] ?? zerosOf(inputs[i]!));
    }, "vjp");
    let next = 0;
    return trees.map((tree) => rebuild(tree, back.slice(next, next += tree.leaves.length)));
  };
  return [unflatten(traced.structure, results.slice(0, count)), pullback] as never;
}

/**
 * A function's value at `primals` and its derivative in the direction of `tangents`, by forward mode.
 *
 * @param primals the arguments, as an array.
 * @param tangents as many, each of the tree, shapes and dtypes of its primal.
 */
export function jvp<F extends AnyFunction>(
  fn: F,
  primals: Parameters<F>,
  tangents: Parameters<F>,
): [out: ReturnType<F>, tangent: ReturnType<F>] {
  if (!Array.isArray(primals) || !Array.isArray(tangents) || primals.length !== tangents.length) {
    throw new TypeError(
      `Cannot jvp: primals and tangents must be arrays of equal length, got ${
        describe(primals)
      } and ${describe(tangents)}`,
    );
  }
  const trees = primals.map((arg, i) => flattenDifferentiable(arg, "jvp", `argument ${i}`));
  const traced = traceFlat((...inputs) => fn(...inputs), trees, "jvp");
  const leaves = trees.flatMap((tree) => tree.leaves);
  const moving = trees.flatMap((tree, i) =>
    matchTangents("jvp", tree.structure, tangents[i], tree.leaves.map((leaf) => leaf.aval))
  );
  const count = traced.graph.outputs.length;
  const flat = runBody([...leaves, ...moving], (inputs) => {
    const [results, out] = pushForward(
      traced.graph,
      inputs.slice(0, leaves.length),
      inputs.slice(leaves.length),
    );
    return [...results, ...results.map((x, i) => out[i] ?? zerosOf(x))];
  }, "jvp");
  return [
    unflatten(traced.structure, flat.slice(0, count)),
    unflatten(traced.structure, flat.slice(count)),
  ] as never;
}

/** The leaves of a tangent or cotangent tree, which must fit the values they belong to. */
function matchTangents(
  what: string,
  structure: TreeStructure,
  tree: unknown,
  avals: readonly Value["aval"][],
): NDArray[] {
  const leaves = flattenUpTo(what, structure, tree, "tangent");
  return leaves.map((leaf, i) => {
    const { shape, dtype } = avals[i]!;
    const array = asNDArray(astype(asArray(leaf as NDArray, what), dtype));
    if (showShape(array.shape) === showShape(shape)) return array;
    throw new RangeError(
      `Cannot ${what}: a tangent must have the shape of its value, got ${
        showShape(array.shape)
      } for ${showShape(shape)}`,
    );
  });
}
