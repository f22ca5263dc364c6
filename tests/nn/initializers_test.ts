// Initializers: JAX's numbers for the same key, orthonormal matrices, and what is refused.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  finfo,
  type FloatDType,
  jit,
  memoryStats,
  type NDArray,
  nn,
  numpy as jnp,
  random,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

interface Case {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly shape: readonly number[];
  readonly dtype: FloatDType;
  /** Places in row-major order, what JAX has there, and the sum of everything. */
  readonly at: readonly number[];
  readonly values: readonly number[];
  readonly sum: number;
}

const cases: readonly Case[] = JSON.parse(
  await Deno.readTextFile(new URL("../data/initializer_tables.json", import.meta.url)),
);

function initializerOf({ name, args, options }: Case): nn.initializers.Initializer {
  const makers = nn.initializers as unknown as Record<string, unknown>;
  if (name === "zeros" || name === "ones") return makers[name] as nn.initializers.Initializer;
  const make = makers[name] as (...args: readonly unknown[]) => nn.initializers.Initializer;
  const given = name === "orthogonal" && args.length === 0 ? [1] : args;
  return make(...given, ...Object.keys(options).length ? [options] : []);
}

onBothBackends("initializers give JAX's numbers for the same key", async () => {
  const key = random.key(3);
  for (const each of cases) {
    const { name, shape, dtype, at, values, sum } = each;
    const what = `${name} of ${dtype}[${shape}] ${JSON.stringify(each.options)}`;
    const made = initializerOf(each)(key, shape, { dtype });
    assertEquals([made.shape, made.dtype], [shape, dtype], what);
    const got = Array.from(await made.data(), Number);
    const allowed = dtype === "float32" ? 2e-6 : 4 * finfo(dtype).eps;
    at.forEach((place, i) => {
      const distance = Math.abs(got[place]! - values[i]!);
      assert(distance <= allowed, `${what}: element ${place} is ${got[place]}, not ${values[i]}`);
    });
    const total = got.reduce((a, b) => a + b, 0);
    assert(
      Math.abs(total - sum) <= allowed * Math.sqrt(got.length),
      `${what}: sum ${total}, ${sum}`,
    );
  }
});

onBothBackends("orthogonal() makes orthonormal columns, or rows where they are fewer", async () => {
  const draw = (key: NDArray, shape: number[]) => nn.initializers.orthogonal()(key, shape);
  for (const shape of [[1, 1], [1, 7], [40, 24], [24, 40], [32, 32]]) {
    const q = draw(random.key(1), shape);
    const product = shape[0]! < shape[1]! ? q.matmul(q.transpose()) : q.transpose().matmul(q);
    const away = product.sub(jnp.eye(Math.min(...shape))).abs().max();
    assert(Number(await away.item()) < 2e-6, `${shape}: ${await away.item()}`);
  }
  const jitted = jit((key: NDArray) => draw(key, [6, 4]))(random.key(2));
  const distance = jitted.sub(draw(random.key(2), [6, 4])).abs().max();
  assert(Number(await distance.item()) < 1e-6);
});

onBothBackends("initializers leave nothing behind but the parameter", () => {
  const key = random.key(0);
  const { initializers } = nn;
  const makers = [initializers.lecunNormal(), initializers.heUniform(), initializers.orthogonal()];
  for (const make of makers) make(key, [8, 4]).dispose();
  for (const make of makers) {
    const before = memoryStats().liveArrays;
    make(key, [8, 4]).dispose();
    assertEquals(memoryStats().liveArrays, before);
  }
  return Promise.resolve();
});

onBothBackends("empty parameters have no elements; wrong arguments are refused", () => {
  const key = random.key(0);
  const { heNormal, lecunNormal, normal, orthogonal, varianceScaling, zeros } = nn.initializers;
  assertEquals(lecunNormal()(key, [0, 3]).shape, [0, 3]);
  assertEquals(orthogonal()(key, [3, 0]).shape, [3, 0]);
  assertThrows(() => heNormal()(key, [3]), RangeError, "at least two axes are required");
  assertThrows(() => orthogonal()(key, [3]), RangeError, "at least two axes are required");
  assertThrows(() => lecunNormal({ inAxis: 5 })(key, [3, 4]), RangeError, "axis must be from");
  assertThrows(
    () => varianceScaling(1, "fan" as "fan_in", "normal"),
    TypeError,
    "mode must be one",
  );
  assertThrows(
    () => varianceScaling(1, "fan_in", "cauchy" as "normal"),
    TypeError,
    "distribution must be one of truncated_normal, normal, uniform",
  );
  const wrong = { dtype: "int32" } as unknown as { dtype: "float32" };
  for (const make of [normal(), orthogonal()]) {
    assertThrows(() => make(key, [2, 3], wrong), TypeError, "dtype must be float32");
  }
  assertThrows(() => zeros(key, [2], { scale: 1 } as never), TypeError, 'option "scale"');
  return Promise.resolve();
});
