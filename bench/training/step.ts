// The training step of this library: what it keeps from one step to the next, and how it is taken.

import {
  allFinite,
  castTo,
  jit,
  lossScale,
  type NDArray,
  optim,
  selectTree,
  valueAndGrad,
} from "../../mod.ts";
import type { Precision } from "../precision.ts";
import { mlpLoss, type MlpParams } from "./program.ts";

/** What a step takes from the one before. */
export interface TrainingState {
  readonly params: MlpParams;
  readonly optState: unknown;
  readonly lossScale: lossScale.LossScale;
}

/** Takes a step, whose memory is that of the state before, and gives the loss that it started from. */
export type TrainingStep = (
  state: TrainingState,
  x: NDArray,
  y: NDArray,
) => readonly [TrainingState, NDArray];

/** The state that training starts from. In float16 gradients are scaled, since small ones would vanish. */
export function startTraining(
  params: MlpParams,
  optimizer: optim.GradientTransformation,
  precision: Precision,
): TrainingState {
  return {
    params,
    optState: optimizer.init(params),
    lossScale: precision === "float16" ? lossScale.dynamic() : lossScale.noOp(),
  };
}

/** The compiled step: forward and backward in one type, parameters and optimizer in float32. */
export function compileStep(optimizer: optim.GradientTransformation, precision: Precision) {
  const step: TrainingStep = (state, x, y) => {
    const scaledLoss = (params: MlpParams, x: NDArray): [NDArray, NDArray] => {
      const loss = mlpLoss(castTo(params, precision), castTo(x, precision), y);
      return [state.lossScale.scale(loss), loss];
    };
    const [[, loss], scaled] = valueAndGrad(scaledLoss, { hasAux: true })(state.params, x);
    const grads = state.lossScale.unscale(scaled);
    const [updates, optState] = optimizer.update(grads, state.optState, state.params);
    const params = optim.applyUpdates(state.params, updates);
    const finite = allFinite(grads);
    const next = selectTree(finite, { params, optState }, {
      params: state.params,
      optState: state.optState,
    });
    return [{ ...next, lossScale: state.lossScale.adjust(finite) }, loss];
  };
  return jit(step, { donateArgnums: 0, name: "training step" });
}
