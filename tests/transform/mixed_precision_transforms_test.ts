// applyMixedPrecision with the other transforms, in either order, and inside of functions that are operations.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  applyMixedPrecision,
  checkpoint,
  customVjp,
  fullPrecision,
  grad,
  jit,
  jvp,
  lax,
  makeGraph,
  memoryStats,
  type NDArray,
  nn,
  numpy as jnp,
  random,
  vjp,
  vmap,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";
import { elements } from "../train/small_problem.ts";

const half = { dtype: "float16" } as const;
const normal = (seed: number, shape: number[]) => random.normal(random.key(seed), shape);
const layer = (w: NDArray, x: NDArray) => jnp.tanh(x.matmul(w)).mul(0.5);
const loss = (w: NDArray, x: NDArray) => layer(w, x).astype("float32").square().mean();
const inputs = () => [normal(0, [16, 8]), normal(1, [4, 16])] as const;

async function assertSame(actual: unknown, expected: unknown): Promise<void> {
  assertEquals(await elements(actual), await elements(expected));
}

async function assertNear(actual: NDArray, expected: NDArray, tolerance = 0.01): Promise<void> {
  const [a, b] = [await elements(actual), await elements(expected)];
  const scale = Math.max(...b.map(Math.abs));
  assert(a.length === b.length && a.every((x, i) => Math.abs(x - b[i]!) <= tolerance * scale));
}

/** The types of all floating results in a printed graph, nested ones too. */
function typesIn(fn: (...args: never[]) => unknown, name: string, ...args: unknown[]): string[] {
  const text = String(makeGraph(fn, ...args));
  return [...text.matchAll(new RegExp(`:([a-z]+\\d+)\\[[\\d,]*\\] = ${name}\\b`, "g"))]
    .map((found) => found[1]!);
}

onBothBackends("jit around it, inside of it and without give the same bits", async () => {
  const [w, x] = inputs();
  const expected = applyMixedPrecision(layer, half)(w, x);
  await assertSame(jit(applyMixedPrecision(layer, half))(w, x), expected);
  await assertSame(applyMixedPrecision(jit(layer), half)(w, x), expected);
  await assertSame(applyMixedPrecision(jit(layer), half)(w, x), expected);
});

onBothBackends("a gradient has its leaf's type, and in flight that of its primal", async () => {
  const [w, x] = inputs();
  const gradient = grad(applyMixedPrecision(loss, half), { argnums: [0, 1] });
  const [ofW, ofX] = gradient(w, x);
  assertEquals([ofW.dtype, ofX.dtype], ["float32", "float32"]);
  assertEquals(typesIn(gradient, "dotGeneral", w, x), ["float16", "float16", "float16"]);
  const [fullW, fullX] = grad(loss, { argnums: [0, 1] })(w, x);
  await assertNear(ofW, fullW);
  await assertNear(ofX, fullX);
  await assertSame(jit(gradient)(w, x), [ofW, ofX]);
});

onBothBackends("a gradient can be rewritten like other functions", async () => {
  const [w, x] = inputs();
  const gradient = applyMixedPrecision(grad(loss), half);
  assertEquals(gradient(w, x).dtype, "float16");
  assertEquals(new Set(typesIn(gradient, "dotGeneral", w, x)), new Set(["float16"]));
  await assertNear(gradient(w, x), grad(loss)(w, x));
});

onBothBackends("forward derivatives and second ones go through", async () => {
  const [w, x] = inputs();
  const [y, slope] = jvp(applyMixedPrecision(layer, half), [w, x], [w, x]);
  const [fullY, fullSlope] = jvp(layer, [w, x], [w, x]);
  assertEquals([y.dtype, slope.dtype], ["float16", "float16"]);
  await assertNear(y, fullY);
  await assertNear(slope, fullSlope, 0.02);
  const cube = (x: NDArray) => x.mul(x).mul(x).sum();
  const second = (f: typeof cube) => grad((x: NDArray) => grad(f)(x).sum());
  await assertNear(second(applyMixedPrecision(cube, half))(x), second(cube)(x));
});

onBothBackends("vmap in either order gives the same", async () => {
  const w = normal(2, [16, 8]);
  const batch = normal(3, [5, 4, 16]);
  const inAxes = [null, 0] as const;
  const outside = vmap(applyMixedPrecision(layer, half), { inAxes })(w, batch);
  const inside = applyMixedPrecision(vmap(layer, { inAxes }), half)(w, batch);
  assertEquals([outside.dtype, inside.dtype], ["float16", "float16"]);
  await assertSame(outside, inside);
  await assertNear(outside, vmap(layer, { inAxes })(w, batch));
});

onBothBackends("functions that are one operation are rewritten inside", async () => {
  const [w, x] = inputs();
  const clipped = customVjp(
    (h: NDArray) => h.matmul(w),
    (h: NDArray): [NDArray, NDArray] => [h.matmul(w), h],
    (h: NDArray, g: NDArray) => [jnp.clip(g, -1, 1).matmul(w.transpose()).add(h.mul(0))],
  );
  const programs: Record<string, (x: NDArray) => NDArray> = {
    checkpoint: checkpoint((x: NDArray) => jnp.tanh(x.matmul(w))),
    cond: (x) =>
      lax.cond(
        x.sum().greater(0),
        (x: NDArray) => x.matmul(w),
        (x: NDArray) => jnp.zeros([x.shape[0]!, 8]),
        x,
      ),
    customVjp: clipped,
    scan: (x) =>
      lax.scan(
        (h: NDArray, row: NDArray): [NDArray, NDArray] => {
          const next = jnp.tanh(row.matmul(w).add(h));
          return [next, next];
        },
        jnp.zeros([8]),
        x,
      )[1],
    foriLoop: (x) => lax.foriLoop(0, 3, (_, h) => h.matmul(w).matmul(w.transpose()).mul(0.1), x),
    whileLoop: (x) =>
      lax.whileLoop(
        (h: NDArray) => h.max().less(100),
        (h: NDArray) => h.matmul(w.matmul(w.transpose())),
        x,
        { maxSteps: 3 },
      ),
    vmapped: (x) => vmap(checkpoint((row: NDArray) => row.matmul(w)))(x),
    vmappedCond: (x) =>
      vmap((row: NDArray) =>
        lax.cond(row.sum().greater(0), (r: NDArray) => r.matmul(w), () => jnp.ones([8]), row)
      )(x),
  };
  for (const [name, f] of Object.entries(programs)) {
    const mixed = applyMixedPrecision(f, half);
    assertEquals(mixed(x).dtype, "float16", name);
    assertEquals(new Set(typesIn(mixed, "dotGeneral", x)), new Set(["float16"]), name);
    await assertNear(mixed(x), jit(f)(x), 0.02);
    const slope = grad((x: NDArray) => mixed(x).astype("float32").sum());
    const expected = grad((x: NDArray) => f(x).sum());
    await assertNear(slope(x), expected(x), 0.03);
  }
});

onBothBackends("inside of fullPrecision all is float32, in either direction", async () => {
  const [w, x] = inputs();
  const exempt = fullPrecision((w: NDArray, h: NDArray) => h.matmul(w));
  const f = (w: NDArray, x: NDArray) => exempt(w, x.mul(2)).sum();
  const mixed = applyMixedPrecision(f, half);
  assertEquals(mixed(w, x).dtype, "float32");
  assertEquals(typesIn(mixed, "dotGeneral", w, x), ["float32"]);
  const rounded = x.astype("float16").astype("float32");
  await assertNear(mixed(w, x), f(w, rounded), 1e-5);
  for (const gradient of [grad(mixed), applyMixedPrecision(grad(f), half)]) {
    assertEquals(new Set(typesIn(gradient, "dotGeneral", w, x)), new Set(["float32"]));
    await assertNear(gradient(w, x), grad(f)(w, rounded), 0.002);
  }
  const rows = applyMixedPrecision(vmap((row: NDArray) => exempt(w, row)), half);
  assertEquals(typesIn(rows, "dotGeneral", x), ["float32"]);
  await assertNear(rows(x), x.matmul(w), 0.002);
  await assertSame(jit(mixed)(w, x), mixed(w, x));
  // On its own it widens what it is given, in a trace as without.
  const halves = x.astype("float16");
  assertEquals([exempt(w, halves).dtype, jit(exempt)(w, halves).dtype], ["float32", "float32"]);
});

onBothBackends("fullPrecision frees what it widened as soon as no result can need it", async () => {
  const x = jnp.array([3], { dtype: "float16" });
  const later = await fullPrecision(async (x: NDArray) => {
    await Promise.resolve();
    return x.mul(2);
  })(x);
  assertEquals(await later.toList(), [6]);
  const [, pullback] = fullPrecision((x: NDArray) => vjp((y: NDArray) => y.square(), x))(x);
  assertEquals(await pullback(jnp.ones([1]))[0].toList(), [6]);
  const live = memoryStats().liveArrays;
  fullPrecision((x: NDArray) => x.square())(x).dispose();
  const fail = fullPrecision((_: NDArray): NDArray => {
    throw new Error("no result");
  });
  assertThrows(() => fail(x), Error, "no result");
  assertEquals(memoryStats().liveArrays, live);
});

onBothBackends("of nested calls the inner one holds inside", () => {
  const [w, x] = inputs();
  const inner = applyMixedPrecision(layer, { dtype: "bfloat16", full: ["matmul"] });
  const outer = applyMixedPrecision((w: NDArray, x: NDArray) => inner(w, x).add(x.sum()), half);
  assertEquals(typesIn(outer, "dotGeneral", w, x), ["bfloat16"]);
  assertEquals(typesIn(outer, "reduce_sum", w, x), ["float16"]);
  const compiled = jit(inner);
  assertEquals(compiled(w, x).dtype, "bfloat16");
  const around = applyMixedPrecision((w: NDArray, x: NDArray) => compiled(w, x), half);
  assertEquals(typesIn(around, "dotGeneral", w, x), ["bfloat16"]);
  const exempt = applyMixedPrecision(fullPrecision(layer), half);
  assertEquals(exempt(w, x).dtype, "float32");
  return Promise.resolve();
});

onBothBackends("calls are cached, and leave nothing behind", () => {
  let traces = 0;
  const f = applyMixedPrecision((x: NDArray, how: { twice: boolean }, n: number) => {
    traces++;
    return x.mul(how.twice ? 2 : 1).add(n);
  }, half);
  const x = jnp.ones([4]);
  f(x, { twice: true }, 1).dispose();
  const before = memoryStats().liveArrays;
  for (let i = 0; i < 5; i++) f(x, { twice: true }, 1).dispose();
  assertEquals([traces, memoryStats().liveArrays], [1, before]);
  f(x, { twice: false }, 1).dispose();
  f(jnp.ones([5]), { twice: false }, 1).dispose();
  f(x, { twice: true }, 2).dispose();
  assertEquals(traces, 3);
  return Promise.resolve();
});

onBothBackends(
  "activations in float32 layers of a plain model run in the type that is asked for",
  async () => {
    const model = nn.sequential([
      nn.dense({ inFeatures: 16, features: 32 }),
      nn.gelu,
      nn.layerNorm({ features: 32 }),
      nn.dense({ inFeatures: 32, features: 4 }),
    ]);
    const params = model.init(random.key(4));
    const x = normal(5, [8, 16]);
    const mean = (apply: typeof model.apply) => (p: typeof params) =>
      apply(p, x).astype("float32").square().mean();
    const gradients = grad(mean(applyMixedPrecision(model, half).apply))(params);
    const expected = grad(mean(model.apply))(params);
    assertEquals(gradients.layers_0.kernel.dtype, "float32");
    await assertNear(gradients.layers_0.kernel, expected.layers_0.kernel, 0.02);
    await assertNear(gradients.layers_3.bias!, expected.layers_3.bias!, 0.02);
  },
);
