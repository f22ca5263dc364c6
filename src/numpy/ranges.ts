// Ranges of numbers and the grids that they span, made on the device from coordinates.

import { type ArrayLike, dtypeOption, type NDArray, operand } from "../array.ts";
import { type DType, isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { checkShape, sizeOf } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { astype, toValue } from "../ops/cast.ts";
import { greaterEqual } from "../ops/comparison.ts";
import { constant, iota } from "../ops/constant.ts";
import { floor } from "../ops/rounding.ts";
import { broadcastTo, reshape } from "../ops/movement.ts";
import { where } from "../ops/selection.ts";
import type { DTypeOption } from "./creation.ts";
import { lifted } from "./lift.ts";

/**
 * Numbers from `start` (0 where only `stop` is given) in steps of `step` up to `stop`, which is left out.
 * int32 where all are integers, float32 otherwise.
 *
 * @throws {TypeError} for anything but finite numbers, RangeError for a step of 0.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * console.log(await jnp.arange(2, 10, 3).toList()); // [2, 5, 8]
 * console.log(await jnp.linspace(0, 1, 3).toList()); // [0, 0.5, 1]
 * ```
 */
export function arange(stop: number, options?: DTypeOption): NDArray;
/** Numbers from `start` in steps of 1. */
export function arange(start: number, stop: number, options?: DTypeOption): NDArray;
/** Numbers from `start` in steps of `step`. */
export function arange(start: number, stop: number, step: number, options?: DTypeOption): NDArray;
export function arange(...args: readonly (number | DTypeOption | undefined)[]): NDArray {
  const last = args[args.length - 1];
  const options = typeof last === "object" ? last : {};
  const numbers = (typeof last === "object" ? args.slice(0, -1) : args)
    .filter((v) => v !== undefined) as number[];
  checkOptions("arange", options, ["dtype"]);
  if (numbers.length < 1 || numbers.length > 3 || !numbers.every((v) => Number.isFinite(v))) {
    throw new TypeError(
      `Cannot arange: one to three finite numbers are required, got ${describe(numbers)}`,
    );
  }
  const [start, stop] = numbers.length === 1 ? [0, numbers[0]!] : [numbers[0]!, numbers[1]!];
  const step = numbers[2] ?? 1;
  if (step === 0) throw new RangeError("Cannot arange: step must not be 0");
  const integral = numbers.every(Number.isInteger);
  const dtype = dtypeOption(options.dtype, "arange") ?? (integral ? "int32" : "float32");
  const shape = checkShape("arange", [Math.max(0, Math.ceil((stop - start) / step))]);
  return lifted("arange", () => progression(shape[0]!, start, step, integral, dtype));
}

/** start + i step, in whole numbers where they all are, and otherwise in float32 before it is rounded. */
function progression(
  length: number,
  start: number,
  step: number,
  integral: boolean,
  dtype: DType,
): Value {
  const own = integral ? dtype === "uint32" ? "uint32" : "int32" : "float32";
  let result = iota([length], 0, own);
  if (step !== 1) result = mul(result, constant(step, own));
  if (start !== 0) result = add(result, constant(start, own));
  return astype(result, dtype);
}

/** Options of {@linkcode linspace}. */
export interface LinspaceOptions extends DTypeOption {
  /** How many numbers; by default 50. The third argument says the same. */
  readonly num?: number;
  /** Whether `stop` is the last of them; by default it is. */
  readonly endpoint?: boolean;
}

/**
 * Evenly spaced numbers from `start` to `stop`, both included unless `endpoint` is false. float32 unless
 * `dtype` says otherwise; integers are rounded down.
 *
 * @throws {RangeError} if `num` is not a whole number.
 */
export function linspace(
  start: number,
  stop: number,
  num?: number | LinspaceOptions,
  options: LinspaceOptions = {},
): NDArray {
  const given = typeof num === "object" ? num : options;
  checkOptions("linspace", given, ["num", "endpoint", "dtype"]);
  const count = (typeof num === "number" ? num : given.num) ?? 50;
  const dtype = dtypeOption(given.dtype, "linspace") ?? "float32";
  if (![start, stop].every((v) => typeof v === "number")) {
    throw new TypeError(
      `Cannot linspace: start and stop must be numbers, got ${describe(start)} and ${
        describe(stop)
      }`,
    );
  }
  if (!Number.isInteger(count) || count < 0) {
    throw new RangeError(
      `Cannot linspace: num must be a whole number, got ${describe(count)}`,
    );
  }
  const last = given.endpoint === false ? count : count - 1;
  return lifted("linspace", () => spaced(count, last, start, stop, dtype));
}

/** The mean of both ends weighted by position: no step's rounding error adds up, and the last one is exact. */
function spaced(count: number, last: number, start: number, stop: number, dtype: DType): Value {
  const position = iota([count], 0, "float32");
  const share = div(position, constant(Math.max(last, 1), "float32"));
  const [from, to] = [constant(start, "float32"), constant(stop, "float32")];
  const between = add(mul(sub(constant(1, "float32"), share), from), mul(share, to));
  const ended = where(greaterEqual(position, Math.max(last, 1)), to, between);
  return astype(isFloating(dtype) ? ended : floor(ended), dtype);
}

/** How {@linkcode meshgrid} lays out its results. */
export interface MeshgridOptions {
  /** `"xy"` (the default) swaps the first two axes, as plots want it; `"ij"` keeps the order of the arrays. */
  readonly indexing?: "xy" | "ij";
  /** Leave extents of 1 where an array does not vary. */
  readonly sparse?: boolean;
}

/**
 * Coordinate arrays of the grid that one-dimensional arrays span.
 *
 * @throws {RangeError} if an array has more than one axis.
 */
export function meshgrid(
  arrays: readonly ArrayLike[],
  options: MeshgridOptions = {},
): NDArray[] {
  checkOptions("meshgrid", options, ["indexing", "sparse"]);
  const { indexing = "xy", sparse = false } = options;
  if (!Array.isArray(arrays)) {
    throw new TypeError(`Cannot meshgrid: an array of arrays is required, got ${describe(arrays)}`);
  }
  if (indexing !== "xy" && indexing !== "ij") {
    throw new TypeError(
      `Cannot meshgrid: indexing must be "xy" or "ij", got ${describe(indexing)}`,
    );
  }
  const axisOf = (i: number) => indexing === "xy" && i < 2 && arrays.length > 1 ? 1 - i : i;
  const values = arrays.map((x) => toValue(operand(x, "meshgrid")));
  const shape: number[] = values.map(() => 1);
  values.forEach(({ aval }, i) => {
    if (aval.shape.length > 1) {
      throw new RangeError(
        `Cannot meshgrid: arrays of one axis are required, got shape ${describe(aval.shape)}`,
      );
    }
    shape[axisOf(i)] = sizeOf(aval.shape);
  });
  return values.map((value, i) =>
    lifted("meshgrid", () => {
      const own = shape.map((extent, axis) => axis === axisOf(i) ? extent : 1);
      const placed = reshape(value, own);
      return sparse ? placed : broadcastTo(placed, shape);
    }, value)
  );
}
