// Random networks of products, activations, norms and reductions with many results, some made of others, on
// arguments that are kept or donated: what shares kernels and memory gives what one operation at a time gives.

import { assert, assertEquals } from "@std/assert";
import { init, jit, type NDArray, nn, numpy as jnp } from "../../mod.ts";
import { webgpuTest } from "../webgpu_test.ts";

type Below = (n: number) => number;

function random(seed: number): Below {
  let state = seed * 2654435761 >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const lastAxis = (x: NDArray, fn: (x: NDArray) => NDArray) => x.ndim > 0 ? fn(x) : x;
const matrix = (x: NDArray, fn: (x: NDArray) => NDArray) => x.ndim === 2 ? fn(x) : x.add(1);

/** What a network is made of: functions of an array and another of its shape. */
const layers: readonly ((a: NDArray, b: NDArray) => NDArray)[] = [
  (a, b) => a.add(b),
  (a, b) => a.mul(0.5).add(b.mul(0.25)),
  (a) => nn.gelu(a),
  (a, b) => matrix(a, (x) => x.matmul(b.transpose()).mul(0.1).add(1)),
  (a) => lastAxis(a, (x) => nn.softmax(x)),
  (a) => a.sum().mul(0.01),
  (a) => lastAxis(a, (x) => x.max({ axis: 0 })),
  (a, b) => jnp.where(a.sum().mul(0).add(1).greater(0), a, b),
  (a) => matrix(a, (x) => x.transpose()),
  (a) => matrix(a, (x) => x.mean({ axis: 1, keepdims: true }).add(x)),
  (a) => lastAxis(a, (x) => nn.layerNorm(x)),
  (a, b) => jnp.tanh(a).mul(b),
  (a, b) => a.mul(jnp.sum(b.square()).mul(0.001)),
  (a, b) => jnp.minimum(a, b).sub(a.mul(0.125)),
];

function network(seed: number): (...inputs: NDArray[]) => NDArray[] {
  return (...inputs) => {
    const below = random(seed);
    const pool = [...inputs];
    for (let i = 0; i < 8 + seed % 25; i++) {
      const a = pool[below(pool.length)];
      const alike = pool.filter(({ shape }) => shape.join() === a.shape.join());
      pool.push(layers[below(layers.length)](a, alike[below(alike.length)]));
    }
    return pool.slice(-10);
  };
}

function inputs(dtype: "float32" | "float16" | "bfloat16"): NDArray[] {
  return [[8, 8], [8, 8], [64, 32], [64, 32], [8]].map((shape, i) => {
    const size = shape.reduce((a, b) => a * b);
    const places = jnp.arange(0, size, 1, { dtype: "float32" });
    return jnp.sin(places.mul(0.37).add(i)).reshape(shape).astype(dtype);
  });
}

async function values(arrays: readonly NDArray[]): Promise<number[][]> {
  return await Promise.all(arrays.map(async (x) => [...await x.data()]));
}

for (const dtype of ["float32", "float16", "bfloat16"] as const) {
  webgpuTest(`random networks in ${dtype} give what one operation at a time gives`, async () => {
    await init({ backend: "webgpu" });
    for (let seed = 1; seed <= 12; seed++) {
      const run = network(seed);
      const wanted = await values(run(...inputs(dtype)));
      for (const donateArgnums of [[], [0, 1, 2, 3, 4], [0, 2]]) {
        const got = await values(jit(run, { donateArgnums })(...inputs(dtype)));
        if (dtype !== "float32") {
          assertEquals(got, wanted, `seed ${seed}, donated ${donateArgnums}`);
          continue;
        }
        const all = wanted.flat();
        got.flat().forEach((x, i) => {
          const y = all[i];
          assert(Math.abs(x - y) <= 1e-3 * Math.abs(y) + 1e-5, `seed ${seed}: ${x} for ${y}`);
        });
      }
    }
  });
}
