// What holds for attention whatever the numbers: memory, transforms, extents of nothing and of very much, and
// errors that say what was required.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  grad,
  init,
  jit,
  jvp,
  memoryStats,
  type NDArray,
  nn,
  numpy as jnp,
  random,
  ShapeDtype,
  vmap,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { webgpuTest } from "../webgpu_test.ts";

Deno.test("attention names the shape, the type or the option that it cannot take", async () => {
  await init({ backend: "cpu" });
  const rows = (shape: readonly number[]) => jnp.ones(shape);
  const x = rows([1, 3, 2, 4]);
  const fails = (run: () => unknown, type: typeof TypeError | typeof RangeError, text: string) =>
    assertThrows(run, type, text);
  fails(() => nn.dotProductAttention(x, rows([3, 2, 4]), x), RangeError, "[batch, length");
  fails(() => nn.dotProductAttention(x, x, rows([1, 3, 1, 4])), RangeError, "one shape");
  fails(
    () => nn.dotProductAttention(x, rows([2, 3, 2, 4]), rows([2, 3, 2, 4])),
    RangeError,
    "batch",
  );
  const three = rows([1, 3, 3, 4]);
  fails(() => nn.dotProductAttention(x, three, three), RangeError, "multiple");
  const mask = jnp.ones([2, 3], { dtype: "bool" });
  fails(() => nn.dotProductAttention(x, x, x, { mask }), RangeError, "the mask must broadcast");
  fails(() => nn.dotProductAttention(x, x, x, { bias: rows([5]) }), RangeError, "the bias must");
  fails(() => nn.dotProductAttention(x, x, x, { mask: rows([3, 3]) }), TypeError, "boolean");
  fails(() => nn.dotProductAttention(x, x, x, { scale: NaN }), TypeError, "scale");
  // @ts-expect-error: no number
  fails(() => nn.dotProductAttention(x, x, x, { isCausal: 1 }), TypeError, "isCausal");
  // @ts-expect-error: no such option
  fails(() => nn.dotProductAttention(x, x, x, { causal: true }), TypeError, "causal");
});

/** Queries, keys and values of one shape. */
function qkv(shape: readonly number[], dtype: "float32" | "float16" = "float32"): NDArray[] {
  return [0, 1, 2].map((seed) => random.normal(random.key(seed), shape, { dtype }));
}

type Attention = (q: NDArray, k: NDArray, v: NDArray) => NDArray;

const causal: Attention = (q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true });

const gradients = (fn: Attention) =>
  grad((q: NDArray, k: NDArray, v: NDArray) => fn(q, k, v).astype("float32").square().sum(), {
    argnums: [0, 1, 2],
  });

webgpuTest("attention and its gradient take memory in proportion to the lengths", async () => {
  await init({ backend: "webgpu" });
  for (const fn of [causal, gradients(causal)]) {
    const [shorter, longer] = [2048, 4096].map((length) => {
      const shape = new ShapeDtype([1, length, 2, 64], "float16");
      return jit(fn as Attention).lower(shape, shape, shape).memoryAnalysis().tempBytes;
    });
    assert(longer <= 2 * shorter, `${longer} bytes for 4096, ${shorter} for 2048`);
    // The weights of one head alone would take more.
    assert(longer < 4096 * 4096 * 2, String(longer));
  }
});

webgpuTest("queries attend to 70,000 keys, and so do their gradients", async () => {
  await init({ backend: "webgpu" });
  const value = jnp.arange(0, 70_000, 1, { dtype: "float32" }).div(70_000).reshape([
    1,
    70_000,
    1,
    1,
  ]);
  const keys = jnp.zeros([1, 70_000, 1, 64]);
  const values = jnp.broadcastTo(value, [1, 70_000, 1, 64]);
  const queries = jnp.ones([1, 3, 1, 64]);
  const mean = nn.dotProductAttention(queries, keys, values);
  for (const x of await mean.data()) assertAlmostEquals(x, 0.5, 1e-4);
  const sum = (v: NDArray) => nn.dotProductAttention(queries, keys, v).sum();
  for (const x of await grad(sum)(values).data()) assertAlmostEquals(x, 3 / 70_000, 1e-9);
});

onBothBackends("attention over nothing gives zeros, and of nothing gives nothing", async () => {
  const [q] = qkv([2, 3, 2, 4]);
  const none = jnp.zeros([2, 0, 2, 4]);
  assertEquals([...await nn.dotProductAttention(q, none, none).data()], new Array(48).fill(0));
  assertEquals(nn.dotProductAttention(none, q, q).shape, [2, 0, 2, 4]);
  const [ofQuery, ofKey] = gradients(nn.dotProductAttention)(q, none, none);
  assertEquals([...await ofQuery.data()], new Array(48).fill(0));
  assertEquals(ofKey.shape, [2, 0, 2, 4]);
});

webgpuTest(
  "attention under jit gives the bits that it gives alone, and so do its gradients",
  async () => {
    await init({ backend: "webgpu" });
    const arrays = qkv([2, 20, 2, 16], "float16") as [NDArray, NDArray, NDArray];
    assertEquals(await jit(causal)(...arrays).bits(), await causal(...arrays).bits());
    const [alone, compiled] = [gradients(causal)(...arrays), jit(gradients(causal))(...arrays)];
    for (const i of [0, 1, 2]) assertEquals(await compiled[i].bits(), await alone[i].bits());
  },
);

onBothBackends("attention under vmap is one more batch, and so is its gradient", async () => {
  const shape = [3, 2, 5, 2, 4];
  const [q, k, v] = qkv(shape);
  const mask = random.bernoulli(random.key(7), 0.7, [3, 1, 1, 5, 5]);
  const fn = (a: NDArray, b: NDArray, c: NDArray, m: NDArray) =>
    nn.dotProductAttention(a, b, c, { mask: m });
  const sum = (a: NDArray, b: NDArray, c: NDArray, m: NDArray) => fn(a, b, c, m).square().sum();
  const slope = grad(sum, { argnums: [0, 1, 2] });
  const at = (x: NDArray, i: number) => x.slice(i);
  const [results, slopes] = [vmap(fn)(q, k, v, mask), vmap(slope)(q, k, v, mask)];
  // Keys and values that all share.
  const shared = vmap(fn, { inAxes: [0, null, null, null] })(q, at(k, 0), at(v, 0), at(mask, 0));
  for (const i of [0, 1, 2]) {
    const own = [q, k, v, mask].map((x) => at(x, i)) as [NDArray, NDArray, NDArray, NDArray];
    await assertClose(at(results, i), fn(...own));
    const wanted = slope(...own);
    for (const j of [0, 1, 2]) await assertClose(at(slopes[j], i), wanted[j]);
    await assertClose(at(shared, i), fn(own[0], at(k, 0), at(v, 0), at(mask, 0)));
  }
});

onBothBackends("attention has second derivatives and forward ones", async () => {
  const [q, k, v] = qkv([1, 4, 1, 4]);
  const loss = (x: NDArray) => causal(x, k, v).square().sum();
  const direction = jnp.ones([1, 4, 1, 4]);
  const [, forward] = jvp(loss, [q], [direction]);
  await assertClose(forward, grad(loss)(q).sum());
  // Both ways to the derivative of the gradient along a direction.
  const [, overReverse] = jvp(grad(loss), [q], [direction]);
  const reverseTwice = grad((x: NDArray) => grad(loss)(x).sum())(q);
  await assertClose(overReverse, reverseTwice);
});

onBothBackends("an eager call leaves its result alone behind", async () => {
  const [q, k, v] = qkv([1, 4, 2, 4]);
  const before = memoryStats().liveArrays;
  const result = nn.dotProductAttention(q, k, v, { bias: [[1]], isCausal: true });
  assertEquals(memoryStats().liveArrays, before + 1);
  assertEquals((await result.data()).length, result.size);
  result.dispose();
});

async function assertClose(got: NDArray, wanted: NDArray): Promise<void> {
  assertEquals(got.shape, wanted.shape);
  const [a, b] = [await got.data(), await wanted.data()];
  a.forEach((x, i) => assertAlmostEquals(x, b[i]!, 2e-5));
}

onBothBackends(
  "a bias of -infinity hides keys, and a query from all keys without a NaN",
  async () => {
    const [q, k, v] = qkv([1, 3, 1, 4]);
    const bias = jnp.array([[0, -Infinity, 0], [-Infinity, -Infinity, -Infinity], [0, 0, 0]]);
    const hidden = (a: NDArray, b: NDArray, c: NDArray) =>
      nn.dotProductAttention(a, b, c, { bias });
    const mask = bias.equal(0);
    const masked = (a: NDArray, b: NDArray, c: NDArray) =>
      nn.dotProductAttention(a, b, c, { mask });
    await assertClose(hidden(q, k, v), masked(q, k, v));
    assertEquals([...await hidden(q, k, v).slice(0, 1).data()], [0, 0, 0, 0]);
    const [slopes, wanted] = [gradients(hidden)(q, k, v), gradients(masked)(q, k, v)];
    for (const i of [0, 1, 2]) await assertClose(slopes[i], wanted[i]);
  },
);

onBothBackends("a NaN among the queries stays, in its own row", async () => {
  const [q, k, v] = qkv([1, 3, 1, 4]);
  const result = nn.dotProductAttention(q.at(0, 1, 0, 2).set(NaN), k, v);
  const isNaN = (await result.data()).map((x) => Number(Number.isNaN(x)));
  assertEquals([...isNaN], [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
});
