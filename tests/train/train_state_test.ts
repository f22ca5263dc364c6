// What becomes of a training step's arrays: donation, memory over many steps, metrics that are read late or
// never, runs in which nothing is finite, and bad input.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  init as initDevice,
  jit,
  lossScale,
  memoryStats,
  type Metrics,
  type NDArray,
  numpy as jnp,
  optim,
  scope,
  trainStep,
  type TrainStepOptions,
  tree,
} from "@zenith/jax";
import { currentBackend } from "../../src/backend/backend.ts";
import { onBothBackends } from "../backends.ts";
import { elements, type Line, points, squaredLoss, startLine } from "./small_problem.ts";

const train = (policy = "mixed_float16") =>
  trainStep({ loss: squaredLoss, optimizer: optim.adam(0.05), policy });

onBothBackends("a step consumes its state and nothing else", async () => {
  const [x, y] = points();
  const params = startLine();
  const shared = { w: params.w, b: params.b };
  const { init, step } = train("float32");
  const first = init(params);
  const second = init(shared);
  const [next] = step(first, x, y);
  assertThrows(() => step(first, x, y), Error, "consumed by donation to the step");
  await assertRejects(() => first.params.w.data(), Error, "consumed by donation to the step");
  assertEquals(await params.w.toList(), [[0.5], [-0.25]]);
  assertEquals(await elements(step(second, x, y)[0]), await elements(next));
  // The error above left the run as it was.
  assertEquals(await step(next, x, y)[0].step.item(), 2);
});

onBothBackends(
  "parameters that are one array twice, or the optimizer's state, can be donated",
  async () => {
    const [x, y] = points();
    const remembering = {
      init: (params: unknown) => ({ params }),
      update: <G>(grads: G, state: unknown): [G, unknown] => [grads, state],
    };
    const { init, step } = trainStep({
      loss: ({ w, v }: { w: NDArray; v: NDArray }, x: NDArray, y: NDArray) =>
        x.matmul(w.add(v)).sub(y).square().mean(),
      optimizer: remembering,
      policy: "float32",
    });
    const w = jnp.ones([2, 1]);
    const [state] = step(init({ w, v: w }), x, y);
    assertEquals(await elements(state.optState), [1, 1, 1, 1]);
    assertEquals(await w.toList(), [[1], [1]]);
  },
);

onBothBackends(
  "hundreds of steps hold a constant amount of memory, their metrics dropped",
  async () => {
    const [x, y] = points();
    for (const inScope of [false, true]) {
      const { init, step } = train();
      let state = init(startLine());
      let metrics: Metrics<undefined> | undefined;
      const advance = () => {
        [state, metrics] = inScope ? scope(() => step(state, x, y)) : step(state, x, y);
      };
      const look = () => {
        const loss = metrics!.loss.itemSync();
        assertEquals(String(metrics!.loss), `NDArray(float32[], ${loss})`);
        metrics!.loss.mul(2).dispose();
      };
      for (let i = 0; i < 7; i++) {
        advance();
        look();
      }
      const before = memoryStats();
      for (let i = 0; i < 300; i++) {
        advance();
        if (i % 70 === 0) look();
      }
      const { liveArrays, liveBytes, pooledBytes } = memoryStats();
      assertEquals(
        [liveArrays, liveBytes, pooledBytes],
        [before.liveArrays, before.liveBytes, before.pooledBytes],
      );
      assertEquals(await state.step.item(), 307);
    }
  },
);

onBothBackends("metrics that are kept can be read after any number of steps", async () => {
  const [x, y] = points();
  const { init, step } = train("float32");
  const kept: NDArray[] = [];
  const read: unknown[] = [];
  let state = init(startLine());
  for (let i = 0; i < 120; i++) {
    const [next, { loss, skipped }] = step(state, x, y);
    state = next;
    kept.push(loss);
    if (i % 2 === 0) assertEquals(skipped.itemSync(), false);
    if (i % 3 === 0) read[i] = await loss.item();
  }
  const late = await Promise.all(kept.map((loss) => loss.item()));
  read.forEach((loss, i) => assertEquals(late[i], loss));
  assert(Number(late[119]) < Number(late[0]));
});

onBothBackends(
  "metrics are arrays like others: computed with, captured, passed on and disposed",
  async () => {
    const [x, y] = points();
    const { init, step } = train("float32");
    let state = init(startLine());
    const all: Metrics<undefined>[] = [];
    for (let i = 0; i < 60; i++) {
      const [next, metrics] = scope(() => step(state, x, y));
      state = next;
      all.push(metrics);
    }
    for (const { loss, skipped, lossScale } of [all[3], all[55]]) {
      const value = await loss.item() as number;
      assertEquals(await loss.mul(2).item(), Math.fround(value * 2));
      assertEquals(scope(() => loss.add(0).itemSync()), value);
      assertEquals(
        await jit((x: NDArray) => x.mul(loss))(jnp.array(2)).item(),
        Math.fround(value * 2),
      );
      assertEquals(await jnp.where(skipped, 1, lossScale).item(), 1);
      assertEquals([loss.dtype, loss.shape, skipped.dtype], ["float32", [], "bool"]);
      assertEquals(String(skipped), "NDArray(bool[], false)");
      loss.dispose();
      await assertRejects(() => loss.item(), Error, "consumed by dispose()");
      assertThrows(() => loss.add(1), Error, "consumed by dispose()");
    }
    assertEquals(tree.leaves(all[9] as unknown).length, 4);
  },
);

/** Steps until one throws; gives its number and what it threw. */
async function untilThrown(
  advance: () => void,
  atMost: number,
): Promise<{ at: number; error: Error }> {
  for (let at = 0; at < atMost; at++) {
    try {
      advance();
    } catch (error) {
      return { at, error: error as Error };
    }
    // A task of its own, in which a read that is on its way may arrive.
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error(`nothing was thrown in ${atMost} steps`);
}

onBothBackends(
  "a run in which nothing is finite is an error after a while, and its state can be used",
  async () => {
    const [x, y] = points();
    const { init, step } = train();
    let state = init(startLine());
    for (let i = 0; i < 20; i++) [state] = step(state, x, y);
    const good = await elements(state.params);
    const bad = x.mul(NaN);
    for (let round = 0; round < 2; round++) {
      const { at, error } = await untilThrown(() => [state] = step(state, bad, y), 120);
      assert(at >= 50 && at <= 100, String(at));
      assert(error.message.startsWith("Cannot step: gradients must be finite"), error.message);
      for (const word of ["float32 policy", "learning rate", "smaller inputs"]) {
        assert(error.message.includes(word), error.message);
      }
      if (round === 0) assert(error.message.includes("since step 20;"), error.message);
      if (round === 0) assert(error.message.includes("the loss scale is 1."), error.message);
    }
    assertEquals(await elements(state.params), good);
    const [, metrics] = step(state, x, y);
    assertEquals(await metrics.skipped.item(), false);
  },
);

onBothBackends("where nothing can be read at once, the error comes with a later step", async () => {
  const backend = currentBackend();
  Object.defineProperty(backend, "canReadSync", { value: false, configurable: true });
  try {
    const [x, y] = points();
    const { init, step } = train("float32");
    let state = init(startLine());
    const bad = x.mul(Infinity);
    const kept: Metrics<undefined>[] = [];
    const advance = () => {
      const [next, metrics] = step(state, bad, y);
      state = next;
      kept.push(metrics);
    };
    const { at, error } = await untilThrown(advance, 1000);
    assert(at > 50, String(at));
    assert(error.message.includes("got none that were in the last"), error.message);
    assert(error.message.includes("since step 0;"), error.message);
    assertEquals(await kept[10].skipped.item(), true);
    advance();
  } finally {
    delete (backend as { canReadSync?: boolean }).canReadSync;
  }
});

onBothBackends("steps that are skipped now and then are no error", async () => {
  const [x, y] = points();
  const { init, step } = train("float32");
  const bad = x.mul(NaN);
  let state = init(startLine());
  for (let i = 0; i < 230; i++) [state] = step(state, i % 49 === 0 ? x : bad, y);
  assertEquals(await state.step.item(), 230);
});

Deno.test("what cannot be trained with is refused before anything is donated", async () => {
  await initDevice({ backend: "cpu" });
  const [x, y] = points();
  const optimizer = optim.sgd(0.1);
  const good = { loss: squaredLoss, optimizer, policy: "float32" };
  type Options = TrainStepOptions<Line, [NDArray, NDArray], undefined>;
  const make = (options: Record<string, unknown>) => () =>
    trainStep({ ...good, ...options } as unknown as Options);
  assertThrows(make({ los: 1 }), TypeError, 'unknown option "los"');
  assertThrows(make({ loss: 3 }), TypeError, "loss must be a function, got 3");
  assertThrows(make({ optimizer: {} }), TypeError, "gradient transformation");
  assertThrows(make({ policy: "float12" }), TypeError, "float12");
  assertThrows(make({ lossScale: 1024 }), TypeError, "lossScale must be one of");
  assertThrows(make({ maxGradNorm: 0 }), RangeError, "maxGradNorm must be a positive finite");
  assertThrows(make({ maxGradNorm: Infinity }), RangeError, "got Infinity");
  assertThrows(make({ accumulate: 1.5 }), RangeError, "accumulate must be a whole number");
  assertThrows(() => trainStep(undefined as unknown as Options), TypeError, "options");

  const { init, step } = trainStep(good);
  const line = (params: unknown) => () => init(params as Line);
  assertThrows(line({}), TypeError, "at least one array");
  assertThrows(line({ w: jnp.arange(3) }), TypeError, "got NDArray int32[3] at params.w");
  assertThrows(line({ w: "kernel" }), TypeError, 'got "kernel" at params.w');

  const state = init(startLine());
  const withLoss = (loss: unknown) => () =>
    trainStep({ ...good, loss: loss as Options["loss"] }).step(state, x, y);
  assertThrows(withLoss((w: Line, x: NDArray) => x.matmul(w.w)), RangeError, "got shape [6, 1]");
  assertThrows(withLoss(() => jnp.array(1, { dtype: "int32" })), TypeError, "got int32");
  assertThrows(withLoss(() => ({ loss: 1 })), TypeError, "got { loss }");
  assertThrows(withLoss(() => Promise.resolve(1)), TypeError, "got a Promise");
  const named = { count: 1, name: "run" };
  assertThrows(withLoss(({ b }: Line) => [b.sum(), named]), TypeError, 'got "run" at aux.name');
  assertThrows(
    () => trainStep({ ...good, accumulate: 4 }).step(state, x, y),
    RangeError,
    "got 4 and shape [6, 2] at batch[0]",
  );
  const { optState: _, ...part } = state;
  assertThrows(() => step(part as typeof state, x, y), TypeError, "what init or step returned");
  const other = { ...state, optState: [] };
  assertThrows(() => step(other, x, y), TypeError, "state must be what init returned");
  assertThrows(() => step({ ...state, params: { w: state.params.w } as Line }, x, y));
  assertThrows(() => step(state, x, "y" as unknown as NDArray), TypeError, 'got "y" at batch[1]');
  assertEquals(await step(state, x, y)[0].step.item(), 1);
});

onBothBackends("a loss scale given to trainStep() is not consumed by its steps", async () => {
  const [x, y] = points();
  const scale = lossScale.dynamic({ initial: 8, period: 1 });
  const { init, step } = trainStep({
    loss: squaredLoss,
    optimizer: optim.sgd(0.1),
    policy: "mixed_float16",
    lossScale: scale,
  });
  const [state] = step(init(startLine()), x, y);
  assertEquals(await state.lossScale.value.item(), 16);
  assertEquals(await scale.value.item(), 8);
  assertEquals(await init(startLine()).lossScale.value.item(), 8);
});

onBothBackends("a start that fails leaves nothing behind", async () => {
  const optimizer: optim.GradientTransformation = {
    ...optim.adam(0.1),
    init: (params) => {
      optim.adam(0.1).init(params);
      throw new Error("no state");
    },
  };
  const { init } = trainStep({ loss: squaredLoss, optimizer, policy: "mixed_float16" });
  const line = startLine();
  const live = () => {
    assertThrows(() => init(line), Error, "no state");
    return memoryStats().liveArrays;
  };
  const first = live(); // constants that are kept included
  assertEquals(live(), first);
  await Promise.resolve();
});
