// What a training step costs as a program: memory between its kernels, and how many kernels there are.

import { assert } from "@std/assert";
import {
  init,
  jit,
  losses,
  type NDArray,
  nn,
  numpy as jnp,
  optim,
  random,
  type TrainState,
  trainStep,
} from "../../mod.ts";
import { webgpuTest } from "../webgpu_test.ts";

interface Weights {
  w1: NDArray;
  b1: NDArray;
  w2: NDArray;
  b2: NDArray;
}

function loss({ w1, b1, w2, b2 }: Weights, x: NDArray, y: NDArray): NDArray {
  const output = nn.gelu(x.matmul(w1).add(b1)).matmul(w2).add(b2);
  return losses.squaredError(output, y).mean();
}

/** The step of an MLP 512 -> 2048 -> 512 under AdamW, lowered with its state donated. */
function lowered(policy: string, batch: number) {
  const [k1, k2] = random.split(random.key(0));
  const params: Weights = {
    w1: random.normal(k1, [512, 2048]),
    b1: jnp.zeros([2048]),
    w2: random.normal(k2, [2048, 512]),
    b2: jnp.zeros([512]),
  };
  const { init, step } = trainStep({ loss, optimizer: optim.adamw(1e-3), policy });
  const whole = jit((state: TrainState<Weights>, x: NDArray, y: NDArray) => step(state, x, y), {
    donateArgnums: 0,
  });
  const x = jnp.zeros([batch, 512]);
  return whole.lower(init(params), x, x);
}

webgpuTest("a mixed step's temporaries take at most 60 % of float32's bytes", async () => {
  await init({ backend: "webgpu" });
  const bytes = (policy: string) => lowered(policy, 2048).memoryAnalysis().tempBytes;
  const full = bytes("float32");
  for (const policy of ["mixed_float16", "mixed_bfloat16"]) {
    const share = bytes(policy) / full;
    assert(share <= 0.6, `${policy}: ${share}`);
  }
});

webgpuTest("a training step updates its state where it lies, in a few kernels", async () => {
  await init({ backend: "webgpu" });
  const program = lowered("float32", 64);
  const { argumentBytes, tempBytes, peakBytes } = program.memoryAnalysis();
  assert(peakBytes - argumentBytes - tempBytes < 16_384, "results take memory of their own");
  assert(program.dispatches <= 20, String(program.dispatches));
});
