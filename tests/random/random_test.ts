// What holds of random functions beside the numbers themselves: fusion, transforms, destructuring, bounds given
// as arrays, what is refused, and that nothing made on the way is left behind.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  grad,
  init,
  jit,
  memoryStats,
  type NDArray,
  numpy as jnp,
  random,
  tree,
  vmap,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { webgpuTest } from "../webgpu_test.ts";

const big = [300, 1000];

webgpuTest("random numbers are drawn inside the kernel that uses them", async () => {
  await init({ backend: "webgpu" });
  const key = random.key(1);
  const x = jnp.ones(big);
  const scaled = jit((key: NDArray, x: NDArray) => random.uniform(key, big).mul(x));
  assertEquals(scaled.lower(key, x).dispatches, 1);
  const dropout = jit((key: NDArray, x: NDArray) =>
    jnp.where(random.bernoulli(key, 0.9, big), x.div(0.9), 0)
  );
  assertEquals(dropout.lower(key, x).dispatches, 1);
  const drawn = jit((key: NDArray) => random.truncatedNormal(key, -2, 2, big));
  assertEquals(drawn.lower(key).dispatches, 1);
});

webgpuTest("keys are split once, before the kernel that uses them", async () => {
  await init({ backend: "webgpu" });
  const fn = jit((key: NDArray, x: NDArray) => {
    const [, second] = random.split(key);
    return random.normal(random.foldIn(second!, 3), big).mul(x);
  });
  assertEquals(fn.lower(random.key(1), jnp.ones(big)).dispatches, 2);
});

onBothBackends("random numbers are the same under jit as without it", async () => {
  const draw = (key: NDArray) => {
    const [a, b, c] = random.split(key, 3);
    return {
      bits: random.bits(a, [1001]),
      uniform: random.uniform(b, [7, 11], { minval: -1 }),
      half: random.uniform(b, [13], { dtype: "bfloat16" }),
      order: random.permutation(c, 10),
    };
  };
  const [eager, jitted] = [draw(random.key(5)), jit(draw)(random.key(5))];
  for (const name of ["bits", "uniform", "half", "order"] as const) {
    assertEquals(await jitted[name].data(), await eager[name].data(), name);
  }
});

onBothBackends("a seed may be traced; keys are leaves of trees", async () => {
  const keys = jit((seed: NDArray) => ({ key: random.key(seed) }));
  const { key } = tree.map((x: NDArray) => x, keys(jnp.array(7, { dtype: "int32" })));
  assertEquals([key.dtype, await key.toList()], ["uint32", [0, 7]]);
  assertEquals(await random.key(2 ** 40 + 5).toList(), [256, 5]);
});

onBothBackends("numbers that jit traces are integers where they are whole", async () => {
  const key = random.key(0);
  const fn = jit((seed: number, step: number, top: number) => {
    const own = random.foldIn(random.key(seed), step);
    return random.randint(own, [4], -3, top);
  });
  const wanted = random.randint(random.foldIn(key, 2 ** 31), [4], -3, 9);
  assertEquals(await fn(0, 2 ** 31, 9).toList(), await wanted.toList());
  assertEquals(await jit(random.key)(-1).toList(), await random.key(-1).toList());
  assertThrows(() => jit(random.key)(1.5), TypeError, "the seed must be an integer");
});

onBothBackends("arrays are taken apart along their first axis", async () => {
  const [a, b] = random.split(random.key(0));
  const both = await random.split(random.key(0)).toList();
  assertEquals([await a.toList(), await b.toList()], both);
  const rows = jit((x: NDArray) => [...x].reduce((sum, row) => sum.add(row)));
  assertEquals(await rows(jnp.array([[1, 2], [3, 4], [5, 6]])).toList(), [9, 12]);
  assertThrows(() => [...jnp.array(1)], TypeError, "Cannot iterate over an array: a scalar");
});

onBothBackends("bounds may be arrays that broadcast", async () => {
  const key = random.key(3);
  const low = jnp.array([[0], [10]]);
  const drawn = random.uniform(key, [2, 50], { minval: low, maxval: low.add(1) });
  const whole = await drawn.floor().min({ axis: 1 }).toList();
  assertEquals([whole, await drawn.floor().max({ axis: 1 }).toList()], [[0, 10], [0, 10]]);
  const limits = jnp.array([1, 5, 0], { dtype: "int32" });
  const integers = random.randint(key, [40, 3], 0, limits);
  assertEquals(await integers.max({ axis: 0 }).toList(), [0, 4, 0]);
  assertEquals(
    await random.randint(key, [9], limits.max(), 5).toList(),
    new Array(9).fill(5),
  );
  const chances = random.bernoulli(key, jnp.array([0, 1]), [20, 2]);
  assertEquals(await chances.astype("int32").sum({ axis: 0 }).toList(), [0, 20]);
});

onBothBackends("randint reaches both ends of its type", async () => {
  const key = random.key(0);
  const words = Array.from(await random.bits(random.split(key).slice(1), [100]).data());
  const all = random.randint(key, [100], 0, 2 ** 32, { dtype: "uint32" });
  assertEquals(Array.from(await all.data()), words);
  const signed = random.randint(key, [100], -(2 ** 31), 2 ** 31);
  assertEquals(Array.from(await signed.data()), words.map((w) => Number(w) + 2 ** 31 | 0));
});

onBothBackends("what is drawn is differentiable in its bounds", async () => {
  const key = random.key(4);
  const sum = (top: NDArray) => random.uniform(key, [10], { maxval: top }).sum();
  const slope = await grad(sum)(jnp.array(2)).item();
  const units = await random.uniform(key, [10]).sum().item();
  assert(Math.abs(Number(slope) - Number(units)) < 1e-5);
});

onBothBackends("vmap over keys chooses what each key chooses alone", async () => {
  const keys = random.split(random.key(0), 4);
  const fn = (key: NDArray) => random.choice(key, 10, [3], { replace: false });
  const rows = await vmap(fn)(keys).toList();
  const one = [...keys].map((key) => fn(key).toList());
  assertEquals(rows, await Promise.all(one));
});

onBothBackends("eager draws leave nothing behind but their results", () => {
  const key = random.key(0);
  const logits = jnp.zeros([4, 5]);
  const chances = jnp.ones([9]);
  const draws: (() => NDArray)[] = [
    () => random.key(3),
    () => random.split(key, 4),
    () => random.foldIn(key, 3),
    () => random.uniform(key, [30], { minval: -2, dtype: "float16" }),
    () => random.truncatedNormal(key, -1, 1, [30]),
    () => random.bernoulli(key, 0.3, [30]),
    () => random.randint(key, [30], 0, 9),
    () => random.categorical(key, logits),
    () => random.permutation(key, logits),
    () => random.choice(key, 9, [3], { p: chances }),
  ];
  // The first round keeps scalars for the next one.
  for (const draw of draws) draw().dispose();
  for (const draw of draws) {
    const before = memoryStats().liveArrays;
    draw().dispose();
    assertEquals(memoryStats().liveArrays, before, String(draw));
  }
  return Promise.resolve();
});

onBothBackends("what is no key, no seed and no bound is refused", () => {
  const key = random.key(0);
  const wrongKeys = [1, jnp.zeros([2]), jnp.zeros([3], { dtype: "uint32" }), undefined];
  for (const wrong of wrongKeys as NDArray[]) {
    assertThrows(() => random.uniform(wrong, [2]), TypeError, "Cannot random.uniform: a key is");
  }
  assertThrows(
    () => random.normal(random.split(key, 3)),
    TypeError,
    "Cannot random.normal: one key is required, got keys of shape [3, 2]; use vmap for several",
  );
  assertThrows(() => random.key(1.5), TypeError, "the seed must be an integer, got 1.5");
  assertThrows(() => random.key(2 ** 54), RangeError, "must be within -(2**31) to 2**53");
  assertThrows(() => random.key(jnp.array(1)), TypeError, "must be an integer without axes");
  assertThrows(() => random.foldIn(key, -1), RangeError, "within 0 to 2**32 - 1, got -1");
  assertThrows(() => random.foldIn(key, 0.5), TypeError, "data must be an integer");
  assertThrows(() => random.split(key, -1), RangeError, "non-negative");
  const options = { dtype: "int32" } as unknown as { dtype: "float32" };
  assertThrows(() => random.uniform(key, [2], options), TypeError, "dtype must be float32");
  assertThrows(() => random.normal(key, [2], { mean: 1 } as never), TypeError, 'option "mean"');
  assertThrows(
    () => random.uniform(key, [3], { minval: [1, 2] }),
    RangeError,
    "bounds must broadcast to the shape [3], got [2]",
  );
  assertThrows(() => random.truncatedNormal(key, 1, 1), RangeError, "lower must be less");
  assertThrows(() => random.bernoulli(key, new Int32Array([1])), TypeError, "p must be floating");
  assertThrows(() => random.randint(key, [2], 0, 0.5), TypeError, "maxval must be an integer");
  assertThrows(() => random.randint(key, [2], 0, 2 ** 31 + 1), RangeError, "2147483648 for int32");
  assertThrows(() => random.randint(key, [2], [1, 2], 3), TypeError, "result's type int32");
  assertThrows(
    () => random.categorical(key, jnp.zeros([3, 4]), { shape: [4] }),
    RangeError,
    "shape must end with [3]",
  );
  assertThrows(() => random.choice(key, 0, [1]), RangeError, "at least 1 parts");
  assertThrows(
    () => random.choice(key, 3, [4], { replace: false }),
    RangeError,
    "at least 4 parts are required without replacement, got 3",
  );
  assertThrows(() => random.choice(key, 3, [1], { p: [1] }), RangeError, "p must have the shape");
  return Promise.resolve();
});
