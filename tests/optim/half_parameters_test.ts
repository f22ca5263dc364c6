// Wrappers for half parameters against exact sums on the host: what a driver rearranges shows here.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { stalledWeights } from "../../bench/experiments/stalled_weights.ts";
import { roundTo } from "../../src/core/half.ts";
import {
  finfo,
  type FloatDType,
  type HalfDType,
  jit,
  type NDArray,
  numpy as jnp,
  optim,
  random,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { randomSource } from "../kernels/random_elements.ts";

const count = 4096;
const halves: readonly HalfDType[] = ["float16", "bfloat16"];

type Update<State> = (
  p: NDArray,
  state: State,
  grads: NDArray,
) => [params: NDArray, updates: NDArray, state: State];

/** One step of an optimizer as a user may write it: eagerly, as one program, or as two. */
function stepsOf<State>(optimizer: optim.GradientTransformation<State>): Update<State>[] {
  const update = (g: NDArray, s: State, p: NDArray) => optimizer.update(g, s, p);
  const apply = (p: NDArray, u: NDArray) => optim.applyUpdates(p, u);
  const both = (doUpdate: typeof update, doApply: typeof apply): Update<State> => (p, s, g) => {
    const [updates, next] = doUpdate(g, s, p);
    return [doApply(p, updates), updates, next];
  };
  return [both(update, apply), jit(both(update, apply)), both(jit(update), jit(apply))];
}

/** Numbers from 0 to 1, the same for the same seed. */
function uniform(seed: number): () => number {
  const next = randomSource(seed);
  return () => next() / 2 ** 32;
}

/** Numbers of both signs with exponents from a range. */
function spread(seed: number, low: number, high: number): Float32Array {
  const random = uniform(seed);
  return Float32Array.from(
    { length: count },
    () => (random() < 0.5 ? -1 : 1) * (1 + random()) * 2 ** (low + random() * (high - low)),
  );
}

const elements = async (x: NDArray) => Float32Array.from(await x.data());

onBothBackends("masterWeights() leaves parameters that are its copies, rounded", async () => {
  const optimizer = optim.masterWeights(optim.sgd(1));
  for (const dtype of halves) {
    // Copies near their parameters and far from them, above and below, down to half subnormals.
    const p = jnp.array(spread(1, -24, 14), { dtype });
    const near = (await elements(p)).map((v, i) => v * (1 + ((i % 5) - 2) * 2 ** -13));
    for (const master of [near, spread(2, -24, 14), spread(3, -2, 2)]) {
      for (const gradient of [spread(4, -30, -10), spread(5, -10, 10)]) {
        for (const step of stepsOf(optimizer)) {
          const state = { ...optimizer.init(p), master: jnp.array(master) };
          const [q, updates, next] = step(p, state, jnp.array(gradient));
          assertEquals([q.dtype, updates.dtype], [dtype, "float32"]);
          const copies = await elements(next.master as NDArray);
          const wanted = copies.map((v) => roundTo(dtype, v));
          assertEquals(await elements(q), wanted);
          if (master !== near) continue;
          const [old, changes] = [await elements(p), gradient];
          copies.forEach((v, i) => {
            const sum = Math.fround(master[i]! - changes[i]!);
            const ratio = sum / old[i]!;
            if (ratio >= 0.5 && ratio <= 2) assertEquals(v, sum, `copy ${i}`);
          });
        }
      }
    }
  }
});

onBothBackends("kahan() loses nothing of a sum", async () => {
  const optimizer = optim.kahan(optim.sgd(1));
  for (const dtype of [...halves, "float32"] satisfies FloatDType[]) {
    const p = jnp.array(spread(1, -2, 2), { dtype });
    const old = await elements(p);
    for (const gradient of [spread(4, -30, -20), spread(5, -14, -8), spread(6, -8, -2)]) {
      const remainder = spread(7, -24, -12);
      for (const step of stepsOf(optimizer)) {
        const state = { ...optimizer.init(p), compensation: jnp.array(remainder) };
        const [q, , next] = step(p, state, jnp.array(gradient));
        const [sums, lost] = [await elements(q), await elements(next.compensation as NDArray)];
        sums.forEach((sum, i) => {
          const change = Math.fround(remainder[i]! - gradient[i]!);
          // Exact: in float64 nothing here is rounded.
          assertEquals(sum + lost[i]!, old[i]! + change, `${dtype} element ${i}`);
          assertEquals(sum, roundTo(dtype, Math.fround(old[i]! + change)));
        });
      }
    }
  }
});

onBothBackends("no compiler rearranges the sums of masterWeights() and kahan()", async () => {
  const given = { innerState: [{}, {}] as const };
  for (const dtype of [...halves, "float32"] satisfies FloatDType[]) {
    const p = jnp.array(spread(1, -2, 2), { dtype });
    const rest = jnp.array(spread(2, -10, 0));
    const grads = jnp.array(spread(3, -8, 8));
    const master = optim.masterWeights(optim.sgd(1));
    const kahan = optim.kahan(optim.sgd(1));
    const sums = [
      (g: NDArray) => master.update(g, { ...given, master: rest }, p)[1].master as NDArray,
      (g: NDArray) =>
        kahan.update(g, { ...given, compensation: rest }, p)[1].compensation as NDArray,
    ];
    if (dtype === "float32") sums.shift();
    // Nothing else is asked of the program, so that all of it can become one expression.
    for (const sum of sums) {
      assertEquals(await elements(jit(sum)(grads)), await elements(sum(grads)));
    }
  }
});

onBothBackends(
  "masterWeights() and kahan() leave float32 parameters to their transformation",
  async () => {
    const params = { w: jnp.array([1, 2]), h: jnp.array([1, 2], { dtype: "float16" }) };
    const grads = { w: jnp.array([1, 2]), h: jnp.array([1, 2], { dtype: "float16" }) };
    const master = optim.masterWeights(optim.sgd(0.5));
    const state = master.init(params);
    assertEquals((state.master as typeof params).w, null as unknown as NDArray);
    assertEquals((state.master as typeof params).h.dtype, "float32");
    for (const optimizer of [master, optim.kahan(optim.sgd(0.5))]) {
      const [updates] = optimizer.update(grads, optimizer.init(params) as never, params);
      const updated = optim.applyUpdates(params, updates);
      assertEquals([updated.w.dtype, updated.h.dtype], ["float32", "float16"]);
      assertEquals(await updated.w.toList(), [0.5, 1]);
      assertEquals(await updated.h.toList(), [0.5, 1]);
    }
  },
);

onBothBackends("stochasticRounding() rounds to neighbours, and right on average", async () => {
  for (const dtype of halves) {
    const optimizer = optim.stochasticRounding(optim.sgd(1), random.key(1));
    const old = spread(8, -2, 2).map((v) => roundTo(dtype, v));
    const p = jnp.array(old, { dtype });
    const grads = spread(9, -14, -9);
    for (const step of stepsOf(optimizer)) {
      let state = optimizer.init(p);
      const bias = { sum: 0, steps: 0 };
      for (let draw = 0; draw < 4; draw++) {
        const [q, , next] = step(p, state, jnp.array(grads));
        assertNotEquals(await next.key.toList(), await state.key.toList());
        state = next;
        (await elements(q)).forEach((sum, i) => {
          const exact = Math.fround(old[i]! - grads[i]!);
          const size = 2 ** Math.floor(Math.log2(Math.abs(exact))) * finfo(dtype).eps;
          assertEquals(sum, roundTo(dtype, sum));
          assert(Math.abs(sum - exact) < size, `${dtype} element ${i}: ${sum} for ${exact}`);
          bias.sum += (sum - exact) / size;
          bias.steps++;
        });
      }
      // The mean of 16384 draws of variance below 1/4 is within 4 / 256 but for one case in 15,000.
      assert(Math.abs(bias.sum / bias.steps) < 4 / 256, `${dtype}: ${bias.sum / bias.steps}`);
    }
  }
});

onBothBackends(
  "half weights stall where float32 ones converge, and their wrappers do not",
  async () => {
    const [full, ...runs] = await stalledWeights(1500);
    for (const { name, lastLoss } of runs) {
      const what = `${name}: ${lastLoss}, float32 ${full.lastLoss}`;
      if (name.endsWith("alone")) assert(lastLoss > 1000 * full.lastLoss, what);
      else assert(lastLoss <= 2 * full.lastLoss, what);
    }
  },
);
