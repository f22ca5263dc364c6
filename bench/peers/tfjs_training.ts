// The training step in tfjs: its gradients, operation by operation, and the change of the parameters.

import { CHECKED_STEPS, SGD_LEARNING_RATE } from "../training/program.ts";
import type { EngineContender } from "./engine.ts";
import type { QueueDrain } from "./queue_drain.ts";
import { finishAll, type Tensor, type Tensorflow, type TensorFunction } from "./tfjs.ts";

/** The step and its parameters, each step from where the last one ended. */
export class TfjsTraining implements EngineContender {
  readonly #tf: Tensorflow;
  readonly #put: () => readonly Tensor[];
  readonly #drain: QueueDrain;
  readonly #gradient: ReturnType<Tensorflow["valueAndGrads"]>;
  readonly #x: Tensor;
  readonly #y: Tensor;
  #params: readonly Tensor[];

  /**
   * @param forward the layers, of the inputs and the parameters.
   * @param put makes the inputs, the targets and the parameters.
   */
  constructor(
    tf: Tensorflow,
    forward: TensorFunction,
    put: () => readonly Tensor[],
    drain: QueueDrain,
  ) {
    this.#tf = tf;
    this.#put = put;
    this.#drain = drain;
    [this.#x, this.#y, ...this.#params] = put();
    this.#gradient = tf.valueAndGrads((...params) =>
      tf.mean(tf.square(tf.sub(forward(this.#x, ...params), this.#y)))
    );
  }

  /** One step; the loss that it started from is the caller's. */
  #advance(): Tensor {
    const tf = this.#tf;
    const [loss, ...params] = tf.tidy(() => {
      const { value, grads } = this.#gradient(this.#params);
      const moved = this.#params.map((own, at) =>
        tf.sub(own, tf.mul(grads[at], SGD_LEARNING_RATE))
      );
      return [value, ...moved];
    });
    this.#replace(params);
    return loss;
  }

  #replace(params: readonly Tensor[]): void {
    for (const param of this.#params) param.dispose();
    this.#params = params;
  }

  run(calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) this.#advance().dispose();
    return finishAll(this.#tf, this.#drain);
  }

  async result(): Promise<ArrayLike<number>> {
    const [x, y, ...params] = this.#put();
    x.dispose();
    y.dispose();
    this.#replace(params);
    for (let step = 0; step < CHECKED_STEPS; step++) this.#advance().dispose();
    const loss = this.#advance();
    const elements = await loss.data();
    loss.dispose();
    return elements;
  }

  dispose(): void {
    for (const tensor of [this.#x, this.#y, ...this.#params]) tensor.dispose();
  }
}
