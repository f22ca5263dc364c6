// Rearrangements along an axis: runs of its elements, forwards, backwards or repeated, one after the other.

import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { concatenate } from "./concatenate.ts";
import { broadcastTo, slice } from "./movement.ts";

/** `count` elements from `start` on, in steps of 1, -1, or 0 for the same one again and again. */
export interface Run {
  readonly start: number;
  readonly step: -1 | 0 | 1;
  readonly count: number;
}

/** The static arguments of a rearrangement: the runs that each axis consists of afterwards. */
export interface RearrangeParams extends Params {
  readonly axes: readonly number[];
  readonly runs: readonly (readonly Run[])[];
}

function readRun(x: Value, axis: number, { start, step, count }: Run): Value {
  const along = <T>(here: T, elsewhere: (extent: number) => T): T[] =>
    x.aval.shape.map((extent, a) => a === axis ? here : elsewhere(extent));
  const shape = along(count, (extent) => extent);
  const read = step === 0 ? along(1, (extent) => extent) : shape;
  return broadcastTo(slice(x, along(start, () => 0), along(step || 1, () => 1), read), shape);
}

/** Every axis made of runs of itself. Shifts and paddings are of this kind. */
export const rearrangeOperation: Operation<RearrangeParams> = registerOperation<RearrangeParams>({
  name: "rearrange",
  precision: "follow",
  aval: ([x], { axes, runs }) => {
    const shape = x!.shape.map((extent, axis) => {
      const own = runs[axes.indexOf(axis)];
      return own ? own.reduce((sum, { count }) => sum + count, 0) : extent;
    });
    return { shape, dtype: x!.dtype, weak: x!.weak };
  },
  lower: {
    kind: "composite",
    decompose: ([x], { axes, runs }) => {
      let moved = x!;
      axes.forEach((axis, i) => {
        moved = concatenate(runs[i]!.map((run) => readRun(moved, axis, run)), axis);
      });
      return [moved];
    },
  },
});

/** Replaces axes by runs of their elements. */
export function rearrange(x: Value, params: RearrangeParams): Value {
  return bind1(rearrangeOperation, params, x);
}
