// Gradients: grad and valueAndGrad of functions of trees.

import { isFloating } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import { type TreeStructure, unflatten } from "../core/pytree.ts";
import type { NDArray } from "../array.ts";
import type { Graph } from "../ir/graph.ts";
import type { Value } from "../ir/value.ts";
import { constant } from "../ops/constant.ts";
import {
  checkGradOptions,
  chosenArguments,
  type FlatTree,
  type GradOptions,
  rebuild,
} from "./arguments.ts";
import { pullBack, zerosOf } from "./differentiate.ts";
import { type AnyFunction, releaseMade, runTraced, traceCall } from "./traced_call.ts";

export type { AnyFunction, GradOptions };

/** A gradient's type: its argument's, but an array where that may be a number. */
export type Gradient<T> = [unknown] extends [T] ? T
  : [NDArray] extends [T] ? NDArray
  : T extends number ? NDArray
  : T;

/** The gradient for the one argument that `argnums` chooses, or a tuple for several. */
export type GradientOf<Args extends readonly unknown[], Options> = Options extends
  { readonly argnums: infer Chosen }
  ? Chosen extends readonly number[]
    ? { -readonly [K in keyof Chosen]: Gradient<Args[Chosen[K] & number]> }
  : Chosen extends number ? Gradient<Args[Chosen]>
  : never
  : Gradient<Args[0]>;

/** What `grad` returns: the gradient, with `hasAux` beside what else the function returned. */
export type GradResult<F extends AnyFunction, Options> = Options extends { readonly hasAux: true }
  ? [
    gradient: GradientOf<Parameters<F>, Options>,
    aux: ReturnType<F> extends readonly [unknown, infer Aux] ? Aux : never,
  ]
  : GradientOf<Parameters<F>, Options>;

/**
 * A function that returns a function's value and its gradient with respect to its first argument, or those
 * that `argnums` chooses. Each gradient has the dtype of the leaf it belongs to. With `hasAux` the value is
 * `[value, aux]`.
 *
 * @throws {TypeError} at a call, if the value is not a floating scalar or an argument is not floating.
 *
 * @example
 * ```ts
 * import { init, type NDArray, numpy as jnp, valueAndGrad } from "@zenith/jax";
 *
 * await init();
 * const step = valueAndGrad((w: NDArray, x: NDArray) => jnp.mean(jnp.square(x.matmul(w))));
 * const [loss, gradient] = step(jnp.ones([3, 2]), jnp.ones([4, 3]));
 * console.log(await loss.item(), gradient.shape); // 9 [3, 2]
 * ```
 */
export function valueAndGrad<
  F extends AnyFunction,
  const Options extends GradOptions = Record<never, never>,
>(
  fn: F,
  options?: Options,
): (
  ...args: Parameters<F>
) => [value: ReturnType<F>, gradient: GradientOf<Parameters<F>, Options>] {
  return differentiated("valueAndGrad", fn, options ?? {}) as never;
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
export function grad<
  F extends AnyFunction,
  const Options extends GradOptions = Record<never, never>,
>(fn: F, options?: Options): (...args: Parameters<F>) => GradResult<F, Options> {
  const both = differentiated("grad", fn, options ?? {});
  return ((...args: Parameters<F>) => {
    const [value, gradient] = both(...args);
    if (!options?.hasAux) {
      (value as NDArray).consume("grad, which returns the gradient alone");
      return gradient;
    }
    const [loss, aux] = value as [NDArray, unknown];
    loss.consume("grad, which returns the gradient and aux alone");
    return [gradient, aux];
  }) as never;
}

function differentiated(
  what: string,
  fn: AnyFunction,
  options: GradOptions,
): (...args: unknown[]) => [value: unknown, gradient: unknown] {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot ${what}: a function is required, got ${describe(fn)}`);
  }
  checkGradOptions(what, options);
  const { argnums = 0, hasAux = false } = options;
  const chosen = typeof argnums === "number" ? [argnums] : argnums;
  return (...args) => {
    const trees = chosenArguments(what, args, chosen);
    const traced = traceCall(fn, trees, what);
    checkScalar(what, traced.graph, traced.structure, hasAux);
    const leaves = trees.flatMap((tree) => tree.leaves);
    const wanted = trees.flatMap((tree, i) => tree.leaves.map(() => chosen.includes(i)));
    const flat = runTraced(leaves, (inputs) => {
      const [results, pullback] = pullBack(traced.graph, inputs, wanted);
      const cotangents = pullback([constant(1, results[0]!.aval.dtype)]);
      return [...results, ...wantedCotangents(inputs, cotangents, wanted)];
    }, what);
    releaseMade(trees, what);
    const count = traced.graph.outputs.length;
    const gradients = byArgument(trees, chosen, flat.slice(count));
    const value = unflatten(traced.structure, flat.slice(0, count));
    return [value, typeof argnums === "number" ? gradients[0] : gradients];
  };
}

/** The cotangents of the inputs that are asked for; zeros where the result does not depend on one. */
export function wantedCotangents(
  inputs: readonly Value[],
  cotangents: readonly (Value | undefined)[],
  wanted: readonly boolean[],
): Value[] {
  return inputs.flatMap((x, i) => wanted[i] ? [cotangents[i] ?? zerosOf(x)] : []);
}

/** Gradients lie in the order of the arguments, which `argnums` may name in another. */
function byArgument(
  trees: readonly FlatTree[],
  chosen: readonly number[],
  flat: readonly NDArray[],
): unknown[] {
  return chosen.map((n) => {
    const start = trees.slice(0, n).reduce(
      (sum, tree, i) => sum + (chosen.includes(i) ? tree.leaves.length : 0),
      0,
    );
    return rebuild(trees[n]!, flat.slice(start, start + trees[n]!.leaves.length));
  });
}

function checkScalar(what: string, graph: Graph, structure: TreeStructure, hasAux: boolean): void {
  if (hasAux && (structure.kind !== "array" || structure.children.length !== 2)) {
    throw new TypeError(
      `Cannot ${what}: with hasAux the function must return [value, aux], got ${structure}`,
    );
  }
  const value = hasAux ? structure.children[0]! : structure;
  if (value.numLeaves !== 1 || value.children.length > 0) {
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
