// Derivatives of a graph as graphs themselves: what functions that stand in a graph as one operation are
// differentiated by.

import { isFloating } from "../core/dtype.ts";
import type { Graph } from "../ir/graph.ts";
import type { Tangent } from "../ir/operation.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { pullBack, pushForward, zerosOf } from "./differentiate.ts";

/** The tangents or cotangents that are not zero, in order. */
export function present(tangents: readonly Tangent[]): readonly Value[] {
  return tangents.filter((t) => t !== undefined);
}

/** Puts the values of {@linkcode present} where they were. */
function placed(tangents: readonly Tangent[], values: readonly Value[]): readonly Tangent[] {
  let next = 0;
  return tangents.map((t) => t && values[next++]);
}

/** From inputs and the tangents that are present, the tangents of all results. */
export function pushedGraph(
  graph: Graph,
  inputs: readonly Value[],
  tangents: readonly Tangent[],
): Graph {
  return traceGraph((...xs) => {
    const own = xs.slice(0, inputs.length);
    const [results, out] = pushForward(graph, own, placed(tangents, xs.slice(inputs.length)));
    return results.map((x, i) => out[i] ?? zerosOf(x));
  }, [...inputs, ...present(tangents)].map((x) => x.aval));
}

/** From inputs and the cotangents that are present, the cotangents of all floating inputs. */
export function pulledGraph(
  graph: Graph,
  inputs: readonly Value[],
  cotangents: readonly Tangent[],
): Graph {
  return traceGraph((...xs) => {
    const own = xs.slice(0, inputs.length);
    const back = pullBack(graph, own)[1](placed(cotangents, xs.slice(inputs.length)));
    return own.flatMap((x, i) => isFloating(x.aval.dtype) ? [back[i] ?? zerosOf(x)] : []);
  }, [...inputs, ...present(cotangents)].map((x) => x.aval));
}

/** The results of a {@linkcode pulledGraph} as one for each input. */
export function cotangentsOf(inputs: readonly Value[], pulled: readonly Value[]): Tangent[] {
  let next = 0;
  return inputs.map((x) => isFloating(x.aval.dtype) ? pulled[next++] : undefined);
}
