// The training step in @jax-js/jax: one jitted function, as its documentation writes it.

import { CHECKED_STEPS, SGD_LEARNING_RATE } from "../training/program.ts";
import type { EngineContender } from "./engine.ts";
import type { JaxArray, JaxJs } from "./jax_js.ts";
import type { QueueDrain } from "./queue_drain.ts";

/** The step and its parameters, each step from where the last one ended. */
export class JaxTraining implements EngineContender {
  readonly #put: () => readonly JaxArray[];
  readonly #drain: QueueDrain;
  readonly #step: (...inputs: JaxArray[]) => readonly JaxArray[];
  readonly #x: JaxArray;
  readonly #y: JaxArray;
  #params: readonly JaxArray[];

  /** @param put makes the inputs, the targets and the parameters. */
  constructor(jax: JaxJs, put: () => readonly JaxArray[], drain: QueueDrain) {
    this.#put = put;
    this.#drain = drain;
    this.#step = compileStep(jax);
    [this.#x, this.#y, ...this.#params] = put();
  }

  /** One step; the loss that it started from is the caller's. */
  #advance(): JaxArray {
    const [loss, ...params] = this.#step(...this.#params, this.#x.ref, this.#y.ref);
    this.#params = params;
    return loss;
  }

  run(calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) this.#advance().gpuBufferSync();
    for (const param of this.#params) param.ref.gpuBufferSync();
    this.#drain.wait();
    return Promise.resolve();
  }

  async result(): Promise<ArrayLike<number>> {
    for (const param of this.#params) param.dispose();
    const [x, y, ...params] = this.#put();
    x.dispose();
    y.dispose();
    this.#params = params;
    for (let step = 0; step < CHECKED_STEPS; step++) this.#advance().dispose();
    return await this.#advance().data();
  }

  dispose(): void {
    for (const array of [this.#x, this.#y, ...this.#params]) array.dispose();
  }
}

/** Takes the parameters, the inputs and the targets; gives the loss and the new parameters. */
function compileStep(
  { jit, nn, numpy, valueAndGrad }: JaxJs,
): (...inputs: JaxArray[]) => readonly JaxArray[] {
  const loss = (
    w1: JaxArray,
    b1: JaxArray,
    w2: JaxArray,
    b2: JaxArray,
    x: JaxArray,
    y: JaxArray,
  ) => {
    const output = numpy.matmul(nn.gelu(numpy.matmul(x, w1).add(b1)), w2).add(b2);
    return numpy.mean(numpy.square(output.sub(y)));
  };
  const gradient = valueAndGrad(loss as (...inputs: JaxArray[]) => JaxArray, {
    argnums: [0, 1, 2, 3],
  });
  return jit((...inputs: JaxArray[]) => {
    const params = inputs.slice(0, 4);
    const [value, grads] = gradient(...params.map(({ ref }) => ref), ...inputs.slice(4));
    return [value, ...params.map((own, at) => own.sub(grads[at].mul(SGD_LEARNING_RATE)))];
  });
}
