// A training step made ready to be measured: each call is the next step.

import {
  blockUntilReady,
  type Jitted,
  memoryStats,
  type NDArray,
  optim,
  resetPeakMemory,
  tree,
} from "../../mod.ts";
import type { HostArray } from "../host_data.ts";
import type { Precision } from "../precision.ts";
import { type Memory, type Prepared, toDevice } from "../run/prepared.ts";
import { CHECKED_STEPS, type MlpParams, type TrainingProgram } from "./program.ts";
import { compileStep, startTraining, type TrainingState } from "./step.ts";

/** One training program in one type; parameters and state stay in float32. */
export class PreparedTraining implements Prepared {
  readonly #program: TrainingProgram;
  readonly #precision: Precision;
  readonly #host: readonly HostArray[];
  readonly #optimizer: optim.GradientTransformation;
  readonly #step: ReturnType<typeof compileStep>;
  readonly #x: NDArray;
  readonly #y: NDArray;
  #state: TrainingState;

  /** Puts the arguments on the device; nothing is compiled before the first call. */
  constructor(program: TrainingProgram, precision: Precision, host: readonly HostArray[]) {
    this.#program = program;
    this.#precision = precision;
    this.#host = host;
    this.#optimizer = program.makeOptimizer();
    this.#step = compileStep(this.#optimizer, precision);
    this.#x = toDevice(host[0], "float32");
    this.#y = toDevice(host[1], "float32");
    this.#state = this.#start();
  }

  #start(): TrainingState {
    const [w1, b1, w2, b2] = this.#host.slice(2).map((array) => toDevice(array, "float32"));
    return startTraining({ w1, b1, w2, b2 }, this.#optimizer, this.#precision);
  }

  /** One step; the loss that it started from is the caller's. */
  #advance(): NDArray {
    const [state, loss] = this.#step(this.#state, this.#x, this.#y);
    this.#state = state;
    return loss;
  }

  async run(calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) this.#advance().dispose();
    await blockUntilReady(this.#state);
  }

  /** The loss after a few steps from the start, which the next calls go on from. */
  async result(): Promise<ArrayLike<number>> {
    disposeTree(this.#state);
    this.#state = this.#start();
    for (let step = 0; step < CHECKED_STEPS; step++) this.#advance().dispose();
    using loss = this.#advance();
    return await loss.data();
  }

  /** How far the loss is from float64's after a few steps, relative to that. */
  async error(): Promise<number> {
    const expected = this.#program.reference(this.#host);
    const [loss] = Array.from(await this.result());
    return Number.isFinite(loss) ? Math.abs(loss - expected) / expected : Infinity;
  }

  /** Of the device, while a step runs; what else is live on it is not counted. */
  async memory(): Promise<Memory> {
    const { tempBytes } = this.#step.lower(this.#state, this.#x, this.#y).memoryAnalysis();
    const own = (tree.leaves([this.#state, this.#x, this.#y]) as NDArray[])
      .reduce((sum, { nbytes }) => sum + nbytes, 0);
    const others = memoryStats().liveBytes - own;
    resetPeakMemory();
    await this.run(1);
    return { tempBytes, peakBytes: memoryStats().peakBytes - others };
  }

  /** Frees the arguments and the state. */
  dispose(): void {
    disposeTree([this.#state, this.#x, this.#y]);
  }
}

function disposeTree(arrays: unknown): void {
  for (const leaf of tree.leaves(arrays) as NDArray[]) leaf.dispose();
}
