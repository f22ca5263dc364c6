// The arithmetic that brings indices of several axes to one.

import type { Operation, Params } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { defineElementwise } from "./define.ts";

const clamp = (index: number, n: number): number => Math.min(Math.max(index, 0), n - 1);

/** How {@linkcode flattenIndicesOperation} brings indices of several axes to one. */
export interface FlattenIndicesParams extends Params {
  /** The extents of the axes, one for each input. */
  readonly extents: readonly number[];
  /** An index out of range becomes the nearest one, or drops its whole position. */
  readonly outside: "clamp" | "drop";
}

/** What no array has as an index: extents are below 2**32. */
const noIndex = 2 ** 32 - 1;

/**
 * Row-major positions (uint32) in an array of `extents`, from one array of indices for each axis. Negative
 * indices count from the end.
 */
export const flattenIndicesOperation: Operation<FlattenIndicesParams> = defineElementwise<
  FlattenIndicesParams
>({
  name: "flattenIndices",
  exact: true,
  result: "uint32",
  reference: (args, { params: { extents, outside } }) => {
    let flat = 0;
    for (let axis = 0; axis < extents.length; axis++) {
      const n = extents[axis]!;
      const index = args[axis]! < 0 ? args[axis]! + n : args[axis]!;
      if (outside === "drop" && (index < 0 || index >= n)) return noIndex;
      flat = flat * n + clamp(index, n);
    }
    return flat;
  },
  wgsl: (args, { params: { extents, outside }, inputs }) => {
    // Adding the extent to a negative index wraps around to the position that it counts to, or, where it
    // is out of range, stays a huge number.
    const places = args.map((x, axis) =>
      inputs[axis] === "uint32"
        ? x
        : `(bitcast<vec4u>(${x}) + select(vec4u(0u), vec4u(${extents[axis]}u), ${x} < vec4i(0)))`
    );
    const clamped = places.map((place, axis) => {
      const last = `vec4u(${Math.max(extents[axis]! - 1, 0)}u)`;
      const nearest = `min(${place}, ${last})`;
      return inputs[axis] === "uint32" || outside === "drop"
        ? nearest
        : `select(${nearest}, vec4u(0u), ${args[axis]} < vec4i(${
          Math.max(-extents[axis]!, -(2 ** 31))
        }))`;
    });
    const flat = clamped.reduce((sum, place, axis) =>
      `(${sum} * vec4u(${extents[axis]}u) + ${place})`
    );
    if (outside === "clamp") return flat;
    const valid = places.map((place, axis) => `(${place} < vec4u(${extents[axis]}u))`).join(" & ");
    return `select(vec4u(${noIndex}u), ${flat}, ${valid})`;
  },
});

/** Brings integer indices of several axes to one; see {@linkcode flattenIndicesOperation}. */
export function flattenIndices(
  indices: readonly Value[],
  extents: readonly number[],
  outside: "clamp" | "drop",
): Value {
  return bind1(flattenIndicesOperation, { extents, outside }, ...indices);
}
