// Checkpoints: what comes back is what was saved, a run continues bit for bit, and no failure costs anything.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import {
  evalShape,
  type FloatDType,
  grad,
  init,
  jit,
  loadCheckpoint,
  loadSafetensors,
  lossScale,
  memoryStats,
  type NDArray,
  numpy as jnp,
  optim,
  random,
  saveCheckpoint,
  saveSafetensors,
  scope,
  ShapeDtype,
  trainStep,
  tree,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { filesIn, onFullDisk, withFolder } from "./temporary_folder.ts";

/** A class that is a node of a tree: two children, one of them named, and data beside them. */
class Scale {
  constructor(readonly value: NDArray, readonly count: NDArray | null, readonly period: number) {}
}
tree.registerNode(Scale, {
  flatten: (node) => [[node.value, node.count], node.period],
  unflatten: (period, [value, count]) => new Scale(value as NDArray, count as NDArray, period),
  names: ["value"],
});

interface RunState {
  readonly params: { readonly w: NDArray };
  readonly velocity: { readonly w: NDArray };
  readonly step: NDArray;
}

function startRun(dtype: FloatDType): RunState {
  return scope(() => ({
    params: { w: jnp.linspace(-1, 1, 12).reshape([4, 3]).astype(dtype) },
    velocity: { w: jnp.zeros([4, 3]) },
    step: jnp.array(0).astype("int32"),
  }));
}

/** A step of gradient descent with momentum, on inputs made of the step's number. */
function makeStep(): (state: RunState) => RunState {
  const loss = ({ w }: { w: NDArray }, x: NDArray) =>
    jnp.tanh(x.matmul(w)).astype("float32").square().mean();
  return jit(({ params, velocity, step }: RunState) => {
    const x = jnp.sin(jnp.arange(8).add(step)).reshape([2, 4]).astype(params.w.dtype);
    const gradient = grad(loss)(params, x).w.astype("float32");
    const moved = velocity.w.mul(0.9).add(gradient);
    const w = params.w.astype("float32").sub(moved.mul(0.1)).astype(params.w.dtype);
    return { params: { w }, velocity: { w: moved }, step: step.add(1) };
  }, { donateArgnums: 0 });
}

function run(state: RunState, steps: number): RunState {
  const step = makeStep();
  for (let i = 0; i < steps; i++) state = step(state);
  return state;
}

async function bitsOf(state: RunState): Promise<number[][]> {
  const { params: { w }, velocity } = state;
  const weights = w.dtype === "float32" ? await w.data() : await w.bits();
  const bits = [weights, await velocity.w.data(), await state.step.data()];
  return bits.map((own) => Array.from(new Uint8Array(own.buffer)));
}

function disposeAll(state: unknown): void {
  for (const leaf of tree.leaves(state) as NDArray[]) leaf.dispose();
}

for (const dtype of ["float32", "float16", "bfloat16"] as const) {
  onBothBackends(
    `10 steps, a checkpoint and 10 more are 20 steps bit for bit in ${dtype}`,
    async () => {
      await withFolder(async (folder) => {
        const path = `${folder}/run.safetensors`;
        const straight = run(startRun(dtype), 20);
        const halfway = run(startRun(dtype), 10);
        const before = memoryStats().liveArrays;
        await saveCheckpoint(path, halfway);
        assertEquals(memoryStats().liveArrays, before);
        const resumed = run(await loadCheckpoint(path, halfway), 10);
        assertEquals(memoryStats().liveArrays, before + 3);
        assertEquals(await bitsOf(resumed), await bitsOf(straight));
        assertEquals(await resumed.step.item(), 20);
        disposeAll([straight, halfway, resumed]);
      });
    },
  );
}

onBothBackends("a training step's state continues bit for bit, loss scale and all", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/run.safetensors`;
    const { init, step } = trainStep({
      loss: (w: NDArray, x: NDArray) => jnp.tanh(x.matmul(w)).astype("float32").square().mean(),
      optimizer: optim.chain(optim.clipByGlobalNorm(1), optim.masterWeights(optim.adam(0.01))),
      policy: "half",
      // The first steps overflow, and the scale rises again on the way.
      lossScale: lossScale.dynamic({ initial: 2 ** 24, period: 4 }),
    });
    const x = random.normal(random.key(0), [4, 8]);
    const start = () => init(random.normal(random.key(1), [8, 2]));
    const steps = (state: ReturnType<typeof start>, count: number) => {
      for (let i = 0; i < count; i++) [state] = step(state, x);
      return state;
    };
    const straight = steps(start(), 24);
    await saveCheckpoint(path, steps(start(), 12));
    const resumed = steps(await loadCheckpoint(path, start()), 12);
    assert(tree.structure(resumed).equals(tree.structure(straight)));
    const elements = (state: unknown) =>
      Promise.all((tree.leaves(state) as NDArray[]).map((leaf) => leaf.data()));
    assertEquals(await elements(resumed), await elements(straight));
    assertNotEquals(await straight.lossScale.value.item(), 2 ** 24);
    const names = Object.keys(await loadSafetensors(path));
    assert(["params", "step", "lossScale.value"].every((name) => names.includes(name)), `${names}`);
  });
});

Deno.test("every kind of leaf and node comes back as it was", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/all.safetensors`;
    const state = {
      params: {
        "a.b": { c: jnp.array([1, 2]) },
        a: { "b.c": jnp.array([3]), "b\\": jnp.ones([]) },
      },
      "": [null, undefined, {}, []],
      "__metadata__": jnp.array(true),
      "__proto__x": "text \ud800 \u{1f600}",
      numbers: [0, -0, NaN, Infinity, -Infinity, 0.1, 1e300],
      flags: [true, false],
      big: -(2n ** 70n),
      scale: new Scale(jnp.array([2 ** 15]), null, 2000),
      weak: jnp.add(1, 2),
    };
    await saveCheckpoint(path, state);
    const back = await loadCheckpoint(path, state);
    assert(tree.structure(back).equals(tree.structure(state)));
    assertInstanceOf(back.scale, Scale);
    assertEquals(back.scale.period, 2000);
    const values = async (of: unknown) =>
      await Promise.all(
        (tree.leaves(of) as unknown[]).map((leaf) =>
          typeof leaf === "object" ? (leaf as NDArray).toList() : leaf
        ),
      );
    const [expected, got] = [await values(state), await values(back)];
    assert(expected.every((value, i) => typeof value === "object" || Object.is(value, got[i])));
    assertEquals(got, expected);
    assertEquals(back.weak.aval, state.weak.aval);
    const names = Object.keys(await loadSafetensors(path)).sort();
    assertEquals(names, [
      "\\__metadata__",
      "params.a.b\\.c",
      "params.a.b\\\\",
      "params.a\\.b.c",
      "scale.value",
      "weak",
    ]);
  });
});

Deno.test("a state that is one array has a checkpoint too", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    await saveCheckpoint(`${folder}/x`, jnp.arange(3));
    assertEquals(await (await loadCheckpoint(`${folder}/x`, jnp.arange(3))).toList(), [0, 1, 2]);
    await saveCheckpoint(`${folder}/x`, 7);
    assertEquals(await loadCheckpoint(`${folder}/x`, 0), 7);
    await saveCheckpoint(`${folder}/x`, {});
    assertEquals(await loadCheckpoint(`${folder}/x`, {}), {});
  });
});

Deno.test("a description of the state serves in its place, and other programs' files do", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const start = () => ({ w: jnp.ones([2], { dtype: "float16" }) });
    await saveSafetensors(`${folder}/x`, start());
    const before = memoryStats().liveArrays;
    const back = await loadCheckpoint<{ w: NDArray }>(`${folder}/x`, evalShape(start));
    assertEquals(back.w.dtype, "float16");
    assertEquals(await back.w.toList(), [1, 1]);
    assertEquals(memoryStats().liveArrays, before + 1);
  });
});

Deno.test("a state of another structure, shape or type is refused, leaf by leaf", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/run.safetensors`;
    const w = jnp.ones([2, 3]);
    await saveCheckpoint(path, { params: { w, b: w }, step: 3 });
    const before = memoryStats().liveArrays;
    const cases: [unknown, string][] = [
      [
        { params: { w: new ShapeDtype([2, 3], "float16"), b: w }, step: 0 },
        "params.w must be float16[2,3], got float32[2,3]",
      ],
      [
        { params: { w, b: new ShapeDtype([3], "float32") }, step: 0 },
        "params.b must be float32[3], got float32[2,3]",
      ],
      [{ params: { w, b: w }, step: true }, "step must be a boolean, got a number"],
      [{ params: { w, b: 0 }, step: 0 }, "params.b must be a number, got float32[2,3]"],
      [
        { params: { w, c: w }, step: 0 },
        "missing params.c; unexpected params.b",
      ],
      [{ params: [w, w] }, "missing params.0, params.1; unexpected params.b, params.w, step"],
      [{ params: { w: null, b: w }, step: 0 }, "unexpected params.w"],
    ];
    for (const [like, message] of cases) {
      await assertRejects(
        () => loadCheckpoint(path, like),
        RangeError,
        `Cannot load checkpoint: the file must hold the leaves of the state given; ${message}`,
      );
    }
    await assertRejects(
      () => loadCheckpoint(path, { w: new Date() }),
      TypeError,
      "w must be an array",
    );
    assertEquals(memoryStats().liveArrays, before);
  });
});

Deno.test("a file that is cut short or has a flipped bit anywhere is refused, and leaves no array", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/run.safetensors`;
    const state = { w: jnp.arange(5), half: jnp.ones([3], { dtype: "float16" }), step: 3, lr: 0.5 };
    await saveCheckpoint(path, state);
    const whole = await Deno.readFile(path);
    const before = memoryStats().liveArrays;
    for (let at = 0; at < whole.length; at++) {
      await Deno.writeFile(path, whole.subarray(0, at));
      await assertRejects(() => loadCheckpoint(path, state), Error, "Cannot load");
      const flipped = whole.slice();
      flipped[at] ^= 4;
      // A space of the padding may turn into a dollar sign: then the header is no JSON.
      await Deno.writeFile(path, flipped);
      await assertRejects(() => loadCheckpoint(path, state), Error, "Cannot load");
    }
    assertEquals(memoryStats().liveArrays, before);
    await Deno.writeFile(path, whole);
    assertEquals(await (await loadCheckpoint(path, state)).w.toList(), [0, 1, 2, 3, 4]);
  });
});

Deno.test("a save that fails midway leaves the last checkpoint whole", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/run.safetensors`;
    const state = { w: jnp.zeros([64]), step: 1 };
    await saveCheckpoint(path, state);
    for (const bytes of [0, 100, 250, 450]) {
      await assertRejects(
        () => onFullDisk(bytes, () => saveCheckpoint(path, { w: jnp.ones([64]), step: 2 })),
        Error,
        "Cannot save checkpoint: No space left on device",
      );
      assertEquals(filesIn(folder), ["run.safetensors"]);
      assertEquals((await loadCheckpoint(path, state)).step, 1);
    }
  });
});

Deno.test("saveCheckpoint() and loadCheckpoint() say what they cannot do", async () => {
  await init({ backend: "cpu" });
  await withFolder(async (folder) => {
    const path = `${folder}/x`;
    await assertRejects(
      () => saveCheckpoint(path, { opt: [new Date()] }),
      TypeError,
      "Cannot save checkpoint: opt.0 must be an NDArray, got a Date",
    );
    const x = jnp.ones([1]);
    x.dispose();
    await assertRejects(() => saveCheckpoint(path, { x }), Error, "consumed by dispose()");
    await assertRejects(
      () => loadCheckpoint(path, {}),
      Deno.errors.NotFound,
      "Cannot load checkpoint: No such file",
    );
    await assertRejects(() => loadCheckpoint("", {}), TypeError, "a path or a file: URL");
    assertEquals(filesIn(folder), []);
  });
});
