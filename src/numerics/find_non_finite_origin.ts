// findNonFiniteOrigin: the operation in which infinities or NaN start.

import type { NDArray } from "../array.ts";
import type { DataArray } from "../core/element_data.ts";
import type { Variable } from "../ir/graph.ts";
import { unobserved } from "../ir/run_observer.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import type { AnyFunction } from "../transform/traced_call.ts";
import {
  arraysAt,
  describeOrigin,
  type NonFiniteOrigin,
  placeOfOrigin,
  survey,
} from "./non_finite.ts";
import { checkCall, traceProgram } from "./traced_program.ts";

const what = "findNonFiniteOrigin";

/**
 * The first operation whose inputs are finite and whose result is not: of those from which an infinity or NaN goes on
 * to the function's result, or, where the result is finite, the first of all, whose infinity was absorbed (as `1 / inf`
 * does). The function is run operation by operation; give `grad(loss)` to search a backward pass, and what
 * `applyMixedPrecision` returns to search under a policy.
 *
 * @param fn any function of arrays and trees of them, jitted or not.
 * @param args its arguments, as an array.
 * @returns the place, or undefined where everything is finite. An argument that is not finite, and from which that
 * goes on to the result, is named as `"input"`.
 * @throws {TypeError} if it is given no function or no array of arguments, and in a traced function.
 *
 * @example
 * ```ts
 * import { findNonFiniteOrigin, init, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const entropy = (p: NDArray) => p.mul(jnp.log(p)).sum().neg();
 * const origin = await findNonFiniteOrigin(entropy, [jnp.array([0.5, 0.5, 0])]);
 * console.log(origin?.op, origin?.indices, origin?.values); // log [[2]] [-Infinity]
 * console.log(String(origin)); // with the line of this program
 * ```
 */
export async function findNonFiniteOrigin(
  // deno-lint-ignore no-explicit-any -- what the parameters are is up to the user's function.
  fn: (...args: any[]) => unknown,
  args: readonly unknown[],
): Promise<NonFiniteOrigin | undefined> {
  checkCall(what, fn, args);
  const { graph, inputs, names, dispose } = traceProgram(what, fn as AnyFunction, args);
  try {
    const statistics = new Map<Variable, RangeStatistics>();
    for (const [variable, pending] of unobserved(() => survey(graph, inputs))) {
      statistics.set(variable, await pending.read());
    }
    const place = placeOfOrigin(graph, statistics);
    if (!place) return undefined;
    const arrays = unobserved(() => arraysAt(graph, inputs, place));
    const data = new Map<NDArray, DataArray>();
    for (const x of [...arrays.outputs, ...arrays.inputs]) data.set(x, await x.data());
    return describeOrigin(arrays, data, names);
  } finally {
    dispose();
  }
}
