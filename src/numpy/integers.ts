// Arguments that must be integers.

import { type ArrayLike, asArray, type NDArray } from "../array.ts";
import { isInteger } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { astype } from "../ops/cast.ts";

/**
 * An argument that must be integers; JS numbers and nested arrays of them are int32 here.
 *
 * @throws {TypeError} for floats, which are not cut to integers silently.
 */
export function integerArray(what: string, name: string, x: ArrayLike): NDArray {
  const literal = typeof x === "number" || Array.isArray(x);
  const numbers: readonly unknown[] = literal ? [x].flat(Infinity) : [];
  if (numbers.every(Number.isInteger)) {
    const array = asArray(x, what, literal ? "int32" : undefined);
    if (isInteger(array.dtype)) return array;
    if (literal) return astype(array, "int32") as NDArray;
  }
  throw new TypeError(`Cannot ${what}: ${name} must be integers, got ${describe(x)}`);
}
