// vjp and jvp: derivatives in one direction, backwards and forwards.

import { isFloating } from "../core/dtype.ts";
import { describe, showShape } from "../core/errors.ts";
import { flattenUpTo, type TreeStructure, unflatten } from "../core/pytree.ts";
import { sameShape } from "../core/shape.ts";
import { asArray, asNDArray, type NDArray } from "../array.ts";
import type { Aval } from "../ir/aval.ts";
import { astype } from "../ops/cast.ts";
import { flattenDifferentiable } from "./arguments.ts";
import { pullBack, pushForward, zerosOf } from "./differentiate.ts";
import { type Gradient, wantedCotangents } from "./grad.ts";
import { runGraph } from "./run_graph.ts";
import { type AnyFunction, rebuildAll, releaseMade, runTraced, traceCall } from "./traced_call.ts";

function checkFunction(what: string, fn: unknown): void {
  if (typeof fn === "function") return;
  throw new TypeError(`Cannot ${what}: a function is required, got ${describe(fn)}`);
}

/**
 * A function's value and the function that takes a cotangent of it back to one for each argument. The
 * pullback may be called any number of times; each call computes the value's intermediates again.
 *
 * @throws {TypeError} if an argument is not floating, naming the leaf.
 *
 * @example
 * ```ts
 * import { init, type NDArray, numpy as jnp, vjp } from "@zenith/jax";
 *
 * await init();
 * const [y, pullback] = vjp((x: NDArray) => jnp.sin(x), jnp.array([0, 1]));
 * const [cotangent] = pullback(jnp.ones([2]));
 * console.log(y.shape, await cotangent.toList()); // the cosines
 * ```
 */
export function vjp<F extends AnyFunction>(
  fn: F,
  ...primals: Parameters<F>
): [
  out: ReturnType<F>,
  pullback: (
    cotangent: ReturnType<F>,
  ) => { [K in keyof Parameters<F>]: Gradient<Parameters<F>[K]> },
] {
  checkFunction("vjp", fn);
  const trees = primals.map((arg, i) => flattenDifferentiable(arg, "vjp", `argument ${i}`));
  const { graph, structure } = traceCall(fn, trees, "vjp");
  const leaves = trees.flatMap((tree) => tree.leaves);
  const results = runGraph(graph, leaves, "vjp").map(asNDArray);
  const pullback = (cotangent: unknown): unknown[] => {
    const avals = graph.outputs.map((v) => v.aval);
    const given = matchTangents("vjp", structure, cotangent, avals);
    const back = runTraced([...leaves, ...given], (all) => {
      const inputs = all.slice(0, leaves.length);
      const [, pull] = pullBack(graph, inputs);
      return wantedCotangents(inputs, pull(all.slice(leaves.length)), inputs.map(() => true));
    }, "vjp");
    return rebuildAll(trees, back);
  };
  return [unflatten(structure, results), pullback] as never;
}

/**
 * A function's value at `primals` and its derivative in the direction of `tangents`, by forward mode.
 *
 * @param primals the arguments, as an array.
 * @param tangents as many, each of the tree and shapes of its primal.
 * @throws {TypeError} if an argument is not floating, naming the leaf.
 *
 * @example
 * ```ts
 * import { init, jvp, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const [y, slope] = jvp((x: NDArray) => jnp.exp(x), [jnp.array([0, 1])], [jnp.ones([2])]);
 * console.log(await y.toList(), await slope.toList());
 * ```
 */
export function jvp<F extends AnyFunction>(
  fn: F,
  primals: Parameters<F>,
  tangents: Parameters<F>,
): [out: ReturnType<F>, tangent: ReturnType<F>] {
  checkFunction("jvp", fn);
  if (!Array.isArray(primals) || !Array.isArray(tangents) || primals.length !== tangents.length) {
    throw new TypeError(
      `Cannot jvp: primals and tangents must be arrays of equal length, got ${
        describe(primals)
      } and ${describe(tangents)}`,
    );
  }
  const trees = primals.map((arg, i) => flattenDifferentiable(arg, "jvp", `argument ${i}`));
  const { graph, structure } = traceCall(fn, trees, "jvp");
  const leaves = trees.flatMap((tree) => tree.leaves);
  const moving = trees.flatMap((tree, i) =>
    matchTangents("jvp", tree.structure, tangents[i], tree.leaves.map((leaf) => leaf.aval))
  );
  const count = graph.outputs.length;
  const flat = runTraced([...leaves, ...moving], (all) => {
    const [results, out] = pushForward(
      graph,
      all.slice(0, leaves.length),
      all.slice(leaves.length),
    );
    return [...results, ...results.map((x, i) => out[i] ?? zerosOf(x))];
  }, "jvp");
  releaseMade(trees, "jvp");
  return [
    unflatten(structure, flat.slice(0, count)),
    unflatten(structure, flat.slice(count)),
  ] as never;
}

/** The leaves of a tangent or cotangent tree, which must fit the values they belong to. */
function matchTangents(
  what: string,
  structure: TreeStructure,
  tree: unknown,
  avals: readonly Aval[],
): NDArray[] {
  const kind = what === "vjp" ? "cotangent" : "tangent";
  const leaves = flattenUpTo(what, structure, tree, kind);
  return leaves.map((leaf, i) => {
    const { shape, dtype } = avals[i]!;
    const given = asArray(leaf as NDArray, what);
    // Of an integer result only the zero cotangent is known, and that of any type.
    const fits = isFloating(given.dtype) || !isFloating(dtype) || given.aval.weak;
    if (!fits) {
      throw new TypeError(
        `Cannot ${what}: a ${kind} must be floating, got ${given.dtype} for ${dtype}`,
      );
    }
    if (sameShape(given.shape, shape)) return asNDArray(astype(given, dtype));
    throw new RangeError(
      `Cannot ${what}: a ${kind} must have the shape of its value, got ${
        showShape(given.shape)
      } for ${showShape(shape)}`,
    );
  });
}
