// TensorFlow.js with its WebGPU backend in the comparison. It has float32 alone, and no fused layer norm.

import * as tf from "npm:@tensorflow/tfjs-core@4.22.0";
import "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
import type { Contender } from "../run/timing.ts";
import { AFFINE, type JobName, type Peer } from "./peer.ts";

type Tensor = tf.Tensor;

const matmul = (a: Tensor, b: Tensor): Tensor => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D);

/** gelu in its tanh form, which TensorFlow.js lacks. */
function gelu(x: Tensor): Tensor {
  const inner = tf.mul(
    Math.sqrt(2 / Math.PI),
    tf.add(x, tf.mul(0.044715, tf.mul(x, tf.mul(x, x)))),
  );
  return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)));
}

function layerNorm(x: Tensor): Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
}

const programs: Partial<Record<JobName, (...inputs: Tensor[]) => Tensor>> = {
  "matmul": matmul,
  "gelu(a * x + b)": (x) => gelu(tf.add(tf.mul(x, AFFINE.a), AFFINE.b)),
  "softmax": (x) => tf.softmax(x),
  "layer norm": layerNorm,
  "MLP forward": (x, w1, b1, w2, b2) => tf.add(matmul(gelu(tf.add(matmul(x, w1), b1)), w2), b2),
  "chain of calls": (x) => tf.add(tf.mul(x, AFFINE.small), 1),
  "read a scalar": (x) => tf.sum(x),
};

/** Waits for one element, so that the time of moving a whole result does not count. */
async function settle(x: Tensor): Promise<void> {
  const one = tf.slice(tf.reshape(x, [-1]), [0], [1]);
  await one.data();
  one.dispose();
}

function chain(fn: (x: Tensor) => Tensor, start: Tensor): Contender {
  return {
    run: async (calls) => {
      let x = start.clone();
      for (let call = 0; call < calls; call++) {
        const next = tf.tidy(() => fn(x));
        x.dispose();
        x = next;
      }
      await settle(x);
      x.dispose();
    },
  };
}

/** The most used peer. */
export const tensorflow: Peer = {
  name: "tfjs-webgpu",
  open: async () => {
    if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js found no WebGPU adapter");
  },
  prepare(job, precision, inputs) {
    if (precision !== "float32") return `no ${precision}`;
    const tensors = inputs.map(({ shape, values }) => tf.tensor(values, [...shape]));
    const fn = programs[job]!;
    if (job === "chain of calls") return chain(fn, tensors[0]);
    const read = job === "read a scalar";
    return {
      run: async (calls) => {
        let last: Tensor | undefined;
        for (let call = 0; call < calls; call++) {
          last?.dispose();
          last = tf.tidy(() => fn(...tensors));
          if (read) await last.data();
        }
        await settle(last!);
        last!.dispose();
      },
    };
  },
};
