// The training steps that are measured: two dense layers and the mean square of what they miss.

import { type NDArray, nn, numpy as jnp, optim } from "../../mod.ts";
import type { ArgumentDescription, HostArray } from "../host_data.ts";
import type { Section } from "../sections.ts";
import { adamwReference, referenceLoss, type ReferenceUpdate, sgdReference } from "./reference.ts";

/** The layers' parameters. */
export interface MlpParams {
  readonly w1: NDArray;
  readonly b1: NDArray;
  readonly w2: NDArray;
  readonly b2: NDArray;
}

/** A training step and the arguments it is measured with: the inputs, the targets and the parameters. */
export interface TrainingProgram {
  readonly kind: "training";
  readonly name: string;
  readonly sections: readonly Section[];
  readonly sizes: readonly number[];
  label(size: number): string;
  arguments(size: number): ArgumentDescription[];
  readonly flops: (size: number) => number;
  readonly makeOptimizer: () => optim.GradientTransformation;
  /** The loss after {@linkcode CHECKED_STEPS} steps, in float64. */
  reference(inputs: readonly HostArray[]): number;
}

/** The loss that is compared with float64 is the one after this many steps. */
export const CHECKED_STEPS = 3;

/** What plain gradient descent is measured with; the peers too. At it the loss falls step by step. */
export const SGD_LEARNING_RATE = 2;

const ADAMW_LEARNING_RATE = 1e-3;

/** The mean square of what the layers miss, in the types of the arguments but for the last sum. */
export function mlpLoss({ w1, b1, w2, b2 }: MlpParams, x: NDArray, y: NDArray): NDArray {
  const output = nn.gelu(x.matmul(w1).add(b1)).matmul(w2).add(b2);
  return jnp.mean(jnp.square(output.astype("float32").sub(y)));
}

function trainingProgram(
  optimizer: string,
  makeOptimizer: TrainingProgram["makeOptimizer"],
  makeReference: () => ReferenceUpdate,
): TrainingProgram {
  return {
    kind: "training",
    name: `MLP training step, ${optimizer}`,
    sections: ["training"],
    sizes: [512],
    label: (n) => `${n / 2} x ${n} -> ${4 * n} -> ${n}`,
    // Weights are bounded so that layers keep the variance of what goes through them.
    arguments: (n) => [
      { shape: [n / 2, n], bound: 1 },
      { shape: [n / 2, n], bound: 1 },
      { shape: [n, 4 * n], bound: Math.sqrt(3 / n) },
      { shape: [4 * n], bound: 0.1 },
      { shape: [4 * n, n], bound: Math.sqrt(3 / (4 * n)) },
      { shape: [n], bound: 0.1 },
    ],
    // Two products forward and three backward: nobody needs the gradient of the inputs.
    flops: (n) => 5 * 2 * (n / 2) * n * (4 * n),
    makeOptimizer,
    reference: (inputs) => referenceLoss(inputs, CHECKED_STEPS, makeReference()),
  };
}

/** The step with plain gradient descent. */
export const sgdTraining: TrainingProgram = trainingProgram(
  "SGD",
  () => optim.sgd(SGD_LEARNING_RATE),
  () => sgdReference(SGD_LEARNING_RATE),
);

/** The step with AdamW. */
export const adamwTraining: TrainingProgram = trainingProgram(
  "AdamW",
  () => optim.adamw(ADAMW_LEARNING_RATE),
  () => adamwReference(ADAMW_LEARNING_RATE),
);
