// This library in the comparison.

import { blockUntilReady, init, jit, type NDArray, nn, numpy as jnp } from "../../mod.ts";
import { toDevice } from "../run/prepared.ts";
import type { Contender } from "../run/timing.ts";
import { AFFINE, type JobName, type Peer } from "./peer.ts";

const programs: Partial<Record<JobName, (...inputs: NDArray[]) => NDArray>> = {
  "matmul": (a, b) => a.matmul(b),
  "gelu(a * x + b)": (x) => nn.gelu(x.mul(AFFINE.a).add(AFFINE.b)),
  "softmax": (x) => nn.softmax(x),
  "layer norm": (x) => nn.layerNorm(x),
  "MLP forward": (x, w1, b1, w2, b2) => nn.gelu(x.matmul(w1).add(b1)).matmul(w2).add(b2),
};

function chain(start: NDArray): Contender {
  const tiny = jit((x: NDArray) => x.mul(AFFINE.small).add(1));
  return {
    run: async (calls) => {
      let x = tiny(start);
      for (let call = 1; call < calls; call++) {
        const next = tiny(x);
        x.dispose();
        x = next;
      }
      await x.data();
      x.dispose();
    },
  };
}

function readScalar(start: NDArray): Contender {
  const step = jit((x: NDArray) => jnp.sum(x));
  return {
    run: async (calls) => {
      for (let call = 0; call < calls; call++) {
        using total = step(start);
        await total.item();
      }
    },
  };
}

/** This library, on the adapter that `init` finds. */
export const zenith: Peer = {
  name: "zenith",
  open: async () => void await init({ backend: "webgpu" }),
  prepare(job, precision, inputs) {
    const arrays = inputs.map((input) => toDevice(input, precision));
    if (job === "chain of calls") return chain(arrays[0]);
    if (job === "read a scalar") return readScalar(arrays[0]);
    const compiled = jit(programs[job]!);
    return {
      run: async (calls) => {
        for (let call = 0; call < calls; call++) compiled(...arrays).dispose();
        await blockUntilReady(arrays);
      },
    };
  },
};
