// debugNans: every operation and program looked at as it has run.

import { type NDArray, ownHandle } from "../array.ts";
import { currentBackend } from "../backend/backend.ts";
import { isFloating } from "../core/dtype.ts";
import type { DataArray } from "../core/element_data.ts";
import { describe } from "../core/errors.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import type { Operation, Params } from "../ir/operation.ts";
import { type RunObserver, setRunObserver, unobserved } from "../ir/run_observer.ts";
import { recordSources, scopePath } from "../ir/trace.ts";
import { SourceLine } from "../ir/source_line.ts";
import type { Value } from "../ir/value.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import {
  arraysAt,
  describeOrigin,
  type OriginArrays,
  placeOfOrigin,
  survey,
} from "./non_finite.ts";
import { PendingStatistics } from "./statistics.ts";
import { withoutFunctions } from "./traced_program.ts";

/** Stops recording source lines; there while the search is on. */
let stopRecording: (() => void) | undefined;

/**
 * Has every operation and every program (of `jit`, `grad`, `trainStep` and the like) that returns NaN throw an Error
 * instead, which names the operation in which it started, its module path, its line of the user's program, its
 * elements and what it was given; a program is run again for that, operation by operation. Infinities alone are
 * no error. For debugging: every call waits for the device, and nothing is donated.
 *
 * @param on whether to look from now on.
 * @throws {TypeError} if `on` is not a boolean, and an Error where the runtime cannot read arrays at once.
 *
 * @example
 * ```ts
 * import { debugNans, init, jit, type NDArray, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * debugNans(true);
 * const f = jit((x: NDArray) => jnp.log(x).sum());
 * try {
 *   f(jnp.array([1, -1]));
 * } catch (error) {
 *   console.log((error as Error).message); // Cannot run the function: NaN starts in log ...
 * } finally {
 *   debugNans(false);
 * }
 * ```
 */
export function debugNans(on: boolean): void {
  if (typeof on !== "boolean") {
    throw new TypeError(`Cannot debugNans: true or false is required, got ${describe(on)}`);
  }
  if (on && !currentBackend().canReadSync) {
    throw new Error(
      "Cannot debugNans: this runtime cannot read arrays without waiting; use `await findNonFiniteOrigin(fn, args)`",
    );
  }
  stopRecording?.();
  stopRecording = on ? recordSources() : undefined;
  setRunObserver(on ? observer : undefined);
}

function hasNaN(values: readonly Value[]): boolean {
  return unobserved(() => {
    const pending = values.filter(({ aval, content }) =>
      isFloating(aval.dtype) && content.kind === "stored"
    ).map((x) => new PendingStatistics(x));
    return pending.map((statistics) => statistics.readSync()).some(({ nan }) => nan > 0);
  });
}

function fail(
  name: string,
  arrays: OriginArrays,
  names: readonly string[],
  outputs: readonly Value[],
): never {
  const all = [...arrays.outputs, ...arrays.inputs];
  const data = new Map<NDArray, DataArray>(all.map((x) => [x, x.dataSync()]));
  const origin = describeOrigin(arrays, data, names);
  outputs.forEach((x) => x.consume("debugNans"));
  throw new Error(`Cannot run ${name}: NaN starts in ${origin}`);
}

const observer: RunObserver = {
  operation(
    operation: Operation,
    params: Params,
    inputs: readonly Value[],
    outputs: readonly Value[],
  ): void {
    if (!hasNaN(outputs)) return;
    const own = (values: readonly Value[]) => values.map((x) => ownHandle("look", x, x));
    const variables = (values: readonly Value[]): Variable[] =>
      values.map(({ aval }) => ({ aval }));
    const node: Node = {
      operation,
      params,
      inputs: variables(inputs),
      outputs: variables(outputs),
      path: scopePath(),
      source: new SourceLine(),
    };
    const place = { kind: "operation", node } as const;
    fail(operation.name, { place, outputs: own(outputs), inputs: own(inputs) }, [], outputs);
  },
  program(
    name: string,
    graph: Graph,
    inputs: readonly Value[],
    outputs: readonly Value[],
  ): void {
    if (!hasNaN(outputs)) return;
    const count = inputs.length - graph.captures.length;
    const explicit = inputs.slice(0, count);
    const arrays = unobserved(() => {
      const flat = withoutFunctions(graph);
      const statistics = new Map<Variable, RangeStatistics>();
      survey(flat, explicit).forEach((p, variable) => statistics.set(variable, p.readSync()));
      // Where the pieces give no NaN, fusion made it: the program's own result is all there is to show.
      const place = placeOfOrigin(flat, statistics);
      return place && arraysAt(flat, explicit, place);
    });
    if (!arrays) {
      throw new Error(
        `Cannot run ${name}: its result has NaN, which its operations alone do not give`,
      );
    }
    const names = inputs.map((_, i) => i < count ? `argument ${i}` : `captured array ${i - count}`);
    fail(name, arrays, names, outputs);
  },
};
