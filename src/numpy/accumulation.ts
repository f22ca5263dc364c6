// What the elements up to each one come to, along an axis, and the differences of neighbours.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { normalizeAxis } from "../core/shape.ts";
import type { Operation } from "../ir/operation.ts";
import type { AxisOption } from "../methods/movement.ts";
import { sub } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { notEqual } from "../ops/comparison.ts";
import { reshape, slice } from "../ops/movement.ts";
import * as scans from "../ops/scan.ts";
import type { Value } from "../ir/value.ts";
import { lifted } from "./lift.ts";

/** Booleans are counted, as `jnp.cumsum` does. */
function countable(x: Value): Value {
  return x.aval.dtype === "bool" ? astype(x, "int32") : x;
}

/** The scans of `numpy`: without an axis they go over the array in row-major order. */
function accumulate(
  what: string,
  operation: Operation<scans.ScanParams>,
  x: ArrayLike,
  options: AxisOption,
): NDArray {
  checkOptions(what, options, ["axis"]);
  return lifted(what, () => {
    const given = asArray(x, what);
    const array = options.axis === undefined ? reshape(given, [given.size]) : given;
    const axis = normalizeAxis(what, options.axis ?? 0, array.aval.shape.length);
    return scans.scan(operation, countable(array), axis, false);
  });
}

/**
 * The sums of all elements up to each, along an axis or, without one, of the array in row-major order: in
 * float32 (integers wrap) and rounded once each.
 */
export function cumsum(x: ArrayLike, options: AxisOption = {}): NDArray {
  return accumulate("cumsum", scans.cumsumOperation, x, options);
}

/**
 * The products of all elements up to each, along an axis or, without one, of the array in row-major order: in
 * float32 (integers wrap) and rounded once each.
 */
export function cumprod(x: ArrayLike, options: AxisOption = {}): NDArray {
  return accumulate("cumprod", scans.cumprodOperation, x, options);
}

/** Along which axis a scan of `lax` goes, and in which direction. */
export interface ScanAxisOptions extends AxisOption {
  /** From the last element to the first. */
  readonly reverse?: boolean;
}

/** A scan of `lax`: along axis 0 by default. */
export type LaxScan = (x: ArrayLike, options?: ScanAxisOptions) => NDArray;

/** Makes a scan of `lax` out of an operation. */
export function laxScan(what: string, operation: Operation<scans.ScanParams>): LaxScan {
  return (x, options = {}) => {
    checkOptions(what, options, ["axis", "reverse"]);
    const { axis = 0, reverse = false } = options;
    if (typeof reverse !== "boolean") {
      throw new TypeError(
        `Cannot ${what}: reverse must be true or false, got ${describe(reverse)}`,
      );
    }
    return lifted(what, () => {
      const array = asArray(x, what);
      return scans.scan(operation, array, normalizeAxis(what, axis, array.ndim), reverse);
    });
  };
}

/**
 * The differences of neighbours along an axis (the last by default), `n` times (once by default). Of booleans:
 * whether neighbours differ.
 *
 * @throws {RangeError} if `n` is negative or the array is a scalar.
 */
export function diff(
  x: ArrayLike,
  options: AxisOption & { readonly n?: number } = {},
): NDArray {
  checkOptions("diff", options, ["axis", "n"]);
  const { axis = -1, n = 1 } = options;
  if (!Number.isInteger(n) || n < 0) {
    const Wrong = Number.isInteger(n) ? RangeError : TypeError;
    throw new Wrong(`Cannot diff: n must be an integer that is not negative, got ${describe(n)}`);
  }
  return lifted("diff", () => {
    const array = asArray(x, "diff");
    const along = normalizeAxis("diff", axis, array.ndim);
    let result: Value = array;
    for (let i = 0; i < n; i++) result = difference(result, along);
    return result;
  }, x);
}

function difference(x: Value, axis: number): Value {
  const { shape, dtype } = x.aval;
  const part = (start: number) =>
    slice(
      x,
      shape.map((_, a) => a === axis ? start : 0),
      shape.map(() => 1),
      shape.map((extent, a) => a === axis ? Math.max(extent - 1, 0) : extent),
    );
  const start = shape[axis] === 0 ? 0 : 1;
  return dtype === "bool" ? notEqual(part(start), part(0)) : sub(part(start), part(0));
}
