// fullPrecision: a part of a program that mixed precision leaves alone.

import { isFloatingArray, NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { leaves, type TreeStructure, unflatten } from "../core/pytree.ts";
import { isTracing, traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { castToFull } from "../precision/casts.ts";
import { withPolicy } from "../precision/policy.ts";
import { CallLayouts } from "./call_layout.ts";
import { bindRegion } from "./region.ts";
import { flattenResult, leafValue } from "./trace_tree.ts";
import type { AnyFunction } from "./traced_call.ts";

const what = "fullPrecision";

/**
 * The same function, computed in float32 wherever it stands: floating arguments enter in float32, no rule of an
 * `applyMixedPrecision` around it acts inside, and `castToHalf` changes nothing there. The result is left as it
 * comes.
 *
 * @throws {TypeError} if it is not given a function.
 *
 * @example
 * ```ts
 * import { applyMixedPrecision, fullPrecision, init, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const distance = fullPrecision((x: NDArray) => jnp.sqrt(jnp.sum(x.mul(x))));
 * const f = applyMixedPrecision((x: NDArray) => distance(x.mul(2)), { dtype: "float16" });
 * const y = f(jnp.full([4], 300));
 * console.log(y.dtype, await y.item()); // float32 1200, though 600 * 600 is infinite in float16
 * ```
 */
export function fullPrecision<F extends AnyFunction>(fn: F): F {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot ${what}: a function is required, got ${describe(fn)}`);
  }
  const layouts = new CallLayouts();
  const call = (...args: unknown[]) => isTracing() ? recorded(fn, layouts, args) : run(fn, args);
  return call as F;
}

function run(fn: AnyFunction, args: readonly unknown[]): unknown {
  const wide = castToFull(args);
  let results: readonly unknown[] = [];
  try {
    const result = withPolicy("float32", () => fn(...wide));
    results = leaves(result as unknown);
    return result;
  } finally {
    const kept = new Set<unknown>([...leaves(args), ...results]);
    const made = leaves(wide as unknown[]).filter(isFloatingArray);
    if (!results.some(mayHoldArrays)) {
      made.filter((leaf) => !kept.has(leaf)).forEach((leaf) => leaf.consume(what));
    }
  }
}

/** Whether a result may need the arguments later, as a promise, or as the pullback of `vjp` does. */
function mayHoldArrays(leaf: unknown): boolean {
  return typeof leaf === "function" ||
    (typeof leaf === "object" && leaf !== null && !(leaf instanceof NDArray));
}

function recorded(fn: AnyFunction, layouts: CallLayouts, args: readonly unknown[]): unknown {
  const { layout, values } = layouts.of(args);
  const given = values.map((leaf) => leafValue(leaf, what));
  let structure: TreeStructure | undefined;
  const graph = traceGraph((...xs) => {
    const result = withPolicy("float32", () => fn(...layout.fill(xs.map(widened))));
    const [results, shape] = flattenResult(result, what);
    structure = shape;
    return results;
  }, given.map((x: NDArray) => x.aval));
  return unflatten(structure!, bindRegion(what, graph, given));
}

function widened(x: Value): Value {
  return isFloating(x.aval.dtype) && !x.aval.weak ? astype(x, "float32") : x;
}
