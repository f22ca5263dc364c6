// What a library has to offer to be measured beside the others.

import type { HostArray } from "../host_data.ts";
import type { Precision, Work } from "../precision.ts";
import type { ReferenceElement } from "../reference.ts";
import type { Contender } from "../run/timing.ts";
import type { TrainingProgram } from "../training/program.ts";

/** The names under which libraries write the same functions. */
export type FunctionName =
  | "matmul"
  | "gelu(a * x + b)"
  | "softmax"
  | "layer norm"
  | "MLP forward"
  | "attention"
  | "tiny function"
  | "loss";

/** Something that every library is asked to do. */
export type Task = FunctionTask | TrainingTask;

/** A function to be called. */
export interface FunctionTask extends TaskBase {
  readonly functionName: FunctionName;
  /**
   * `calls`: one function again and again on the same arguments, waiting once at the end. `awaited`: each call
   * is waited for in the library's own way. `chain`: each result is the next call's argument. `read`: each
   * call's result, a scalar, is read by the host.
   */
  readonly kind: "calls" | "awaited" | "chain" | "read";
}

/**
 * A training step to be taken: the loss, its gradients and the parameters' change by plain gradient descent,
 * each step from where the last one ended. What is checked is the loss after a few steps.
 */
export interface TrainingTask extends TaskBase {
  readonly kind: "training";
  readonly program: TrainingProgram;
}

/** What every task has. */
export interface TaskBase {
  readonly name: string;
  readonly label: string;
  readonly inputs: readonly HostArray[];
  /** One element of a single call's result. */
  readonly reference: ReferenceElement;
  readonly precisions: readonly Precision[];
  /** Work of a call, where a rate says something. */
  readonly work?: (precision: Precision) => Work;
  /** Calls a sample, where the task says so. */
  readonly calls?: number;
}

/** A task made ready in one library and one type. */
export interface EngineContender extends Contender {
  /** The elements of a single call's result. */
  result(): Promise<ArrayLike<number>>;
  dispose(): void;
}

/** A library. */
export interface Engine {
  readonly name: string;
  readonly version: string;
  /** Throws {@linkcode Unsupported} where the library has no such thing. */
  prepare(task: Task, precision: Precision): Promise<EngineContender>;
}

/** What a library cannot do. */
export class Unsupported extends Error {}

/** The name of this library in tables. */
export const OURS = "@zenith/jax";
