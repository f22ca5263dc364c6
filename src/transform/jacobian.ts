// Whole matrices of derivatives: every row or column at once, as a batch of pullbacks or pushes.

import { isFloating } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { unflatten } from "../core/pytree.ts";
import { sizeOf } from "../core/shape.ts";
import type { NDArray } from "../array.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { equal } from "../ops/comparison.ts";
import { iota } from "../ops/constant.ts";
import { reshape, transpose } from "../ops/movement.ts";
import { checkGradOptions, chosenArguments, rebuild } from "./arguments.ts";
import { batchGraph, withBatchAxis } from "./batch.ts";
import { pullBack, pushForward, zerosOf } from "./differentiate.ts";
import type { GradientOf } from "./grad.ts";
import {
  type AnyFunction,
  releaseMade,
  runTraced,
  traceCall,
  type TracedCall,
} from "./traced_call.ts";

/** What `jacrev`, `jacfwd` and `hessian` may be told. */
export interface JacobianOptions {
  /** Which arguments to differentiate; a number gives one tree, an array a tuple of them. Default 0. */
  readonly argnums?: number | readonly number[];
}

/** The tree of the result, with the tree of the arguments in place of every array. */
export type JacobianOf<Out, In> = Out extends NDArray | number ? In
  : Out extends object ? { [K in keyof Out]: JacobianOf<Out[K], In> }
  : In;

/** For a result's leaf and each chosen input, the derivatives, of the one's shape and then the other's. */
type Derivatives = (
  traced: TracedCall,
  inputs: readonly Value[],
  wanted: readonly boolean[],
) => readonly (readonly Value[])[];

/** The unit vectors of an array's space: `[size, ...shape]`. */
function basisOf({ aval: { shape, dtype } }: Value): Value {
  const size = sizeOf(shape);
  const square = [size, size];
  const ones = equal(iota(square, 0, "int32"), iota(square, 1, "int32"));
  return reshape(astype(ones, dtype), [size, ...shape]);
}

/** Runs a body of one value on all unit vectors of `like` at once. */
function overBasis(like: Value, body: (unit: Value) => readonly Value[]): readonly Value[] {
  const size = sizeOf(like.aval.shape);
  const graph = traceGraph((unit) => body(unit!), [like.aval]);
  const out = batchGraph(graph, { values: [basisOf(like)], batched: [true] }, size);
  return out.values.map((x, i) => out.batched[i] ? x : withBatchAxis(x, size));
}

const backward: Derivatives = ({ graph }, inputs, wanted) => {
  const [results, pullback] = pullBack(graph, inputs, wanted);
  return results.map((result, at) => {
    const rows = overBasis(result, (unit) => {
      const cotangents = pullback(results.map((_, i) => i === at ? unit : undefined));
      return inputs.flatMap((x, i) => wanted[i] ? [cotangents[i] ?? zerosOf(x)] : []);
    });
    const sources = inputs.filter((_, i) => wanted[i]);
    return rows.map((x, i) => reshape(x, [...result.aval.shape, ...sources[i]!.aval.shape]));
  });
};

const forward: Derivatives = ({ graph }, inputs, wanted) => {
  const columns = inputs.flatMap((source, at) => {
    if (!wanted[at]) return [];
    const moved = overBasis(source, (unit) => {
      const tangents = inputs.map((_, i) => i === at ? unit : undefined);
      const [results, out] = pushForward(graph, inputs, tangents);
      return results.map((x, i) => out[i] ?? zerosOf(x));
    });
    return [moved.map((x) => {
      const rank = x.aval.shape.length;
      const order = [...Array.from({ length: rank - 1 }, (_, axis) => axis + 1), 0];
      return reshape(transpose(x, order), [...x.aval.shape.slice(1), ...source.aval.shape]);
    })];
  });
  return graph.outputs.map((_, at) => columns.map((column) => column[at]!));
};

function jacobian(
  what: string,
  derivatives: Derivatives,
  fn: AnyFunction,
  options: JacobianOptions,
): (...args: unknown[]) => unknown {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot ${what}: a function is required, got ${describe(fn)}`);
  }
  checkGradOptions(what, options, ["argnums"]);
  const { argnums = 0 } = options;
  const chosen = typeof argnums === "number" ? [argnums] : argnums;
  return (...args) => {
    const trees = chosenArguments(what, args, chosen);
    const traced = traceCall(fn, trees, what);
    for (const { aval: { dtype } } of traced.graph.outputs) {
      if (isFloating(dtype)) continue;
      throw new TypeError(
        `Cannot ${what}: the function must return floating arrays, got ${dtype}; convert it with astype`,
      );
    }
    const leaves = trees.flatMap((tree) => tree.leaves);
    const wanted = trees.flatMap((tree, i) => tree.leaves.map(() => chosen.includes(i)));
    const flat = runTraced(
      leaves,
      (inputs) => derivatives(traced, inputs, wanted).flat(),
      what,
    );
    releaseMade(trees, what);
    const perResult = wanted.filter((w) => w).length;
    const rows = traced.graph.outputs.map((_, at) => {
      const row = flat.slice(at * perResult, (at + 1) * perResult);
      let next = 0;
      const parts = new Map(
        trees.flatMap((tree, i) =>
          chosen.includes(i)
            ? [[i, rebuild(tree, row.slice(next, next += tree.leaves.length))] as const]
            : []
        ),
      );
      return typeof argnums === "number" ? parts.get(argnums) : chosen.map((n) => parts.get(n));
    });
    return unflatten(traced.structure, rows);
  };
}

/**
 * All derivatives of a function's result, by reverse mode: a pullback for every element of the result, run
 * as one batch. Cheap where the result is small. Each has the result's shape and then the argument's; for
 * trees it is the tree of the result with the argument's tree in place of every array.
 *
 * @throws {TypeError} at a call, if an argument or a result is not floating.
 *
 * @example
 * ```ts
 * import { init, jacrev, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const matrix = jacrev((x: NDArray) => jnp.cumsum(x))(jnp.ones([3]));
 * console.log(await matrix.toList()); // [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
 * ```
 */
export function jacrev<
  F extends AnyFunction,
  const Options extends JacobianOptions = Record<never, never>,
>(
  fn: F,
  options?: Options,
): (
  ...args: Parameters<F>
) => JacobianOf<ReturnType<F>, GradientOf<Parameters<F>, Options>> {
  return jacobian("jacrev", backward, fn, options ?? {}) as never;
}

/**
 * All derivatives of a function's result, by forward mode: a push for every element of the argument, run as
 * one batch. Cheap where the argument is small. The result is that of {@linkcode jacrev}.
 *
 * @throws {TypeError} at a call, if an argument or a result is not floating.
 */
export function jacfwd<
  F extends AnyFunction,
  const Options extends JacobianOptions = Record<never, never>,
>(
  fn: F,
  options?: Options,
): (
  ...args: Parameters<F>
) => JacobianOf<ReturnType<F>, GradientOf<Parameters<F>, Options>> {
  return jacobian("jacfwd", forward, fn, options ?? {}) as never;
}

/**
 * All second derivatives of a scalar function: {@linkcode jacfwd} of {@linkcode jacrev}.
 *
 * @throws {TypeError} at a call, if an argument or the result is not floating.
 *
 * @example
 * ```ts
 * import { hessian, init, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const matrix = hessian((x: NDArray) => jnp.sum(x.mul(x).mul(x)))(jnp.array([1, 2]));
 * console.log(await matrix.toList()); // [[6, 0], [0, 12]]
 * ```
 */
export function hessian<
  F extends AnyFunction,
  const Options extends JacobianOptions = Record<never, never>,
>(
  fn: F,
  options?: Options,
): (
  ...args: Parameters<F>
) => JacobianOf<
  JacobianOf<ReturnType<F>, GradientOf<Parameters<F>, Options>>,
  GradientOf<Parameters<F>, Options>
> {
  const first = jacobian("hessian", backward, fn, options ?? {});
  return jacobian("hessian", forward, first, options ?? {}) as never;
}
