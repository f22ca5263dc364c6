// trainStep: one compiled program per training step, with its state donated and every decision on the device.

import { isFloatingArray, NDArray, ownHandle } from "../array.ts";
import { checkOptions, describe, isPlainObject } from "../core/errors.ts";
import { leaves, leavesWithPath, map } from "../core/pytree.ts";
import { checkUsable, isTracing } from "../ir/trace.ts";
import { collectValues, noteValue } from "../ir/value.ts";
import { add } from "../numpy/arithmetic.ts";
import { logicalNot } from "../numpy/comparison.ts";
import { array, astype } from "../numpy/creation.ts";
import { liftedTree } from "../numpy/lift.ts";
import { clipByGlobalNorm } from "../optim/clipping.ts";
import type { GradientTransformation } from "../optim/transformation.ts";
import { applyUpdates, globalNorm } from "../optim/updates.ts";
import { getPolicy, type Policy, type PolicyLike, resolvePolicy } from "../precision/policy.ts";
import { jit } from "../transform/jit.ts";
import { noOp } from "./constant_loss_scale.ts";
import { dynamic } from "./dynamic_loss_scale.ts";
import { allFinite, selectTree } from "./finite.ts";
import type { LossScale } from "./loss_scale.ts";
import {
  accumulatedPass,
  backwardPass,
  checkArrays,
  type Loss,
  type SplitLoss,
  underPolicy,
} from "./objective.ts";
import { RunLog } from "./run_log.ts";
import { type LogArrays, LoggedScalar, writeRow } from "./step_log.ts";

export type { Loss } from "./objective.ts";

/** What `trainStep` is made of. */
export interface TrainStepOptions<Params, Batch extends readonly unknown[], Aux> {
  /** A function of the parameters and the batch that returns a scalar, or `[scalar, aux]`. */
  readonly loss: Loss<Params, Batch, Aux>;
  /** What gradients become updates by. */
  readonly optimizer: GradientTransformation;
  /** The policy that the loss runs under; by default the one in force when `trainStep` is called. */
  readonly policy?: PolicyLike;
  /** By default dynamic under a policy that computes in float16, and none otherwise. */
  readonly lossScale?: LossScale;
  /** The global norm that longer gradients are shortened to; by default they stay as they are. */
  readonly maxGradNorm?: number;
  /** How many parts a batch is taken in, one after the other; by default 1. */
  readonly accumulate?: number;
}

/** What a training step starts from and leaves: a tree of arrays. */
export interface TrainState<Params> {
  /** The parameters, in the policy's `paramDtype`. */
  readonly params: Params;
  /** What the optimizer remembers. */
  readonly optState: unknown;
  /** The loss scale of the next step. */
  readonly lossScale: LossScale;
  /** How many steps there were, an int32 scalar. */
  readonly step: NDArray;
}

/** What a training step reports, on the device. */
export interface Metrics<Aux> {
  /** The loss before the step, not scaled, float32. */
  readonly loss: NDArray;
  /** The global norm of the unscaled gradients before they are clipped, float32. */
  readonly gradNorm: NDArray;
  /** Whether gradients were not finite, so that parameters and optimizer stayed as they were; bool. */
  readonly skipped: NDArray;
  /** The loss scale that the step used, float32. */
  readonly lossScale: NDArray;
  /** What else the loss returned, or undefined. */
  readonly aux: Aux;
}

/** A training step; see {@linkcode trainStep}. */
export interface TrainStep<Params, Batch extends readonly unknown[], Aux> {
  /** The state before the first step. The parameters given stay the caller's. */
  init(params: Params): TrainState<Params>;
  /** Takes a step. The state given is donated: only the one returned can be used afterwards. */
  step(state: TrainState<Params>, ...batch: Batch): [TrainState<Params>, Metrics<Aux>];
}

type State = TrainState<unknown>;

/** What one traced step gives. */
interface StepResult {
  readonly state: State;
  readonly metrics: Metrics<unknown>;
}

/**
 * A training step as one compiled program. It puts the loss under the policy as `applyMixedPrecision` does (the
 * loss sees parameters and batch in the compute type), scales it and differentiates it, unscales the gradients in
 * float32, and, if all are finite, clips them and lets the optimizer update the parameters; otherwise parameters
 * and optimizer stay as they are, and the loss scale falls.
 * Nothing of this waits for the host, but for one look in fifty steps at whether any of them was finite.
 *
 * Metrics are scalars that share one array: reading one with `await metrics.loss.item()` reads those of the
 * steps before it too, and metrics that are dropped need no `dispose`. The arrays of `aux` are the caller's own,
 * like the results of any other function.
 *
 * With `accumulate: n` a batch is taken in n equal parts of its leading axis, one after the other in the same
 * program; loss and gradients are averaged in float32 and `aux` is stacked along a new leading axis. Scalars in
 * the batch go to every part.
 *
 * @throws {TypeError} or {RangeError} for options, parameters and losses that cannot be trained with, before
 * anything is donated. `step` throws an Error after fifty steps and more without finite gradients.
 *
 * @example
 * ```ts
 * import { init, type NDArray, numpy as jnp, optim, trainStep } from "@zenith/jax";
 *
 * await init();
 * const { init: start, step } = trainStep({
 *   loss: (w: NDArray, x: NDArray, y: NDArray) => x.matmul(w).sub(y).square().mean(),
 *   optimizer: optim.sgd(0.1),
 *   policy: "mixed_float16",
 * });
 * const x = jnp.array([[1, 2], [3, 4], [5, 6]]);
 * const y = jnp.array([[5], [11], [17]]);
 * let state = start(jnp.zeros([2, 1]));
 * for (let i = 0; i < 10; i++) {
 *   const [next, metrics] = step(state, x, y);
 *   state = next;
 *   console.log(await metrics.loss.item(), await metrics.skipped.item());
 * }
 * ```
 */
export function trainStep<Params, Batch extends readonly unknown[], Aux = undefined>(
  options: TrainStepOptions<Params, Batch, Aux>,
): TrainStep<Params, Batch, Aux> {
  checkTrainStepOptions(options as TrainStepOptions<unknown, readonly unknown[], unknown>);
  const trainer = new Trainer(options as never);
  return {
    init: (params) => trainer.init(params) as TrainState<Params>,
    step: (state, ...batch) => trainer.step(state, batch) as never,
  };
}

function checkTrainStepOptions(options: TrainStepOptions<unknown, readonly unknown[], unknown>) {
  const what = "make a training step";
  checkOptions(what, options ?? null, [
    "loss",
    "optimizer",
    "policy",
    "lossScale",
    "maxGradNorm",
    "accumulate",
  ]);
  const { loss, optimizer, lossScale, maxGradNorm, accumulate } = options;
  const wrong = (required: string, got: unknown): TypeError =>
    new TypeError(`Cannot ${what}: ${required}, got ${describe(got)}`);
  if (typeof loss !== "function") throw wrong("loss must be a function", loss);
  if (typeof optimizer?.init !== "function" || typeof optimizer.update !== "function") {
    throw wrong("optimizer must be a gradient transformation { init, update }", optimizer);
  }
  const methods = ["scale", "unscale", "adjust"] as const;
  if (lossScale !== undefined && methods.some((m) => typeof lossScale?.[m] !== "function")) {
    throw wrong("lossScale must be one of lossScale.noOp, fixed and dynamic", lossScale);
  }
  if (maxGradNorm !== undefined && !(Number.isFinite(maxGradNorm) && maxGradNorm > 0)) {
    throw new RangeError(
      `Cannot ${what}: maxGradNorm must be a positive finite number, got ${describe(maxGradNorm)}`,
    );
  }
  if (accumulate !== undefined && !(Number.isInteger(accumulate) && accumulate > 0)) {
    throw new RangeError(
      `Cannot ${what}: accumulate must be a whole number from 1 on, got ${describe(accumulate)}`,
    );
  }
}

class Trainer {
  readonly #options: TrainStepOptions<unknown, readonly unknown[], unknown>;
  readonly #policy: Policy;
  readonly #loss: SplitLoss;
  /** The logs of the runs that states are of, by the array that counts their steps. */
  readonly #runs = new WeakMap<NDArray, RunLog>();
  readonly #program = jit(
    (state: State, log: LogArrays, batch: readonly unknown[]) => {
      const { state: next, metrics } = this.#advance(state, batch);
      const { aux, ...scalars } = metrics;
      return { next, log: writeRow(log, { ...scalars, step: state.step }), aux };
    },
    { donateArgnums: [0, 1], name: "the step" },
  );

  constructor(options: TrainStepOptions<unknown, readonly unknown[], unknown>) {
    this.#options = options;
    this.#policy = options.policy === undefined ? getPolicy() : resolvePolicy(options.policy);
    this.#loss = underPolicy(options.loss, this.#policy);
  }

  init(params: unknown): State {
    checkParams(params);
    const { optimizer, lossScale } = this.#options;
    const { paramDtype, computeDtype } = this.#policy;
    const usualScale = () => computeDtype === "float16" ? dynamic() : noOp();
    return liftedTree("init", () => {
      // Always handles of their own: the step's donation leaves the caller's arrays alone.
      const own = map((leaf: NDArray) => astype(leaf, paramDtype), params);
      return {
        params: own,
        optState: apart(optimizer.init(own), own),
        lossScale: lossScale === undefined ? usualScale() : apart(lossScale, lossScale),
        step: array(0, { dtype: "int32" }),
      };
    });
  }

  step(state: State, batch: readonly unknown[]): [State, Metrics<unknown>] {
    checkTrainState(state);
    checkArrays("the batch must hold", batch, "batch");
    if (isTracing()) {
      const { state: next, metrics } = this.#advance(state, batch);
      return [next, metrics];
    }
    return this.#run(state, batch);
  }

  /** Everything that a step does, traced. */
  #advance(state: State, batch: readonly unknown[]): StepResult {
    const { optimizer, maxGradNorm, accumulate = 1 } = this.#options;
    const { params, optState, lossScale, step } = state;
    const pass = accumulate === 1
      ? backwardPass(this.#loss, lossScale, params, batch)
      : accumulatedPass(this.#loss, lossScale, params, batch, accumulate);
    const grads = lossScale.unscale(pass.grads);
    const finite = allFinite(grads);
    const clipped = maxGradNorm === undefined
      ? grads
      : clipByGlobalNorm(maxGradNorm).update(grads, {})[0];
    const [updates, nextOptState] = optimizer.update(clipped, optState, params);
    const updated = { params: applyUpdates(params, updates), optState: nextOptState };
    return {
      state: {
        ...selectTree(finite, updated, { params, optState }),
        lossScale: lossScale.adjust(finite),
        step: add(step, 1),
      },
      metrics: {
        loss: pass.loss,
        gradNorm: globalNorm(grads),
        skipped: logicalNot(finite),
        lossScale: lossScale.value,
        aux: pass.aux,
      },
    };
  }

  #run(state: State, batch: readonly unknown[]): [State, Metrics<unknown>] {
    // What a run keeps from step to step must outlive a scope around one of them: it is collected here instead.
    const { run, log, result } = collectValues(new Set(), () => {
      const run = this.#runs.get(state.step) ?? new RunLog();
      this.#runs.set(state.step, run);
      const log = run.next();
      return { run, log, result: this.#program(state, log.device, batch) };
    });
    const { next, aux } = result;
    log.device = result.log;
    log.length++;
    this.#runs.delete(state.step);
    this.#runs.set(next.step, run);
    for (const value of leaves([next, aux]) as NDArray[]) noteValue(value);
    return [next, {
      loss: new LoggedScalar(log, "loss", "float32"),
      gradNorm: new LoggedScalar(log, "gradNorm", "float32"),
      skipped: new LoggedScalar(log, "skipped", "bool"),
      lossScale: new LoggedScalar(log, "lossScale", "float32"),
      aux,
    }];
  }
}

/** The tree with a handle of its own for every array that is in `taken` or came before: each is donated once. */
function apart<T>(tree: T, taken: unknown): T {
  const seen = new Set<unknown>(leaves(taken));
  const own = (leaf: unknown): unknown => {
    if (leaf instanceof NDArray && seen.has(leaf)) return ownHandle("init", leaf, leaf);
    seen.add(leaf);
    return leaf;
  };
  return map(own, tree as unknown) as T;
}

function checkParams(params: unknown): void {
  const all = leavesWithPath(params, "params");
  if (all.length === 0) {
    throw new TypeError(
      `Cannot init: params must hold at least one array, got ${describe(params)}`,
    );
  }
  for (const { path, leaf } of all) {
    if (isFloatingArray(leaf) || typeof leaf === "number") continue;
    throw new TypeError(
      `Cannot init: params must be floating arrays, got ${
        describe(leaf)
      } at ${path}; hand whole numbers to the loss in the batch`,
    );
  }
}

function checkTrainState(state: unknown): void {
  const keys = ["params", "optState", "lossScale", "step"];
  const { step, lossScale } = (isPlainObject(state) ? state : {}) as Partial<State>;
  const whole = isPlainObject(state) && keys.every((key) => Object.hasOwn(state, key));
  if (!whole || !(step instanceof NDArray) || typeof lossScale?.adjust !== "function") {
    throw new TypeError(
      `Cannot step: the state must be what init or step returned, { ${keys.join(", ")} }, got ${
        describe(state)
      }`,
    );
  }
  checkUsable("step", step);
}
