// cond, scan, foriLoop and whileLoop: what they compute, their gradients, and what they refuse.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  checkpoint,
  grad,
  init,
  jit,
  jvp,
  lax,
  memoryStats,
  type NDArray,
  numpy as jnp,
  scope,
  vmap,
} from "../../mod.ts";
import { webgpuTest } from "../webgpu_test.ts";

async function assertClose(x: NDArray, wanted: readonly number[], tolerance = 1e-5): Promise<void> {
  const got = [...await x.data()].map(Number);
  assertEquals(got.length, wanted.length);
  got.forEach((v, i) =>
    assertAlmostEquals(v, wanted[i]!, tolerance * Math.max(1, Math.abs(wanted[i]!)))
  );
}

const safeRoot = (x: NDArray): NDArray =>
  lax.cond(x.greater(0), (v: NDArray) => jnp.sqrt(v), (v: NDArray) => v.mul(2), x);

Deno.test("lax.cond() chooses one of two functions, and its derivative", async () => {
  await init({ backend: "cpu" });
  for (const f of [safeRoot, jit(safeRoot)]) {
    await assertClose(f(jnp.array(4)), [2]);
    await assertClose(f(jnp.array(-4)), [-8]);
  }
  for (const slope of [grad(safeRoot), jit(grad(safeRoot)), grad(jit(safeRoot))]) {
    await assertClose(slope(jnp.array(4)), [0.25]);
    await assertClose(slope(jnp.array(0)), [2]); // the slope of the root there is infinite
  }
  const curvature = grad(grad(safeRoot));
  await assertClose(curvature(jnp.array(4)), [-1 / 32]);
  await assertClose(curvature(jnp.array(0)), [0]);
  await assertClose(jvp(safeRoot, [jnp.array(0)], [jnp.array(1)])[1], [2]);
  await assertClose(vmap(safeRoot)(jnp.array([4, 0, -1])), [2, 0, -2]);
  await assertClose(vmap(grad(safeRoot))(jnp.array([4, 0, -1])), [0.25, 2, 2]);
  await assertClose(
    grad((x: NDArray) => jnp.sum(vmap(safeRoot)(x)))(jnp.array([4, 0, -1])),
    [0.25, 2, 2],
  );
});

Deno.test("lax.cond() takes trees, captured arrays, and numbers for the predicate", async () => {
  await init({ backend: "cpu" });
  const f = (p: NDArray, w: NDArray, x: { a: NDArray }): NDArray =>
    lax.cond(p, (t: { a: NDArray }) => t.a.mul(w), (t: { a: NDArray }) => t.a.add(w), x);
  const [w, x] = [jnp.array(3), { a: jnp.array(5) }];
  await assertClose(f(jnp.array(1), w, x), [15]);
  const [dw, dx] = grad(f, { argnums: [1, 2] })(jnp.array(true), w, x);
  await assertClose(dw, [5]);
  await assertClose(dx.a, [3]);
  const [ew, ex] = jit(grad(f, { argnums: [1, 2] }))(jnp.array(0), w, x);
  await assertClose(ew, [1]);
  await assertClose(ex.a, [1]);
  assertEquals(lax.cond(true, () => "one", () => "other"), "one");
});

Deno.test("lax.cond() refuses branches that differ and predicates of several elements", async () => {
  await init({ backend: "cpu" });
  const x = jnp.ones([2]);
  const p = jnp.array(true);
  assertThrows(
    () => lax.cond(p, (v: NDArray) => v, (v: NDArray) => v.sum(), x),
    TypeError,
    "float32[2] and float32[]",
  );
  assertThrows(
    () => lax.cond(p, (v: NDArray): unknown => [v], (v: NDArray): unknown => v, x),
    TypeError,
    "same tree",
  );
  assertThrows(() => lax.cond(x, (v: NDArray) => v, (v: NDArray) => v, x), TypeError, "a scalar");
  assertThrows(() => lax.cond(p, 1 as never, 2 as never), TypeError, "two functions");
});

const recurrence = (w: NDArray, xs: NDArray): [NDArray, NDArray] =>
  lax.scan(
    (h: NDArray, x: NDArray): [NDArray, NDArray] => {
      const next = jnp.tanh(h.mul(w).add(x));
      return [next, next.mul(next)];
    },
    jnp.zeros([2]),
    xs,
  );

/** The same with plain numbers. */
function recurrenceOf(w: number, xs: readonly number[][]): { last: number[]; ys: number[][] } {
  let last = [0, 0];
  const ys = xs.map((x) => {
    last = last.map((h, i) => Math.tanh(h * w + x[i]!));
    return last.map((h) => h * h);
  });
  return { last, ys };
}

const inputs = [[0.1, -0.4], [0.3, 0.2], [-0.5, 0.9], [0.7, 0]];

Deno.test("lax.scan() carries and stacks, outside of transforms and inside", async () => {
  await init({ backend: "cpu" });
  const [w, xs] = [jnp.array(0.8), jnp.array(inputs)];
  const wanted = recurrenceOf(0.8, inputs);
  for (const f of [recurrence, jit(recurrence)]) {
    const [last, ys] = f(w, xs);
    await assertClose(last, wanted.last);
    await assertClose(ys, wanted.ys.flat());
  }
  const back = (p: NDArray): NDArray => {
    const step = (c: NDArray, x: NDArray): [NDArray, NDArray] => [c.mul(2).add(x), c];
    const [last, ys] = lax.scan(step, jnp.array(0), p, { reverse: true });
    return jnp.concatenate([ys, last.reshape([1])]);
  };
  await assertClose(back(jnp.array([1, 2, 3])), [8, 3, 0, 17]);
  await assertClose(jit(back)(jnp.array([1, 2, 3])), [8, 3, 0, 17]);
});

Deno.test("lax.scan() has the gradient that finite differences give, with checkpoint too", async () => {
  await init({ backend: "cpu" });
  const xs = jnp.array(inputs);
  const loss = (w: NDArray): NDArray => {
    const [last, ys] = recurrence(w, xs);
    return jnp.sum(last).add(jnp.sum(ys));
  };
  const at = (w: number) => {
    const { last, ys } = recurrenceOf(w, inputs);
    return [...last, ...ys.flat()].reduce((a, b) => a + b, 0);
  };
  const slope = (at(0.8 + 1e-5) - at(0.8 - 1e-5)) / 2e-5;
  await assertClose(grad(loss)(jnp.array(0.8)), [slope]);
  await assertClose(jit(grad(loss))(jnp.array(0.8)), [slope]);
  await assertClose(jvp(loss, [jnp.array(0.8)], [jnp.array(1)])[1], [slope]);
  await assertClose(grad(checkpoint(loss))(jnp.array(0.8)), [slope]);
  await assertClose(vmap(grad(loss))(jnp.array([0.8, 0.8])), [slope, slope]);
});

Deno.test("lax.scan() of trees, of a length alone, of nothing, and of numbers", async () => {
  await init({ backend: "cpu" });
  const count = (
    c: { n: NDArray },
    _: null,
  ): [{ n: NDArray }, NDArray] => [{ n: c.n.add(0.5) }, c.n];
  const [last, ys] = lax.scan(count, { n: 0 as unknown as NDArray }, null, { length: 3 });
  assertEquals([last.n.dtype, await last.n.item()], ["float32", 1.5]);
  await assertClose(ys, [0, 0.5, 1]);
  const [same, none] = lax.scan(
    (c: NDArray, x: NDArray): [NDArray, NDArray] => [c.add(x), x],
    jnp.array(7),
    jnp.zeros([0]),
  );
  assertEquals([await same.item(), none.shape], [7, [0]]);
});

Deno.test("loops free what they make on the way", async () => {
  await init({ backend: "cpu" });
  const xs = jnp.zeros([20, 2]);
  const before = memoryStats().liveBytes;
  scope(() => {
    const [last, ys] = recurrence(jnp.array(0.5), xs);
    last.dispose();
    ys.dispose();
    lax.foriLoop(0, 20, (_, c: NDArray) => c.add(1), jnp.zeros([2])).dispose();
  });
  const scalars = 64; // literals that are kept for their next use
  assertEquals(memoryStats().liveBytes - before <= scalars * 4, true);
});

Deno.test("lax.foriLoop() counts from lower to upper, with gradients", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray): NDArray => lax.foriLoop(1, 4, (i, c: NDArray) => c.mul(x).add(i), x);
  // ((x^2 + 1) x + 2) x + 3
  await assertClose(f(jnp.array(2)), [27]);
  await assertClose(jit(f)(jnp.array(2)), [27]);
  await assertClose(grad(f)(jnp.array(2)), [4 * 8 + 2 * 2 + 2]);
  await assertClose(lax.foriLoop(3, 3, (_, c: NDArray) => c.mul(0), jnp.array(5)), [5]);
});

Deno.test("lax.whileLoop() ends when its condition does, bounded inside transforms", async () => {
  await init({ backend: "cpu" });
  const f = (x: NDArray): NDArray =>
    lax.whileLoop((c: NDArray) => c.less(50), (c: NDArray) => c.mul(c), x, { maxSteps: 6 });
  await assertClose(f(jnp.array(3)), [81]);
  await assertClose(jit(f)(jnp.array(3)), [81]);
  await assertClose(grad(f)(jnp.array(3)), [4 * 27]);
  await assertClose(jvp(f, [jnp.array(3)], [jnp.array(1)])[1], [4 * 27]);
  await assertClose(vmap(f)(jnp.array([3, 60, 7])), [81, 60, 2401]);
  const unbounded = (x: NDArray): NDArray =>
    lax.whileLoop((c: NDArray) => c.less(50), (c: NDArray) => c.mul(c), x);
  await assertClose(unbounded(jnp.array(100)), [100]);
  assertThrows(() => jit(unbounded)(jnp.array(3)), TypeError, "maxSteps is required");
  const endless = (x: NDArray): NDArray =>
    lax.whileLoop((c: NDArray) => c.less(50), (c: NDArray) => c.mul(1), x, { maxSteps: 4 });
  assertThrows(() => endless(jnp.array(3)), RangeError, "has not ended");
  assertEquals(Number.isNaN(await jit(endless)(jnp.array(3)).item() as number), true);
});

Deno.test("loops refuse carries that change and steps that return something else", async () => {
  await init({ backend: "cpu" });
  const x = jnp.ones([2]);
  assertThrows(
    () => lax.scan((c: NDArray, v: NDArray) => [c.add(v).sum(), v] as const, x, x),
    TypeError,
    "float32[2] for init and float32[] after a step",
  );
  assertThrows(() => lax.scan((c: NDArray) => c as never, x, x), TypeError, "[carry, y]");
  assertThrows(() => lax.scan((c: NDArray) => [c, c] as const, x, null), TypeError, "length");
  assertThrows(
    () => lax.scan((c: NDArray) => [c, c] as const, x, x, { length: 3 }),
    RangeError,
    "must agree",
  );
  assertThrows(() => lax.foriLoop(0, 1.5, (_, c: NDArray) => c, x), TypeError, "whole JS numbers");
  assertThrows(
    () => jit((v: NDArray) => lax.foriLoop(0, 1e6, (_, c: NDArray) => c.add(1), v))(x),
    RangeError,
    "unrolled",
  );
  assertThrows(
    () => lax.whileLoop((c: NDArray) => c as never, (c: NDArray) => c, x),
    TypeError,
    "boolean scalar",
  );
});

webgpuTest("an unrolled loop of 60 steps and one that is not agree on WebGPU", async () => {
  await init({ backend: "webgpu" });
  const xs = jnp.linspace(-1, 1, 120).reshape([60, 2]);
  const w = jnp.array(0.7);
  const wanted = recurrenceOf(0.7, await xs.toList() as number[][]);
  for (const f of [recurrence, jit(recurrence)]) {
    const [last, ys] = f(w, xs);
    await assertClose(last, wanted.last, 1e-4);
    await assertClose(ys, wanted.ys.flat(), 1e-4);
  }
});
