// The finite check and the choice between trees.

import { assertEquals, assertThrows } from "@std/assert";
import {
  allFinite,
  type FloatDType,
  grad,
  init,
  jit,
  memoryStats,
  type NDArray,
  numpy as jnp,
  selectTree,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";

onBothBackends("allFinite() finds a NaN or an infinity in any floating leaf", async () => {
  const check = jit(allFinite);
  for (const dtype of ["float32", "float16", "bfloat16"] as FloatDType[]) {
    for (
      const [value, expected] of [[1, true], [NaN, false], [Infinity, false], [-Infinity, false]]
    ) {
      const grads = { w: jnp.ones([3, 2]), b: [jnp.array([0, Number(value)], { dtype })] };
      assertEquals(await allFinite(grads).item(), expected, `${value} in ${dtype}`);
      assertEquals(await check(grads).item(), expected, `${value} in ${dtype} under jit`);
    }
  }
});

onBothBackends("allFinite() is true of the largest numbers, integers and empty trees", async () => {
  const largest = [jnp.array([3.4028234e38]), jnp.array([65504], { dtype: "float16" })];
  assertEquals(await allFinite(largest).item(), true);
  assertEquals(await allFinite({ n: jnp.arange(3), name: "x", none: null }).item(), true);
  assertEquals(await allFinite([]).item(), true);
  assertEquals(await allFinite(jnp.zeros([0])).item(), true);
  assertEquals(allFinite({}).dtype, "bool");
  assertEquals(allFinite({ w: jnp.ones([2, 3]) }).shape, []);
});

onBothBackends(
  "selectTree() keeps the bits of the tree it chooses, NaN or not in the other",
  async () => {
    const old = { w: jnp.array([0.1, -0, 1e-40]), h: [jnp.array([6e-8, 3], { dtype: "float16" })] };
    const bad = {
      w: jnp.array([NaN, 1, Infinity]),
      h: [jnp.array([NaN, 3], { dtype: "float16" })],
    };
    const choose = jit(selectTree<typeof old>);
    for (const select of [selectTree<typeof old>, choose]) {
      for (const kept of [select(jnp.array(false), bad, old), select(jnp.array(true), old, bad)]) {
        assertEquals(await kept.w.data(), await old.w.data());
        assertEquals(await kept.h[0].bits(), await old.h[0].bits());
      }
    }
  },
);

onBothBackends("no gradient reaches the tree that selectTree() does not choose", async () => {
  const gradient = grad((pair: { a: NDArray; b: NDArray }) =>
    selectTree(jnp.array(false), [pair.a], [pair.b])[0].mul(3).sum()
  )({ a: jnp.array([NaN, 1]), b: jnp.array([1, 2]) });
  assertEquals(await gradient.a.toList(), [0, 0]);
  assertEquals(await gradient.b.toList(), [3, 3]);
  const doubled = (w: NDArray): NDArray => {
    const updated = { w: w.mul(NaN) };
    return selectTree(allFinite(updated), updated, { w: w.mul(2) }).w.sum();
  };
  assertEquals(await doubled(jnp.array([1])).item(), 2);
});

onBothBackends("allFinite() and selectTree() leave no garbage behind", () => {
  const grads = { w: jnp.ones([4]), b: jnp.ones([2]) };
  const round = () => {
    const finite = allFinite(grads);
    const kept = selectTree(finite, grads, grads);
    for (const x of [finite, kept.w, kept.b]) x.dispose();
  };
  round();
  const before = memoryStats().liveArrays;
  round();
  assertEquals(memoryStats().liveArrays, before);
  return Promise.resolve();
});

Deno.test("selectTree() refuses trees that differ and predicates that are no bool scalar", async () => {
  await init({ backend: "cpu" });
  const x = { w: jnp.ones([2]) };
  const yes = jnp.array(true);
  const other = (y: unknown) => () => selectTree(yes, x, y as typeof x);
  assertThrows(other({ v: jnp.ones([2]) }), RangeError, "same structure");
  assertThrows(other({ w: jnp.ones([3]) }), RangeError, "got [2] and [3] at whenTrue.w");
  assertThrows(
    other({ w: jnp.ones([2], { dtype: "float16" }) }),
    TypeError,
    "got float32 and float16 at whenTrue.w",
  );
  assertThrows(() => selectTree(yes, { w: "a" }, { w: "a" }), TypeError, "arrays or numbers");
  assertThrows(() => selectTree(jnp.ones([]), x, x), TypeError, "bool scalar");
  assertThrows(() => selectTree(jnp.array([true]), x, x), RangeError, "got shape [1]");
});
