// Scatters with indices that repeat and indices out of range, in every mode.

import type { Sample } from "../ops/structural_samples.ts";

/** Samples of the scatter operation. */
export const scatterSamples: readonly Sample[] = (["set", "add", "mul", "min", "max"] as const).map(
  (mode): Sample => ({
    shapes: [[6, 2], [9], [9, 2]],
    params: { mode },
    positions: { 1: [-1, 7] },
  }),
);
