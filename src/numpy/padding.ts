// Padding: elements added around an array.

import { type ArrayLike, asArray, fromHost, type NDArray } from "../array.ts";
import { checkOptions, describe, showShape } from "../core/errors.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import type { PadOptions, PadWidths } from "../methods/movement.ts";
import { promote } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { take } from "../ops/indexing.ts";
import { pad as padOp, reshape } from "../ops/movement.ts";
import { rearrange, type Run } from "../ops/rearrange.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "./lift.ts";

const padModes = ["constant", "edge", "reflect", "symmetric", "wrap"] as const;

/** How many elements come before and after, for each axis. */
function padWidths(widths: PadWidths, { shape, ndim }: NDArray): [number, number][] {
  const list: readonly unknown[] = Array.isArray(widths) ? widths : [[widths, widths]];
  const pairs = list.length === 2 && list.every((n) => typeof n === "number") ? [list] : list;
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every(Number.isInteger);
  if (!pairs.every(isPair)) {
    throw new TypeError(
      `Cannot pad: widths must be an integer, a pair or one pair for each axis such as [[0, 1], [2, 2]], got ${
        describe(widths)
      }`,
    );
  }
  const all = pairs as [number, number][];
  if (all.some((pair) => pair.some((n) => n < 0))) {
    throw new RangeError(`Cannot pad: widths must not be negative, got ${describe(widths)}`);
  }
  if (all.length === 1) return shape.map(() => [...all[0]!]);
  if (all.length === ndim) return all.map((pair) => [...pair]);
  throw new RangeError(
    `Cannot pad: one pair for each axis is required, got ${all.length} for shape ${
      showShape(shape)
    }`,
  );
}

/**
 * Adds elements around an array: `widths` is a number for all ends, a pair for all axes, or a pair for each
 * axis. `mode` says what is added; `constantValues` is the scalar of the constant mode, 0 by default.
 *
 * @throws {RangeError} if widths are negative, or an empty axis would have to be continued.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * const x = jnp.array([1, 2, 3]);
 * console.log(await jnp.pad(x, [1, 2]).toList()); // [0, 1, 2, 3, 0, 0]
 * console.log(await jnp.pad(x, 2, { mode: "reflect" }).toList()); // [3, 2, 1, 2, 3, 2, 1]
 * ```
 */
export function pad(x: ArrayLike, widths: PadWidths, options: PadOptions<NDArray> = {}): NDArray {
  checkOptions("pad", options, ["mode", "constantValues"]);
  const { mode = "constant", constantValues } = options;
  if (!padModes.includes(mode)) {
    throw new TypeError(
      `Cannot pad: mode must be one of ${padModes.join(", ")}, got ${describe(mode)}`,
    );
  }
  if (mode !== "constant" && constantValues !== undefined) {
    throw new TypeError(`Cannot pad: constantValues is for mode "constant", got mode "${mode}"`);
  }
  return lifted("pad", () => {
    const array = asArray(x, "pad");
    const ends = padWidths(widths, array);
    if (ends.every(([low, high]) => low === 0 && high === 0)) return array;
    if (mode !== "constant") return continued(array, ends, mode);
    checkShape("pad", array.shape.map((extent, axis) => extent + ends[axis]![0] + ends[axis]![1]));
    const fill = padFill(constantValues ?? 0, array);
    return padOp(array, fill, ends.map(([low]) => low), ends.map(([, high]) => high));
  }, x);
}

function padFill(value: ArrayLike, { dtype }: NDArray): Value {
  if (typeof value === "number" || typeof value === "boolean") return constant(+value, dtype);
  const fill = asArray(value, "pad");
  if (fill.ndim === 0) return promote(fill, dtype);
  throw new RangeError(
    `Cannot pad: constantValues must be a scalar, got shape ${showShape(fill.shape)}`,
  );
}

type Continuation = "edge" | "reflect" | "symmetric" | "wrap";

/** The run of elements that stands from a place on, before, inside or after an axis, in mirrored copies of it. */
function runAt(place: number, extent: number, mode: Exclude<Continuation, "edge">): Run {
  const period = mode === "wrap" ? extent : mode === "symmetric" ? 2 * extent : 2 * extent - 2;
  const within = ((place % period) + period) % period;
  // The last element stands twice where the mirror is behind it, once where the mirror is on it.
  const forwards = mode === "reflect" ? extent - 1 : extent;
  if (within < forwards) return { start: within, step: 1, count: forwards - within };
  const start = mode === "symmetric" ? period - 1 - within : period - within;
  return { start, step: -1, count: period - within };
}

/** The runs that an axis consists of with `low` and `high` more elements. */
function continuedRuns(low: number, extent: number, high: number, mode: Continuation): Run[] {
  if (mode === "edge" || extent === 1) {
    const runs: Run[] = [
      { start: 0, step: 0, count: low },
      { start: 0, step: 1, count: extent },
      { start: extent - 1, step: 0, count: high },
    ];
    return runs.filter(({ count }) => count > 0);
  }
  const runs: Run[] = [];
  for (let place = -low; place < extent + high;) {
    const run = runAt(place, extent, mode);
    const count = Math.min(run.count, extent + high - place);
    runs.push({ ...run, count });
    place += count;
  }
  return runs;
}

/** Beyond as many runs a list of positions is cheaper than an expression that tells them apart. */
const mostRuns = 32;

function positionsOf(runs: readonly Run[]): Int32Array {
  const positions = new Int32Array(runs.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const { start, step, count } of runs) {
    for (let i = 0; i < count; i++) positions[at++] = start + i * step;
  }
  return positions;
}

function continued(
  x: NDArray,
  ends: readonly (readonly [number, number])[],
  mode: Continuation,
): Value {
  const shape = x.shape.map((extent, axis) => extent + ends[axis]![0] + ends[axis]![1]);
  checkShape("pad", shape);
  const axes = ends.flatMap(([low, high], axis) => low + high > 0 ? [axis] : []);
  const empty = axes.find((axis) => x.shape[axis] === 0);
  if (empty !== undefined) throw emptyAxis(empty, x.shape, mode);
  if (x.size === 0) return reshape(x, shape);
  let result: Value = x;
  for (const axis of axes) {
    const [low, high] = ends[axis]!;
    const runs = continuedRuns(low, x.shape[axis]!, high, mode);
    if (runs.length <= mostRuns) result = rearrange(result, { axes: [axis], runs: [runs] });
    else {
      const positions = positionsOf(runs);
      result = take(result, fromHost(positions, [positions.length], "int32"), axis);
    }
  }
  return result;
}

function emptyAxis(axis: number, shape: Shape, mode: Continuation): RangeError {
  return new RangeError(
    `Cannot pad: mode "${mode}" requires elements along every padded axis, got none along axis ${axis} of shape ${
      showShape(shape)
    }`,
  );
}
