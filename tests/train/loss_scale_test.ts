// Loss scales: what they do to losses and gradients, and the sequences that a dynamic one goes through.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  castTo,
  grad,
  init,
  jit,
  lossScale,
  memoryStats,
  type NDArray,
  numpy as jnp,
  tree,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";

type Scale = lossScale.LossScale;

/** The scale after each of a row of steps that were finite or not. */
async function scalesAfter(scale: Scale, pattern: string): Promise<number[]> {
  const scales: number[] = [];
  for (const step of pattern) {
    scale = scale.adjust(step === "T");
    scales.push(await scale.value.item() as number);
  }
  return scales;
}

onBothBackends("four overflows halve a dynamic scale four times", async () => {
  const scale = lossScale.dynamic({ initial: 65536 });
  assertEquals(await scalesAfter(scale, "FFFF"), [32768, 16384, 8192, 4096]);
});

onBothBackends(
  "a dynamic scale grows after a period of finite steps in a row, and counts again after an overflow",
  async () => {
    const scale = lossScale.dynamic({ initial: 1024, period: 3 });
    const expected = [1024, 1024, 2048, 1024, 512, 512, 512, 1024, 1024, 1024];
    assertEquals(await scalesAfter(scale, "TTTFFTTTTT"), expected);
  },
);

onBothBackends("a dynamic scale stays within its limits", async () => {
  const scale = lossScale.dynamic({ initial: 4, factor: 4, period: 1, minimum: 0.5, maximum: 32 });
  assertEquals(await scalesAfter(scale, "TTTFFFFTT"), [16, 32, 32, 8, 2, 0.5, 0.5, 2, 8]);
});

onBothBackends("a dynamic scale goes through the same sequence under jit", async () => {
  const adjust = jit((scale: lossScale.DynamicLossScale, finite: NDArray) => scale.adjust(finite));
  let scale = lossScale.dynamic({ initial: 1024, period: 3 });
  const scales: unknown[] = [];
  for (const step of "TTTFFTTT") {
    scale = adjust(scale, jnp.array(step === "T"));
    scales.push(await scale.value.item());
  }
  assertEquals(scales, [1024, 1024, 2048, 1024, 512, 512, 512, 1024]);
});

onBothBackends(
  "every field of a dynamic scale is a leaf that its tree is rebuilt from",
  async () => {
    const scale = lossScale.dynamic({ initial: 8, factor: 4, period: 7, minimum: 2, maximum: 64 });
    const [leaves, structure] = tree.flatten(scale as unknown);
    const arrays = leaves as NDArray[];
    assertEquals(await Promise.all(arrays.map((leaf) => leaf.item())), [8, 0, 4, 7, 2, 64]);
    assertEquals(arrays.map((leaf) => leaf.dtype), [
      "float32",
      "int32",
      "float32",
      "int32",
      "float32",
      "float32",
    ]);
    const again = tree.unflatten<Scale>(structure, leaves);
    assert(again instanceof lossScale.DynamicLossScale);
    assertEquals(await scalesAfter(again, "F"), [2]);
    assertEquals(structure.paths("lossScale")[1], "lossScale.finiteSteps");
  },
);

onBothBackends("donation keeps a loss scale whole", async () => {
  const adjust = jit((scale: lossScale.DynamicLossScale) => scale.adjust(true), {
    donateArgnums: 0,
    name: "adjust",
  });
  const first = lossScale.dynamic({ initial: 2, period: 2 });
  const scale = adjust(adjust(first));
  assertEquals(await scale.value.item(), 4);
  assertThrows(() => first.adjust(true), Error, "consumed by donation to adjust");
});

onBothBackends("a loss is scaled in float32 and float32 is what comes out", async () => {
  const loss = jnp.array(3, { dtype: "float16" });
  for (const scale of [lossScale.fixed(2 ** 24), lossScale.dynamic({ initial: 2 ** 24 })]) {
    const scaled = scale.scale(loss);
    assertEquals(scaled.dtype, "float32");
    assertEquals(await scaled.item(), 3 * 2 ** 24);
  }
  assertEquals(lossScale.noOp().scale(loss).dtype, "float32");
  assertEquals(await lossScale.noOp().value.item(), 1);
  assertEquals(await lossScale.noOp().scale(3).item(), 3);
});

onBothBackends("unscaling by powers of two is exact and leaves integers alone", async () => {
  const values = new Float32Array([1.1, -3e-8, 65504, 2 ** -14, 5.9e-8, 0, 0.1]);
  for (let exponent = 0; exponent <= 24; exponent += 3) {
    const grads = { w: jnp.array(values), n: jnp.arange(2) };
    const unscaled = lossScale.dynamic({ initial: 2 ** exponent }).unscale(grads);
    assertEquals(await unscaled.w.data(), values.map((x) => x / 2 ** exponent));
    assertEquals(unscaled.n.dtype, "int32");
  }
  const half = castTo({ w: jnp.array(values) }, "float16");
  const unscaled = lossScale.fixed(1024).unscale(half);
  assertEquals(unscaled.w.dtype, "float32");
  const rounded = Float32Array.from(await half.w.data());
  assertEquals(await unscaled.w.data(), rounded.map((x) => x / 1024));
});

onBothBackends("a scale above the loss scales its gradient", async () => {
  const scale = lossScale.fixed(1024);
  const gradient = grad((w: NDArray) => scale.scale(w.mul(3).astype("float16")));
  assertEquals(await gradient(jnp.array(1)).item(), 3072);
});

onBothBackends("eager loss scaling leaves no garbage behind", () => {
  const scale = lossScale.dynamic({ initial: 1024, period: 3 });
  const loss = jnp.array(1);
  const round = () => {
    scale.scale(loss).dispose();
    (scale.unscale([loss, loss]) as NDArray[]).forEach((x) => x.dispose());
    (tree.leaves(scale.adjust(false) as unknown) as NDArray[]).forEach((x) => x.dispose());
  };
  round();
  const before = memoryStats();
  round();
  assertEquals(memoryStats().liveArrays, before.liveArrays);
  assertEquals(memoryStats().liveBytes, before.liveBytes);
  return Promise.resolve();
});

Deno.test("a dynamic loss scale refuses what would not be exact, and says what is required", async () => {
  await init({ backend: "cpu" });
  const wrong: [options: lossScale.DynamicLossScaleOptions, message: string][] = [
    [{ initial: 1000 }, "initial must be a power of two"],
    [{ initial: -2 }, "initial must be a power of two"],
    [{ factor: 3 }, "factor must be a power of two"],
    [{ factor: 1 }, "factor must be above 1"],
    [{ factor: 0.5 }, "factor must be above 1"],
    [{ minimum: 0 }, "minimum must be a power of two"],
    [{ maximum: Infinity }, "maximum must be a power of two"],
    [{ period: 0 }, "period must be a whole number"],
    [{ period: 2.5 }, "period must be a whole number"],
    [{ initial: 2 ** 25 }, "initial must lie between minimum and maximum"],
    [{ minimum: 2 ** 16 }, "initial must lie between minimum and maximum"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => lossScale.dynamic(options), RangeError, message);
  }
  const unknown = { growth: 2 } as lossScale.DynamicLossScaleOptions;
  assertThrows(() => lossScale.dynamic(unknown), TypeError, 'unknown option "growth"');
  const flags = jnp.array([true]);
  assertThrows(() => lossScale.dynamic().adjust(flags), RangeError, "a scalar, got shape [1]");
});

Deno.test("a fixed loss scale is any positive number that float32 holds", async () => {
  await init({ backend: "cpu" });
  assertEquals(await lossScale.fixed(1000.5).value.item(), 1000.5);
  for (const scale of [0, -1, NaN, Infinity, 1e39, 1e-39, "8" as unknown as number]) {
    assertThrows(() => lossScale.fixed(scale), RangeError, "positive number that float32 holds");
  }
});
