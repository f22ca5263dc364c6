// A training step made ready to be measured: each call is the next step.

import {
  blockUntilReady,
  jit,
  memoryStats,
  type Metrics,
  type NDArray,
  resetPeakMemory,
  type TrainState,
  type TrainStep,
  trainStep,
  tree,
} from "../../mod.ts";
import type { HostArray } from "../host_data.ts";
import type { Precision } from "../precision.ts";
import { type Memory, type Prepared, toDevice } from "../run/prepared.ts";
import { CHECKED_STEPS, mlpLoss, type MlpParams, type TrainingProgram } from "./program.ts";

/** The policy that computes in a type and keeps parameters in float32. */
const policies = {
  float32: "float32",
  float16: "mixed_float16",
  bfloat16: "mixed_bfloat16",
} as const;

/** One training program in one type; parameters and state stay in float32. */
export class PreparedTraining implements Prepared {
  readonly #program: TrainingProgram;
  readonly #host: readonly HostArray[];
  readonly #training: TrainStep<MlpParams, [NDArray, NDArray], undefined>;
  readonly #x: NDArray;
  readonly #y: NDArray;
  #state: TrainState<MlpParams>;

  /** Puts the arguments on the device; nothing is compiled before the first call. */
  constructor(program: TrainingProgram, precision: Precision, host: readonly HostArray[]) {
    this.#program = program;
    this.#host = host;
    this.#training = trainStep({
      loss: mlpLoss,
      optimizer: program.makeOptimizer(),
      policy: policies[precision],
    });
    this.#x = toDevice(host[0], "float32");
    this.#y = toDevice(host[1], "float32");
    this.#state = this.#start();
  }

  #start(): TrainState<MlpParams> {
    const [w1, b1, w2, b2] = this.#host.slice(2).map((array) => toDevice(array, "float32"));
    const params = { w1, b1, w2, b2 };
    const state = this.#training.init(params);
    disposeTree(params);
    return state;
  }

  /** One step. Metrics that nobody reads need not be disposed of. */
  #advance(): Metrics<undefined> {
    const [state, metrics] = this.#training.step(this.#state, this.#x, this.#y);
    this.#state = state;
    return metrics;
  }

  async run(calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) this.#advance();
    await blockUntilReady(this.#state);
  }

  /** The loss after a few steps from the start, which the next calls go on from. */
  async result(): Promise<ArrayLike<number>> {
    disposeTree(this.#state);
    this.#state = this.#start();
    for (let step = 0; step < CHECKED_STEPS; step++) this.#advance();
    return await this.#advance().loss.data();
  }

  /** How far the loss is from float64's after a few steps, relative to that. */
  async error(): Promise<number> {
    const expected = this.#program.reference(this.#host);
    const [loss] = Array.from(await this.result());
    return Number.isFinite(loss) ? Math.abs(loss - expected) / expected : Infinity;
  }

  /** Of the device, while a step runs; what else is live on it is not counted. */
  async memory(): Promise<Memory> {
    const arrays = [this.#state, this.#x, this.#y] as const;
    const step = jit(this.#training.step, { donateArgnums: 0 });
    const { tempBytes } = step.lower(...arrays).memoryAnalysis();
    const own = (tree.leaves(arrays) as NDArray[]).reduce((sum, { nbytes }) => sum + nbytes, 0);
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
