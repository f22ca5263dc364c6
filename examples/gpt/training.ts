// Training a GPT under one policy: some steps at a time, with what is to be shown of each stretch, and the state
// in a file from which a run that was stopped continues.

import {
  castToCompute,
  evalShape,
  jit,
  loadCheckpoint,
  losses,
  memoryStats,
  type Metrics,
  type NDArray,
  numpy as jnp,
  optim,
  random,
  saveCheckpoint,
  scope,
  type TrainState,
  type TrainStep,
  trainStep,
  tree,
  withPolicy,
} from "@zenith/jax";
import { type Gpt, gpt, type GptParams } from "./model.ts";
import { type Text, VOCABULARY } from "./text.ts";
import { Windows } from "./windows.ts";

/** What decides how a training goes: the same plan and text give the same weights. */
export interface GptPlan {
  readonly policy: string;
  readonly steps: number;
  /** Windows of text in a step, and how many tokens each has. */
  readonly batch: number;
  readonly length: number;
  readonly layers: number;
  readonly heads: number;
  readonly features: number;
  readonly seed: number;
}

/** How far the training came with a stretch of steps. */
export interface StepReport {
  readonly policy: string;
  /** Steps since the beginning. */
  readonly step: number;
  /** The mean loss of the stretch's steps. */
  readonly loss: number;
  readonly lossScale: number;
  /** Steps since the beginning whose gradients were not finite. */
  readonly skipped: number;
  readonly tokensPerSecond: number;
  /** Bytes of all arrays that live between two steps. */
  readonly liveBytes: number;
}

/** Where the state is kept. */
export interface KeepOptions {
  /** A file that the state is saved to as the training goes on. */
  readonly checkpoint?: string;
  /** Whether to start from that file's state. */
  readonly resume?: boolean;
}

type State = TrainState<GptParams>;

const PEAK_LEARNING_RATE = 5e-3;
const WEIGHT_DECAY = 0.1;
/** Reports of a whole run, and how many of them go by from one checkpoint to the next. */
const REPORTS = 30;
const REPORTS_A_CHECKPOINT = 5;
/** Batches that the test loss is the mean of. */
const TEST_BATCHES = 8;

/** The mean cross entropy of every token but the first, from those before it. */
function crossEntropy(model: Gpt, params: GptParams, windows: NDArray): NDArray {
  const logits = model.apply(params, windows.slice([], [0, -1]));
  const following = windows.slice([], [1, windows.shape[1]]);
  return losses.softmaxCrossEntropyWithIntegerLabels(logits, following).mean();
}

/** AdamW as GPTs are trained: the rate rises, then falls along a cosine; only matrices decay. */
function optimizerFor(steps: number) {
  const schedule = optim.warmupCosine({
    initValue: 0,
    peakValue: PEAK_LEARNING_RATE,
    warmupSteps: Math.floor(steps / 10),
    decaySteps: steps,
    endValue: PEAK_LEARNING_RATE / 10,
  });
  const mask = (params: GptParams) => tree.map((leaf: NDArray) => leaf.ndim > 1, params);
  return optim.adamw(schedule, { b2: 0.95, weightDecay: WEIGHT_DECAY, mask });
}

/** A GPT on its way under one policy. */
export class GptTraining implements Disposable {
  readonly model: Gpt;
  readonly #plan: GptPlan;
  readonly #checkpoint: string | undefined;
  /** What a checkpoint must have been made with. */
  readonly #identity: string;
  readonly #weightsKey: NDArray;
  readonly #windows: Windows;
  readonly #testWindows: Windows;
  readonly #step: TrainStep<GptParams, [NDArray], undefined>;
  #reports: readonly StepReport[] = [];
  #state!: State;

  private constructor(plan: GptPlan, text: Text, checkpoint: string | undefined) {
    const { steps, policy, seed } = plan;
    const [weightsKey, batchKey, testKey] = scope(() => [...random.split(random.key(seed), 3)]);
    this.model = gpt({ vocabulary: VOCABULARY, ...plan });
    this.#plan = plan;
    this.#checkpoint = checkpoint;
    this.#identity = JSON.stringify({ ...plan, text: text.checksum });
    this.#weightsKey = weightsKey;
    this.#windows = new Windows(text.train, batchKey, plan);
    this.#testWindows = new Windows(text.test, testKey, plan);
    this.#step = trainStep({
      loss: (params: GptParams, windows: NDArray) => crossEntropy(this.model, params, windows),
      optimizer: optimizerFor(steps),
      policy,
      maxGradNorm: 1,
    });
  }

  /** A training from the seed's weights, or from where a checkpoint left it. */
  static async prepare(plan: GptPlan, text: Text, keep: KeepOptions = {}): Promise<GptTraining> {
    const training = new GptTraining(plan, text, keep.checkpoint);
    if (keep.resume) await training.#load(keep.checkpoint!);
    else training.#state = training.#start();
    return training;
  }

  /** The reports so far, those before the checkpoint included. */
  get reports(): readonly StepReport[] {
    return this.#reports;
  }

  /** The parameters as they are now; they belong to the training. */
  get params(): GptParams {
    return this.#state.params;
  }

  /** Takes the steps that are left and gives a report after each stretch of them. */
  async *run(): AsyncGenerator<StepReport> {
    const { steps } = this.#plan;
    const stretch = Math.ceil(steps / REPORTS);
    for (let from = this.#last?.step ?? 0; from < steps; from += stretch) {
      const report = await this.#advance(from, Math.min(from + stretch, steps));
      this.#reports = [...this.#reports, report];
      const due = this.#reports.length % REPORTS_A_CHECKPOINT === 0 || report.step === steps;
      if (this.#checkpoint && due) await this.#save(this.#checkpoint);
      yield report;
    }
  }

  /** The parameters in the type that the policy computes in, for what is done with the model besides training. */
  castParams(): GptParams {
    return withPolicy(this.#plan.policy, () => castToCompute(this.#state.params));
  }

  /** The mean loss on text that is not trained with. */
  testLoss(): Promise<number> {
    const loss = jit((params: GptParams, windows: NDArray) =>
      crossEntropy(this.model, params, windows)
    );
    return scope(async () => {
      const params = this.castParams();
      const batches = Array.from({ length: TEST_BATCHES }, (_, i) => this.#testWindows.draw(i));
      return Number(await jnp.stack(batches.map((windows) => loss(params, windows))).mean().item());
    });
  }

  [Symbol.dispose](): void {
    this.#windows[Symbol.dispose]();
    this.#testWindows[Symbol.dispose]();
    for (const leaf of tree.leaves([this.#state, this.#weightsKey])) (leaf as NDArray).dispose();
  }

  get #last(): StepReport | undefined {
    return this.#reports.at(-1);
  }

  #start(): State {
    return scope(() => this.#step.init(this.model.init(this.#weightsKey)));
  }

  async #advance(from: number, to: number): Promise<StepReport> {
    const { policy, batch, length } = this.#plan;
    const taken: Metrics<undefined>[] = [];
    const started = performance.now();
    for (let at = from; at < to; at++) {
      const [next, metrics] = scope(() => {
        const windows = this.#windows.draw(this.#state.step);
        return this.#step.step(this.#state, windows);
      });
      this.#state = next;
      taken.push(metrics);
    }
    // Nothing waits for the device before this line: one read fetches the numbers of many steps.
    const lossOfStep = await Promise.all(taken.map(({ loss }) => loss.item()));
    const seconds = (performance.now() - started) / 1000;
    const skips = await Promise.all(taken.map(({ skipped }) => skipped.item()));
    return {
      policy,
      step: to,
      loss: lossOfStep.reduce<number>((sum, each) => sum + Number(each), 0) / (to - from),
      lossScale: Number(await taken[taken.length - 1].lossScale.item()),
      skipped: (this.#last?.skipped ?? 0) + skips.filter(Boolean).length,
      tokensPerSecond: (to - from) * batch * length / seconds,
      liveBytes: memoryStats().liveBytes,
    };
  }

  async #save(file: string): Promise<void> {
    const reports = JSON.stringify(this.#reports);
    await saveCheckpoint(file, { identity: this.#identity, reports, state: this.#state });
  }

  async #load(file: string): Promise<void> {
    const like = { identity: "", reports: "", state: evalShape(() => this.#start()) };
    const saved = await loadCheckpoint<{ identity: string; reports: string; state: State }>(
      file,
      like,
    );
    this.#state = saved.state;
    if (saved.identity !== this.#identity) {
      throw new RangeError(
        `Cannot resume: the checkpoint must be of ${this.#identity}, got ${saved.identity}`,
      );
    }
    this.#reports = JSON.parse(saved.reports);
  }
}
