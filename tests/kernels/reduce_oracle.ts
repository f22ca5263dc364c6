// Reductions in float64, whatever the device computes in, and numbers to reduce.

import type { Combiner, ReduceExtents } from "../../kernels/reduce/reduce.ts";

const joins: Record<Combiner, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
  any: (a, b) => a || b,
  all: (a, b) => a && b,
};

/** What a reduction of nothing gives, for floats. */
export const identities: Record<Combiner, number> = {
  sum: 0,
  prod: 1,
  max: -Infinity,
  min: Infinity,
  any: 0,
  all: 1,
};

/** The reduction in float64, whose rounding errors are far below any tolerance here. */
export function reference(
  combiner: Combiner,
  extents: ReduceExtents,
  values: ArrayLike<number>,
): Float64Array {
  const { outer, length, inner } = extents;
  const out = new Float64Array(outer * inner).fill(identities[combiner]);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      for (let i = 0; i < inner; i++) {
        const at = o * inner + i;
        out[at] = joins[combiner](out[at], values[(o * length + k) * inner + i]);
      }
    }
  }
  return out;
}

/** Numbers that look random and are the same in every run. */
export function noise(size: number, seed = 1): Float64Array {
  let state = seed;
  return Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
