// @tensorflow/tfjs-backend-webgpu among the peers.

import { HEAD_SIZE } from "../attention/programs.ts";
import { CHAIN } from "../reference.ts";
import {
  type Engine,
  type EngineContender,
  type FunctionName,
  type FunctionTask,
  Unsupported,
} from "./engine.ts";
import { QueueDrain } from "./queue_drain.ts";
import { TINY } from "./tasks.ts";
import { TfjsTraining } from "./tfjs_training.ts";

const VERSION = "4.22.0";
// Not literals in the imports below: checking types must not need the network.
const CORE = `npm:@tensorflow/tfjs-core@${VERSION}`;
/** The whole library, which alone registers the gradients of the core's operations. */
const WITH_GRADIENTS = `npm:@tensorflow/tfjs@${VERSION}`;
const BACKEND = `npm:@tensorflow/tfjs-backend-webgpu@${VERSION}`;

const LAYER_NORM_EPSILON = 1e-5;

/** A tensor of that library. */
export interface Tensor {
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

/** A function of tensors. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;
type Operand = Tensor | number;

/** The part of the library that is used here. */
export interface Tensorflow {
  env(): { set(flag: string, value: boolean): void };
  setBackend(name: string): Promise<boolean>;
  backend(): {
    readonly device: GPUDevice;
    ensureCommandEncoderReady(): void;
    endComputePassEncoder(): void;
    submitQueue(): void;
  };
  tensor(values: Float32Array, shape: readonly number[], dtype: "float32"): Tensor;
  tidy<Result>(fn: () => Result): Result;
  valueAndGrads(
    fn: TensorFunction,
  ): (inputs: readonly Tensor[]) => { value: Tensor; grads: Tensor[] };
  add(a: Operand, b: Operand): Tensor;
  sub(a: Operand, b: Operand): Tensor;
  mul(a: Operand, b: Operand): Tensor;
  tanh(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  rsqrt(x: Tensor): Tensor;
  mean(x: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  softmax(x: Tensor, axis: number): Tensor;
  transpose(x: Tensor, axes: readonly number[]): Tensor;
  moments(x: Tensor, axis: number, keepDims: boolean): { mean: Tensor; variance: Tensor };
  readonly fused: { matMul(options: { a: Tensor; b: Tensor; bias: Tensor }): Tensor };
}

function functionsOf(tf: Tensorflow): Record<FunctionName, TensorFunction> {
  // There is no gelu in this library; its tanh form from what there is.
  const gelu = (x: Tensor) => {
    const inner = tf.mul(x, tf.add(tf.mul(tf.square(x), 0.044715), 1));
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(inner, Math.sqrt(2 / Math.PI))), 1));
  };
  const dense = (a: Tensor, b: Tensor, bias: Tensor) => tf.fused.matMul({ a, b, bias });
  return {
    "matmul": (a, b) => tf.matMul(a, b),
    "gelu(a * x + b)": (x) => gelu(tf.add(tf.mul(x, CHAIN.a), CHAIN.b)),
    "softmax": (x) => tf.softmax(x, -1),
    "layer norm": (x) => {
      const { mean, variance } = tf.moments(x, -1, true);
      return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON)));
    },
    "MLP forward": (x, w1, b1, w2, b2) => dense(gelu(dense(x, w1, b1)), w2, b2),
    // There is no attention in this library either.
    "attention": (q, k, v) => {
      const byHead = (x: Tensor) => tf.transpose(x, [0, 2, 1, 3]);
      const products = tf.matMul(byHead(q), byHead(k), false, true);
      const weights = tf.softmax(tf.mul(products, HEAD_SIZE ** -0.5), -1);
      return byHead(tf.matMul(weights, byHead(v)));
    },
    "tiny function": (x) => tf.add(tf.mul(x, TINY.factor), TINY.summand),
    "loss": (x) => tf.mean(tf.square(x)),
  };
}

/** Returns when the device has done all that it was given. */
export function finishAll(tf: Tensorflow, drain: QueueDrain): Promise<void> {
  // It gathers dispatches and submits the last of them only when it is read from; this is what reading does.
  const backend = tf.backend();
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  drain.wait();
  return Promise.resolve();
}

/** What differs between the kinds of task: how calls follow one another. */
function runnerOf(
  tf: Tensorflow,
  kind: FunctionTask["kind"],
  fn: TensorFunction,
  inputs: readonly Tensor[],
  drain: QueueDrain,
): EngineContender["run"] {
  const finish = () => finishAll(tf, drain);
  const call = (arrays: readonly Tensor[]) => tf.tidy(() => fn(...arrays));
  switch (kind) {
    case "calls":
      return (calls) => {
        for (let i = 0; i < calls; i++) call(inputs).dispose();
        return finish();
      };
    case "chain":
      return (calls) => {
        let value = call(inputs);
        for (let i = 1; i < calls; i++) {
          const next = call([value]);
          value.dispose();
          value = next;
        }
        value.dispose();
        return finish();
      };
    // Reading is its only way to wait.
    case "awaited":
    case "read":
      return async (calls) => {
        for (let i = 0; i < calls; i++) {
          const value = call(inputs);
          await value.data();
          value.dispose();
        }
      };
  }
}

/** Loads the library and opens its device. */
export async function tfjs(): Promise<Engine> {
  const tf: Tensorflow = await import(CORE);
  await import(BACKEND);
  if (!await tf.setBackend("webgpu")) throw new Unsupported("it opened no WebGPU device");
  // It computes small tensors in JavaScript while they are not on the device; the device is what is measured.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  const drain = new QueueDrain(tf.backend().device);
  const functions = functionsOf(tf);
  return {
    name: "tfjs-webgpu",
    version: VERSION,
    prepare: async (task, precision) => {
      if (precision !== "float32") throw new Unsupported(`no ${precision}`);
      const put = () => task.inputs.map(({ values, shape }) => tf.tensor(values, shape, "float32"));
      if (task.kind === "training") {
        await import(WITH_GRADIENTS);
        return new TfjsTraining(tf, functions["MLP forward"], put, drain);
      }
      const tensors = put();
      const fn = functions[task.functionName];
      return {
        run: runnerOf(tf, task.kind, fn, tensors, drain),
        result: async () => {
          const value = tf.tidy(() => fn(...tensors));
          const elements = await value.data();
          value.dispose();
          return elements;
        },
        dispose: () => tensors.forEach((tensor) => tensor.dispose()),
      };
    },
  };
}
