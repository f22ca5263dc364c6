// @jax-js/jax in the comparison. Its functions consume their arguments; `ref` keeps one for a next use.

import * as jax from "npm:@jax-js/jax@0.1.25";
import type { Contender } from "../run/timing.ts";
import { AFFINE, type JobName, type Peer } from "./peer.ts";

type Array = jax.numpy.Array;

const np = jax.numpy;

const programs: Partial<Record<JobName, (...inputs: Array[]) => Array>> = {
  "matmul": (a, b) => np.matmul(a, b),
  "gelu(a * x + b)": (x) => jax.nn.gelu(x.mul(AFFINE.a).add(AFFINE.b)),
  "softmax": (x) => jax.nn.softmax(x, -1),
  "layer norm": (x) => jax.nn.standardize(x, -1),
  "MLP forward": (x, w1, b1, w2, b2) =>
    np.matmul(jax.nn.gelu(np.matmul(x, w1).add(b1)), w2).add(b2),
};

function chain(start: Array): Contender {
  const tiny = jax.jit((x: Array) => x.mul(AFFINE.small).add(1));
  return {
    run: async (calls) => {
      let x = start.ref;
      for (let call = 0; call < calls; call++) x = tiny(x);
      await x.data();
    },
  };
}

function readScalar(start: Array): Contender {
  const step = jax.jit((x: Array) => np.sum(x));
  return {
    run: async (calls) => {
      for (let call = 0; call < calls; call++) await step(start.ref).data();
    },
  };
}

/** The nearest peer: JAX's interface in TypeScript, on WebGPU. */
export const jaxJs: Peer = {
  name: "jax-js",
  open: async () => {
    await jax.init("webgpu");
    jax.defaultDevice("webgpu");
  },
  prepare(job, precision, inputs) {
    if (precision === "bfloat16") return "no bfloat16";
    const arrays = inputs.map(({ shape, values }) =>
      np.array(values).reshape([...shape]).astype(precision === "float16" ? np.float16 : np.float32)
    );
    if (job === "chain of calls") return chain(arrays[0]);
    if (job === "read a scalar") return readScalar(arrays[0]);
    const compiled = jax.jit(programs[job]!);
    return {
      run: async (calls) => {
        let last: Array | undefined;
        for (let call = 0; call < calls; call++) {
          last?.dispose();
          last = compiled(...arrays.map((array) => array.ref));
        }
        await last!.blockUntilReady();
        last!.dispose();
      },
    };
  },
};
