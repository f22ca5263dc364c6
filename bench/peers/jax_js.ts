// @jax-js/jax among the peers.

import type { HostArray } from "../host_data.ts";
import { CHAIN } from "../reference.ts";
import {
  type Engine,
  type EngineContender,
  type FunctionName,
  type FunctionTask,
  Unsupported,
} from "./engine.ts";
import { JaxTraining } from "./jax_js_training.ts";
import { QueueDrain } from "./queue_drain.ts";
import { TINY } from "./tasks.ts";

const VERSION = "0.1.25";
// Not a literal in the import below: checking types must not need the network.
const PACKAGE = `npm:@jax-js/jax@${VERSION}`;

/** An array of that library. Every use consumes it; `ref` is one more use. */
export interface JaxArray {
  readonly ref: JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  astype(dtype: string): JaxArray;
  blockUntilReady(): Promise<JaxArray>;
  /** Runs all that the array waits for; consumes it. */
  gpuBufferSync(): GPUBuffer;
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

type JaxFunction = (...inputs: JaxArray[]) => JaxArray;

/** The part of the library that is used here. */
export interface JaxJs {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  getWebGPUDevice(): GPUDevice;
  jit<Result>(fn: (...inputs: JaxArray[]) => Result): (...inputs: JaxArray[]) => Result;
  valueAndGrad(
    fn: JaxFunction,
    options: { argnums: readonly number[] },
  ): (...inputs: JaxArray[]) => [value: JaxArray, gradients: JaxArray[]];
  readonly numpy: {
    array(values: Float32Array, options: { shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    mean(x: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
  };
  readonly nn: {
    gelu(x: JaxArray): JaxArray;
    softmax(x: JaxArray, axis: number): JaxArray;
    standardize(x: JaxArray, axis: number): JaxArray;
    dotProductAttention(q: JaxArray, k: JaxArray, v: JaxArray): JaxArray;
  };
}

function functionsOf({ numpy, nn }: JaxJs): Record<FunctionName, JaxFunction> {
  const { matmul } = numpy;
  return {
    "matmul": (a, b) => matmul(a, b),
    "gelu(a * x + b)": (x) => nn.gelu(x.mul(CHAIN.a).add(CHAIN.b)),
    "softmax": (x) => nn.softmax(x, -1),
    "layer norm": (x) => nn.standardize(x, -1),
    "MLP forward": (x, w1, b1, w2, b2) => matmul(nn.gelu(matmul(x, w1).add(b1)), w2).add(b2),
    "attention": (q, k, v) => nn.dotProductAttention(q, k, v),
    "tiny function": (x) => x.mul(TINY.factor).add(TINY.summand),
    "loss": (x) => numpy.mean(numpy.square(x)),
  };
}

/** What differs between the kinds of task: how calls follow one another. */
function runnerOf(
  kind: FunctionTask["kind"],
  fn: JaxFunction,
  inputs: readonly JaxArray[],
  drain: QueueDrain,
): EngineContender["run"] {
  const call = () => fn(...inputs.map((input) => input.ref));
  switch (kind) {
    case "calls":
      return (calls) => {
        for (let i = 0; i < calls; i++) call().gpuBufferSync();
        drain.wait();
        return Promise.resolve();
      };
    case "awaited":
      return async (calls) => {
        for (let i = 0; i < calls; i++) (await call().blockUntilReady()).dispose();
      };
    case "chain":
      return (calls) => {
        let value = call();
        for (let i = 1; i < calls; i++) value = fn(value);
        value.gpuBufferSync();
        drain.wait();
        return Promise.resolve();
      };
    case "read":
      return async (calls) => {
        for (let i = 0; i < calls; i++) await call().data();
      };
  }
}

/** Loads the library and opens its device. */
export async function jaxJs(): Promise<Engine> {
  const jax: JaxJs = await import(PACKAGE);
  const devices = await jax.init("webgpu");
  if (!devices.includes("webgpu")) throw new Unsupported("it opened no WebGPU device");
  jax.defaultDevice("webgpu");
  const drain = new QueueDrain(jax.getWebGPUDevice());
  const functions = functionsOf(jax);
  return {
    name: "@jax-js/jax",
    version: VERSION,
    prepare: async (task, precision) => {
      if (precision === "bfloat16") throw new Unsupported("no bfloat16");
      const put = ({ values, shape }: HostArray) =>
        jax.numpy.array(values, { shape }).astype(precision);
      if (task.kind === "training") {
        if (precision !== "float32") throw new Unsupported("no gradient of a cast");
        return new JaxTraining(jax, () => task.inputs.map(put), drain);
      }
      const arrays = task.inputs.map(put);
      for (const array of arrays) await array.ref.blockUntilReady();
      const fn = jax.jit(functions[task.functionName]);
      return {
        run: runnerOf(task.kind, fn, arrays, drain),
        result: () => fn(...arrays.map((array) => array.ref)).data(),
        dispose: () => arrays.forEach((array) => array.dispose()),
      };
    },
  };
}
