// What holds for every transformation: float32 arithmetic, no garbage, few kernels, errors that name paths.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  init,
  jit,
  makeGraph,
  memoryStats,
  type NDArray,
  numpy as jnp,
  optim,
  random,
  tree,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { webgpuTest } from "../webgpu_test.ts";

/** One of each kind, by name. */
function everyTransformation(): Record<string, optim.GradientTransformation> {
  const rate = optim.linear(0.1, 0.01, 10);
  return {
    sgd: optim.sgd(0.1),
    momentum: optim.sgd(rate, { momentum: 0.9, nesterov: true }),
    adam: optim.adam(rate),
    adamw: optim.adamw(0.1, { weightDecay: rate, mask: { w: true, b: false } }),
    lion: optim.lion(0.1),
    clipByGlobalNorm: optim.clipByGlobalNorm(1),
    chain: optim.chain(optim.clipByGlobalNorm(1), optim.addDecayedWeights(0.1), optim.scale(-1)),
    applyIfFinite: optim.applyIfFinite(optim.adam(0.1), 3),
    multiSteps: optim.multiSteps(optim.adam(0.1), 2),
    masterWeights: optim.masterWeights(optim.adamw(0.1)),
    kahan: optim.kahan(optim.adamw(0.1)),
    stochasticRounding: optim.stochasticRounding(optim.adamw(0.1), random.key(0)),
  };
}

onBothBackends(
  "eager updates leave nothing behind but their results, and share no handle",
  async () => {
    for (const dtype of ["float32", "float16"] as const) {
      const params = { w: jnp.ones([2, 3], { dtype }), b: jnp.array(2, { dtype }) };
      const grads = { w: jnp.full([2, 3], 0.5, { dtype }), b: jnp.array(NaN, { dtype }) };
      for (const [name, optimizer] of Object.entries(everyTransformation())) {
        const live = () => {
          const state = optimizer.init(params);
          const results = optimizer.update(grads, state, params);
          const updated = optim.applyUpdates(params, results[0]);
          const made = tree.leaves([state, results, updated]) as NDArray[];
          assertEquals(new Set([...made, params.w, grads.w]).size, made.length + 2, name);
          for (const array of made) array.dispose();
          return memoryStats().liveArrays;
        };
        // The first run leaves its literals, which are kept for the next.
        assertEquals(live(), live(), name);
        await grads.w.data();
      }
    }
  },
);

onBothBackends("states and updates are float32 and of one structure from step to step", () => {
  const params = {
    w: jnp.ones([2, 3], { dtype: "bfloat16" }),
    b: jnp.array(2, { dtype: "float16" }),
  };
  const types = (t: unknown) =>
    `${tree.structure(t)} ${(tree.leaves(t) as NDArray[]).map((x) => `${x.dtype}${x.aval.weak}`)}`;
  for (const [name, optimizer] of Object.entries(everyTransformation())) {
    const state = optimizer.init(params);
    const [updates, next] = optimizer.update(params, state, params);
    assertEquals(types(next), types(state), name);
    assertEquals([updates.w.dtype, updates.b.dtype], ["float32", "float32"], name);
    assert((tree.leaves(state) as NDArray[]).every((x) => !x.dtype.includes("16")), name);
    const updated = optim.applyUpdates(params, updates);
    assertEquals([updated.w.dtype, updated.b.dtype], ["bfloat16", "float16"], name);
  }
  return Promise.resolve();
});

onBothBackends("moments of half gradients keep what half types round to zero", async () => {
  const params = jnp.zeros([2], { dtype: "float16" });
  const grads = jnp.array([1e-5, -2e-5], { dtype: "float16" });
  const optimizer = optim.adam(1);
  const [updates] = optimizer.update(grads, optimizer.init(params), params);
  // The squares are 1e-10, below float16's smallest number.
  const [first, second] = await updates.data();
  assert(Math.abs(first! + 1) < 1e-2 && Math.abs(second! - 1) < 1e-2);
});

onBothBackends("applyUpdates() rounds a half sum once", async () => {
  const p = jnp.array([1, 1], { dtype: "bfloat16" });
  // Rounded to bfloat16 first, the update would lift the sum to the tie and over it.
  const u = jnp.array([2 ** -8 + 2 ** -17, 2 ** -8 - 2 ** -17]);
  assertEquals(await optim.applyUpdates(p, u).toList(), [1 + 2 ** -7, 1]);
});

onBothBackends("globalNorm() sums in float32 over any tree", async () => {
  const half = jnp.full([100], 300, { dtype: "float16" });
  assertEquals(
    await optim.globalNorm({ half, n: jnp.array(Int32Array.of(4)), x: 3 }).item(),
    Math.fround(Math.sqrt(9e6 + 25)),
  );
  assertEquals(await optim.globalNorm({}).item(), 0);
});

Deno.test("an update of a tree is traced in time linear in its leaves", async () => {
  await init({ backend: "cpu" });
  const operations = (count: number): number => {
    const params = Array.from({ length: count }, () => jnp.ones([2]));
    const optimizer = optim.chain(optim.clipByGlobalNorm(1), optim.adamw(0.1));
    const update = (g: NDArray[], s: ReturnType<typeof optimizer.init>, p: NDArray[]) =>
      optimizer.update(g, s, p);
    return String(makeGraph(update, params, optimizer.init(params), params)).split("\n").length;
  };
  const [one, two, three] = [10, 20, 30].map(operations);
  assertEquals(three! - two!, two! - one!);
});

webgpuTest("an update is elementwise: no kernel of it moves or joins leaves", async () => {
  await init({ backend: "webgpu" });
  const params = Array.from({ length: 6 }, (_, i) => jnp.ones([i + 1, 16]));
  const optimizer = optim.adamw(1e-3);
  const state = optimizer.init(params);
  const step = jit((g: NDArray[], s: typeof state, p: NDArray[]) => optimizer.update(g, s, p));
  const program = step.lower(params, state, params);
  // Three results a leaf, and three scalars a step, whether or not results share a kernel.
  assert(program.dispatches <= 6 * 3 + 3);
  assert(program.memoryAnalysis().tempBytes <= 1024);
});

onBothBackends("numbers among parameters and gradients count as float32", async () => {
  const params = { w: jnp.ones([1], { dtype: "float16" }), b: 1 };
  const grads = { w: jnp.ones([1]), b: 2 };
  for (const [name, optimizer] of Object.entries(everyTransformation())) {
    const [updates] = optimizer.update(grads as unknown, optimizer.init(params), params);
    const { b } = updates as { b: NDArray };
    assertEquals([b.dtype, b.shape], ["float32", []], name);
    await b.item();
  }
});

onBothBackends("wrong trees are errors that name the path", () => {
  const params = { w: jnp.ones([3]), b: [jnp.ones([2])] };
  const optimizer = optim.adam(0.1);
  const state = optimizer.init(params);
  const update = (grads: unknown, s: unknown = state, p: unknown = params) =>
    (optimizer.update as (...args: unknown[]) => unknown)(grads, s, p);
  const wrong: [() => unknown, new (...args: never[]) => Error, string][] = [
    [() => update({ w: jnp.ones([3]) }), RangeError, 'key "b" is missing'],
    [
      () => update({ ...params, b: [jnp.ones([3])] }),
      RangeError,
      "grads.b[0] must have the shape [2] of params.b[0], got [3]",
    ],
    [
      () => update({ ...params, w: jnp.ones([3], { dtype: "int32" }) }),
      TypeError,
      "grads.w must be a floating array, got NDArray int32[3]",
    ],
    [
      () => optimizer.init({ w: jnp.arange(3) }),
      TypeError,
      "Cannot scaleByAdam: params.w must be a floating array, got NDArray int32[3]",
    ],
    [
      () => optim.applyUpdates(params, { ...params, w: null }),
      TypeError,
      "updates.w must be a floating array, got null",
    ],
    [() => optim.applyUpdates(params, { w: params.w }), RangeError, "Cannot applyUpdates"],
    [() => update(params, {}), TypeError, "state must be what init returned"],
    [
      () => update(params, [{}, {}]),
      TypeError,
      "Cannot scaleByAdam: state must be what init returned, { count, mu, nu }",
    ],
    [
      () => update(params, optimizer.init({ w: params.w })),
      RangeError,
      'key "b" is missing from one of them at state.mu',
    ],
    [() => optim.addDecayedWeights(0.1).update(params, {}), TypeError, "update requires params"],
    [
      () => optim.addDecayedWeights(0.1, { mask: { w: 1, b: true } }).update(params, {}, params),
      TypeError,
      "mask must be a tree of booleans, got 1",
    ],
    [
      () => optim.addDecayedWeights(0.1, { mask: { v: true } }).update(params, {}, params),
      RangeError,
      'key "v" is missing from one of them at mask',
    ],
    [() => optim.globalNorm({ w: "three" }), TypeError, "tree.w must be an array"],
  ];
  for (const [fn, type, message] of wrong) assertThrows(fn, type, message);
  return Promise.resolve();
});

Deno.test("wrong settings are errors that say what is allowed", async () => {
  const wrong: [() => unknown, new (...args: never[]) => Error, string][] = [
    [() => optim.sgd("fast" as never), TypeError, "learningRate must be a number or a schedule"],
    [() => optim.sgd(NaN), TypeError, "learningRate must be a number, got NaN"],
    [() => optim.sgd(0.1, { momentun: 0.9 } as never), TypeError, 'unknown option "momentun"'],
    [() => optim.sgd(0.1, { momentum: "0.9" as never }), TypeError, "Cannot sgd: momentum must be"],
    [() => optim.adam(0.1, { b1: 1 }), RangeError, "b1 must be below 1, got 1"],
    [() => optim.adam(0.1, { eps: -1 }), RangeError, "eps must be a finite number from 0 on"],
    [
      () => optim.adamw(0.1, { decay: 1 } as never),
      TypeError,
      "allowed are b1, b2, eps, weightDecay, mask",
    ],
    [() => optim.lion(0.1, { eps: 1 } as never), TypeError, 'unknown option "eps"'],
    [
      () => optim.clipByGlobalNorm(-1),
      RangeError,
      "maxNorm must be a finite number from 0 on, got -1",
    ],
    [
      () => optim.multiSteps(optim.sgd(0.1), 0),
      RangeError,
      "every must be a finite number from 1 on",
    ],
    [
      () => optim.multiSteps(optim.sgd(0.1), 1.5),
      RangeError,
      "every must be a whole number, got 1.5",
    ],
    [() => optim.applyIfFinite(optim.sgd(0.1), -1), RangeError, "maxConsecutiveErrors"],
    [
      () => optim.chain(optim.sgd(0.1), {} as never),
      TypeError,
      "a gradient transformation { init, update } is required",
    ],
    [() => optim.masterWeights(undefined as never), TypeError, "got undefined"],
    [
      () => optim.cosineDecay(1, 0),
      RangeError,
      "decaySteps must be a finite number from 1 on, got 0",
    ],
    [() => optim.linear(1, 0, -1), RangeError, "transitionSteps"],
    [
      () => optim.warmupCosine({ initValue: 0, peakValue: 1, warmupSteps: 5, decaySteps: 5 }),
      RangeError,
      "decaySteps",
    ],
    [() => optim.warmupCosine(undefined as never), TypeError, "options must be an object"],
    [
      () => optim.scaleBySchedule(3 as never),
      TypeError,
      "a function of the step is required, got 3",
    ],
  ];
  for (const [fn, type, message] of wrong) assertThrows(fn, type, message);
  await init({ backend: "cpu" });
  const x = jnp.ones([1]);
  const vector = optim.sgd(() => jnp.ones([2]));
  await assertRejects(
    () => Promise.resolve().then(() => vector.update(x, vector.init(x))),
    TypeError,
    "a schedule must return a number or a scalar array",
  );
});
