// The experiments on what half precision loses and what keeps it, and how a run of one is judged.

import { gradientUnderflow } from "./gradient_underflow.ts";
import { normOverflow } from "./norm_overflow.ts";
import { stalledWeights } from "./stalled_weights.ts";

/** How one way of training went. */
export interface ExperimentRun {
  /** The type or policy, and the method. */
  readonly name: string;
  readonly firstLoss: number;
  readonly lastLoss: number;
}

/** Something that half precision loses, with several ways of training that lose it or do not. */
export interface Experiment {
  readonly name: string;
  /** Steps of the long form and of the one that shows only that it works. */
  readonly steps: { readonly long: number; readonly smoke: number };
  /** What share of the first loss may be left where training is not held up. */
  readonly goal: number;
  run(steps: number): Promise<readonly ExperimentRun[]>;
}

/** What became of a run. */
export type Verdict = "converges" | "stalls" | "learns nothing";

/** Every experiment. */
export const EXPERIMENTS: readonly Experiment[] = [
  {
    name: "A: gradients below float16",
    steps: { long: 2000, smoke: 20 },
    goal: 1e-6,
    run: gradientUnderflow,
  },
  {
    name: "B: updates below half weights",
    steps: { long: 5000, smoke: 20 },
    goal: 1e-8,
    run: stalledWeights,
  },
  {
    name: "C: variances above float16",
    steps: { long: 400, smoke: 20 },
    goal: 1e-3,
    run: normOverflow,
  },
];

/** Judges a run by the share of the first loss that is left. */
export function verdictOf({ firstLoss, lastLoss }: ExperimentRun, goal: number): Verdict {
  if (lastLoss <= goal * firstLoss) return "converges";
  return lastLoss < 0.99 * firstLoss ? "stalls" : "learns nothing";
}
