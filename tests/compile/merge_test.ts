// Merged work: expressions that share a kernel, results stored over what they are made of, and small
// independent kernels that share a dispatch.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { Target } from "../../kernels/target.ts";
import { checkpoint, grad, init, jit, type NDArray, numpy as jnp } from "../../mod.ts";
import { currentBackend, setBackend } from "../../src/backend/backend.ts";
import { WebGPUBackend } from "../../src/backend/webgpu.ts";
import { type DeviceRequest, openDevice } from "../../src/gpu/device.ts";
import { webgpuTest } from "../webgpu_test.ts";

type Leaves = NDArray[];

/** Momentum with a clipped gradient, for every leaf of a tree: parameters, velocities and the norm. */
function momentumStep(
  params: Leaves,
  velocities: Leaves,
  gradients: Leaves,
): [Leaves, Leaves, NDArray] {
  const norm = jnp.sqrt(gradients.map((g) => jnp.sum(g.square())).reduce((a, b) => a.add(b)));
  const clip = jnp.minimum(1, jnp.divide(1, norm));
  const next = velocities.map((v, i) => v.mul(0.5).add(gradients[i].mul(clip)));
  return [params.map((p, i) => p.sub(next[i].mul(0.25))), next, norm];
}

function leaves(shapes: readonly number[][], value: number): Leaves {
  return shapes.map((shape, i) => jnp.full(shape, value + i));
}

const shapes = [[7, 5], [5], [5, 3], [3], [3, 1], [1], []];

webgpuTest("results that share their operands are one kernel and no temporary", async () => {
  await init({ backend: "webgpu" });
  const program = jit((x: NDArray, y: NDArray) => {
    const z = jnp.exp(x).add(y);
    return [jnp.sin(z), z, jnp.cos(z).mul(x)];
  }).lower(jnp.ones([33]), jnp.ones([33]));
  assertEquals(program.dispatches, 1);
  assertEquals(program.memoryAnalysis().tempBytes, 0);
});

webgpuTest(
  "a result that another reads in other order is right, and so are both in half types",
  async () => {
    await init({ backend: "webgpu" });
    for (const dtype of ["float32", "float16", "bfloat16"] as const) {
      const x = jnp.arange(0, 9, 1, { dtype }).reshape([3, 3]).mul(0.25);
      const both = (a: NDArray) => {
        const y = jnp.exp(a);
        return [y, y.transpose().add(y)] as const;
      };
      const wanted = both(x);
      const got = jit(both)(x);
      for (const i of [0, 1]) assertEquals(await got[i].data(), await wanted[i].data(), dtype);
    }
  },
);

webgpuTest("a step over a tree of small leaves is a few dispatches", async () => {
  await init({ backend: "webgpu" });
  const step = jit(momentumStep, { donateArgnums: [0, 1] });
  const args = [leaves(shapes, 1), leaves(shapes, 2), leaves(shapes, 3)] as const;
  const program = step.lower(...args);
  // The squares of all leaves, their sum and the clip factor, the update.
  assert(program.dispatches <= 4, String(program.dispatches));
});

webgpuTest("an update of donated arrays is made where they lie", async () => {
  await init({ backend: "webgpu" });
  const shape = [300, 300];
  const step = jit(momentumStep, { donateArgnums: [0, 1] });
  const make = (): [
    Leaves,
    Leaves,
    Leaves,
  ] => [leaves([shape], 1), leaves([shape], 2), leaves([shape], 3)];
  const { argumentBytes, peakBytes } = step.lower(...make()).memoryAnalysis();
  assert(
    peakBytes - argumentBytes < 4096,
    `${peakBytes} bytes at most, ${argumentBytes} of arguments`,
  );
  const kept = jit(momentumStep)(...make());
  const updated = step(...make());
  assertEquals(await updated[0][0].data(), await kept[0][0].data());
  assertEquals(await updated[1][0].data(), await kept[1][0].data());
});

webgpuTest("another handle of a donated array keeps its values", async () => {
  await init({ backend: "webgpu" });
  const x = jnp.arange(0, 12, 1, { dtype: "float32" });
  const other = x.reshape([3, 4]);
  const doubled = jit((a: NDArray) => a.mul(2), { donateArgnums: 0 })(x);
  assertEquals(await doubled.toList(), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]);
  assertEquals(await other.toList(), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]);
  assertThrows(() => x.add(1), Error, "donation");
});

webgpuTest(
  "a donated array that is read after its update would be keeps its values until then",
  async () => {
    await init({ backend: "webgpu" });
    const run = jit((x: NDArray) => {
      const y = x.mul(2);
      return [y, jnp.sum(x.transpose().matmul(y)), x.transpose().add(1)];
    }, { donateArgnums: 0 });
    const [y, total, moved] = run(jnp.array([[1, 2], [3, 4]]));
    assertEquals(await y.toList(), [[2, 4], [6, 8]]);
    assertEquals(await total.item(), 2 * (3 * 3 + 7 * 7));
    assertEquals(await moved.toList(), [[2, 4], [3, 5]]);
  },
);

webgpuTest("reductions of one array read it once, and sum as they do alone", async () => {
  await init({ backend: "webgpu" });
  for (const shape of [[5], [300, 70], [70_000]]) {
    const x = jnp.sin(jnp.arange(0, shape.reduce((a, b) => a * b), 1, { dtype: "float32" }))
      .reshape(shape);
    const sum = (a: NDArray) => jnp.sum(a.square());
    const largest = (a: NDArray) => jnp.max(jnp.abs(a)).mul(2);
    const finite = (a: NDArray) => jnp.all(jnp.isfinite(a));
    const together = jit((a: NDArray) => [sum(a), largest(a), finite(a), a.sum({ axis: 0 })]);
    const [total, top, all, along] = together(x);
    assertEquals(await total.item(), await jit(sum)(x).item());
    assertEquals(await top.item(), await jit(largest)(x).item());
    assertEquals(await all.item() as unknown, true);
    assertEquals(await along.data(), await x.sum({ axis: 0 }).data());
  }
});

webgpuTest("checkpointed blocks with a shared weight take less memory", async () => {
  await init({ backend: "webgpu" });
  const block = (w: NDArray, h: NDArray) => jnp.tanh(jnp.tanh(h.matmul(w)).matmul(w)).add(h);
  const temporaries = (layer: typeof block) => {
    const loss = (w: NDArray, x: NDArray) => {
      let h = x;
      for (let i = 0; i < 12; i++) h = layer(w, h);
      return h.mean();
    };
    return jit(grad(loss)).lower(jnp.ones([128, 128]), jnp.ones([64, 128])).memoryAnalysis()
      .tempBytes;
  };
  assert(temporaries(checkpoint(block)) < 0.75 * temporaries(block));
});

const others: readonly (readonly [string, DeviceRequest, Partial<Target>])[] = [
  ["without shader-f16", { without: ["shader-f16"] }, {}],
  ["without 64-bit integers", { without: ["wgpu-shader-int64"] }, {}],
  ["without subgroups", { without: ["subgroups"] }, {}],
  ["with the profile of a discrete GPU", { without: ["wgpu-shader-int64"] }, { kind: "discrete" }],
  ["that binds 8 arrays", {}, { maxStorageBuffers: 8 }],
];

for (const [name, request, facts] of others) {
  webgpuTest(`a merged step gives the same values on a device ${name}`, async () => {
    await init({ backend: "webgpu" });
    const usual = currentBackend();
    const open = (await openDevice(request))!;
    const wide = [...shapes, [300, 7], [129, 65], [70_000]];
    const run = async () => {
      const args = [leaves(wide, 1), leaves(wide, 2), leaves(wide, 3)] as const;
      const [params, velocities] = jit(momentumStep, { donateArgnums: [0, 1] })(...args);
      const results = [...params, ...velocities];
      return (await Promise.all(results.map(async (x) => [...await x.data()]))).flat();
    };
    const wanted = await run();
    try {
      const target = { ...open.target, ...facts };
      setBackend(new WebGPUBackend({ ...open, target }, 2 ** 30));
      const got = await run();
      // Teams of another size sum in another order.
      wanted.forEach((x, i) => assertAlmostEquals(got[i], x, 1e-6 * Math.abs(x)));
    } finally {
      setBackend(usual);
      open.device.destroy();
    }
  });
}
