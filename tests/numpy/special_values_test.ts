// What half types and honest infinities promise: sums that do not overflow on the way, NaN that no compiler
// assumes away, and weak numbers that change no type.

import { assert, assertEquals } from "@std/assert";
import { type DType, init, jit, memoryStats, type NDArray, nn, numpy as jnp } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

const halves: readonly DType[] = ["float16", "bfloat16"];
const floats: readonly DType[] = ["float32", ...halves];

onBothBackends("where(isnan(x), 0, x) holds under jit", async () => {
  const clean = jit((x: NDArray) => jnp.where(jnp.isnan(x), 0, x));
  for (const dtype of floats) {
    const x = jnp.array([1, NaN, -Infinity, -0, NaN], { dtype });
    assertEquals(await clean(x).toList(), [1, 0, -Infinity, -0, 0]);
  }
});

onBothBackends("comparisons with NaN are false, and only notEqual is true", async () => {
  const x = jnp.array([NaN, 1, NaN]);
  const y = jnp.array([1, NaN, NaN]);
  for (const name of ["equal", "less", "lessEqual", "greater", "greaterEqual"] as const) {
    const compare = jit((a: NDArray, b: NDArray) => a[name](b));
    assertEquals(await compare(x, y).toList(), [false, false, false], name);
  }
  assertEquals(await x.notEqual(y).toList(), [true, true, true]);
});

onBothBackends("maximum, minimum, clip and relu let NaN through", async () => {
  const x = jnp.array([NaN, -1, 2, Infinity]);
  assertEquals(await x.maximum(0).toList(), [NaN, 0, 2, Infinity]);
  assertEquals(await jnp.minimum(0, x).toList(), [NaN, -1, 0, 0]);
  assertEquals(await x.clip(0, 1).toList(), [NaN, 0, 1, 1]);
  assertEquals(await nn.relu(x).toList(), [NaN, 0, 2, Infinity]);
  assertEquals(await x.max().item(), NaN);
});

onBothBackends("a mean of 70,000 half ones is 1", async () => {
  for (const dtype of halves) {
    assertEquals(await jnp.mean(jnp.ones([70_000], { dtype })).item(), 1);
  }
});

onBothBackends("variance and norm of halves overflow nowhere on the way", async () => {
  const x = jnp.array([300, -300, 300, -300], { dtype: "float16" });
  assertEquals(await x.std().item(), 300);
  assertEquals(await x.norm().item(), 600);
});

onBothBackends("softmax of [1000, 1001, 1002] is right in every type", async () => {
  const wanted = [0.09003057, 0.24472848, 0.66524094];
  for (const dtype of floats) {
    // 1001 is no bfloat16: the input of that type is 1000, 1000, 1000.
    const exact = dtype === "bfloat16" ? [1 / 3, 1 / 3, 1 / 3] : wanted;
    const x = jnp.array([1000, 1001, 1002], { dtype });
    const got = await nn.softmax(x).toList() as number[];
    const eps = dtype === "float32" ? 1e-6 : dtype === "float16" ? 5e-4 : 2e-3;
    got.forEach((v, i) => assert(Math.abs(v - exact[i]!) < eps, `${dtype}: ${got}`));
  }
});

onBothBackends("layer norm of [-800, 800] is [-1, 1] in every type", async () => {
  for (const dtype of floats) {
    const x = jnp.array([[-800, 800]], { dtype });
    assertEquals(await nn.layerNorm(x, { scale: jnp.ones([2]) }).toList(), [[-1, 1]]);
  }
});

onBothBackends(
  "a JS number changes no array's type, unless it is fractional beside integers",
  async () => {
    for (const dtype of floats) assertEquals(jnp.ones([1], { dtype }).mul(0.1).add(2).dtype, dtype);
    const whole = jnp.arange(3);
    assertEquals(whole.mul(2).dtype, "int32");
    assertEquals(whole.mul(0.5).dtype, "float32");
    // 1 / 2 is no integer, though 1 and 2 are.
    assertEquals(await jnp.divide(1, 2).add(whole).toList(), [0.5, 1.5, 2.5]);
  },
);

onBothBackends("integers wrap and no divisor faults", async () => {
  const x = jnp.array(new Int32Array([2 ** 31 - 1, -(2 ** 31), 7]));
  assertEquals(await x.add(1).toList(), [-(2 ** 31), -(2 ** 31) + 1, 8]);
  assertEquals(await x.mod(0).toList(), [0, 0, 0]);
  assertEquals(await x.floorDivide(-1).toList(), [-(2 ** 31) + 1, -(2 ** 31), -7]);
  assertEquals(await x.leftShift(32).toList(), [0, 0, 0]);
});

onBothBackends("a result that repeats its argument is a handle of its own", async () => {
  const x = jnp.array([1, 2]);
  const same = [x.astype("float32"), jnp.array(x), x.clip(), jnp.asarray(x)];
  for (const y of same) y.dispose();
  assertEquals(await x.toList(), [1, 2]);
});

onBothBackends("functions free what they make on the way", async () => {
  const x = jnp.ones([64], { dtype: "float16" });
  const y = jnp.ones([64]);
  await x.data();
  const before = memoryStats().liveArrays;
  const sum = x.add(y);
  const row = nn.softmax(jnp.arange(6).reshape([2, 3]), { axis: 0 });
  await row.data();
  // The sum, the row and the range; the reshaped range shares its memory.
  assertEquals(memoryStats().liveArrays - before, 3);
  sum.dispose();
});

onBothBackends(
  "a literal list inside a traced function is captured, and lives as long as the trace",
  async () => {
    const shift = jit((x: NDArray) => x.add([10, 20]));
    assertEquals(await shift(jnp.array([1, 2])).toList(), [11, 22]);
    assertEquals(await shift(jnp.array([3, 4])).toList(), [13, 24]);
  },
);

Deno.test("init() gives the CPU reference when it is asked for", async () => {
  assertEquals((await init({ backend: "cpu" })).backend, "cpu");
});
