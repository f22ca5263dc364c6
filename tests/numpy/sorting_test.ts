// Sorting and scans: against NumPy's and JAX's tables, special values, long rows, and messages.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { init, jit, lax, type NDArray, numpy as jnp } from "../../mod.ts";
import { hasWebGpu, webgpuTest } from "../webgpu_test.ts";
import { testGroup } from "./array_tables.ts";

testGroup("sorting", 4);

const backends = hasWebGpu ? ["cpu", "webgpu"] as const : ["cpu"] as const;

for (const backend of backends) {
  const test = backend === "webgpu" ? webgpuTest : Deno.test;

  test(`NaN is sorted as the largest, and zeros of both signs as equal, on ${backend}`, async () => {
    await init({ backend });
    for (const dtype of ["float32", "float16", "bfloat16"] as const) {
      const x = jnp.array([0, NaN, -1, -0, Infinity, NaN, -Infinity], { dtype });
      assertEquals(await jnp.sort(x).toList(), [-Infinity, -1, 0, -0, Infinity, NaN, NaN]);
      assertEquals(await jnp.argsort(x).toList(), [6, 2, 0, 3, 4, 1, 5]);
      assertEquals(await x.argsort({ descending: true }).toList(), [1, 5, 4, 0, 3, 2, 6]);
      const [values, positions] = lax.topK(x, 3);
      assertEquals(await values.toList(), [NaN, NaN, Infinity]);
      assertEquals([positions.dtype, await positions.toList()], ["int32", [1, 5, 4]]);
    }
  });

  test(`booleans are sorted, and counted where they are summed, on ${backend}`, async () => {
    await init({ backend });
    const x = jnp.array([true, false, true]);
    assertEquals(await jnp.sort(x).toList(), [false, true, true]);
    assertEquals(await x.argsort({ descending: true }).toList(), [0, 2, 1]);
    assertEquals([x.cumsum().dtype, await x.cumsum().toList()], ["int32", [1, 1, 2]]);
    assertEquals([x.cumprod().dtype, await x.cumprod().toList()], ["int32", [1, 0, 0]]);
    assertEquals([x.diff().dtype, await x.diff().toList()], ["bool", [true, true]]);
  });

  test(`values are searched in a sorted row, on ${backend}`, async () => {
    await init({ backend });
    const row = jnp.array([-Infinity, -2, 0, 0, 0, 3, 9, NaN], { dtype: "float16" });
    const values = jnp.array([[-Infinity, -3, -0, 3], [4, Infinity, NaN, 9]]);
    const left = jnp.searchsorted(row, values);
    assertEquals([left.dtype, await left.toList()], ["int32", [[0, 1, 2, 5], [6, 7, 7, 6]]]);
    const right = jnp.searchsorted(row, values, { side: "right" });
    assertEquals(await right.toList(), [[1, 1, 5, 6], [6, 7, 8, 7]]);
    for (const length of [0, 1, 2, 3, 31, 32, 33]) {
      const all = jnp.searchsorted(jnp.arange(length), jnp.arange(-1, length + 2));
      const expected = Array.from(
        { length: length + 3 },
        (_, i) => Math.min(Math.max(i - 1, 0), length),
      );
      assertEquals(await all.toList(), expected);
    }
  });

  test(`a maximum so far stays NaN from the first NaN on, on ${backend}`, async () => {
    await init({ backend });
    const x = jnp.array([1, 3, NaN, 2], { dtype: "bfloat16" });
    assertEquals(await lax.cummax(x).toList(), [1, 3, NaN, NaN]);
    assertEquals(await lax.cummin(x, { reverse: true }).toList(), [NaN, NaN, NaN, 2]);
  });
}

/** Whole numbers that repeat often, in an order that looks random. */
const shuffled = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.imul(i, 2654435761) >>> 21);

webgpuTest("long rows are sorted stably", async () => {
  await init({ backend: "webgpu" });
  const values = shuffled(70_001);
  const order = Array.from(values.keys()).sort((i, j) => values[i]! - values[j]! || i - j);
  const x = jnp.array(values);
  assertEquals(Array.from(await x.argsort().data()), order);
  assertEquals(await x.sort().data(), Float32Array.from(order, (i) => values[i]!));
  const [top, places] = lax.topK(x, 5);
  const largest = Array.from(values.keys()).sort((i, j) => values[j]! - values[i]! || i - j);
  assertEquals(Array.from(await places.data()), largest.slice(0, 5));
  assertEquals(Array.from(await top.data()), largest.slice(0, 5).map((i) => values[i]!));
});

webgpuTest("sums of long half rows are formed in float32", async () => {
  await init({ backend: "webgpu" });
  const count = 60_000;
  const sums = await jnp.ones([count], { dtype: "float16" }).cumsum().data();
  assertEquals(
    [sums[2050], sums[40_000], sums[count - 1]],
    [2051, 40_000, 60_000].map(Math.f16round),
  );
  const thirds = await jnp.full([5000, 2], 1 / 3).cumsum({ axis: 0 }).data();
  assertAlmostEquals(thirds[9999] as number, 5000 / 3, 2e-3);
});

webgpuTest("sorts and scans between other work are the same under jit", async () => {
  await init({ backend: "webgpu" });
  const fn = (x: NDArray) => {
    const sorted = x.mul(3).sort({ axis: 0 }).add(1);
    const [values] = lax.topK(sorted, 2);
    return sorted.cumsum({ axis: 1 }).slice([], [0, 2]).mul(values);
  };
  const x = jnp.array(shuffled(20)).mod(17).reshape([4, 5]).astype("float16");
  assertEquals(await jit(fn)(x).bits(), await fn(x).bits());
});

const wrong: readonly [string, () => unknown, typeof Error, string][] = [
  ["a scalar", () => jnp.sort(3), RangeError, "Cannot sort: a scalar has no axes, got -1"],
  [
    "an axis that is not there",
    () => jnp.argsort([1, 2], { axis: 1 }),
    RangeError,
    "Cannot argsort: axis must be from -1 to 0",
  ],
  [
    "an order",
    () => jnp.sort([1], { descending: 1 as unknown as boolean }),
    TypeError,
    "Cannot sort: descending must be true or false, got 1",
  ],
  [
    "too many",
    () => lax.topK([1, 2], 3),
    RangeError,
    "Cannot topK: k must be from 0 to the extent of the last axis, got 3 for shape [2]",
  ],
  [
    "half of one",
    () => lax.topK([1, 2], 0.5),
    TypeError,
    "Cannot topK: k must be an integer, got 0.5",
  ],
  [
    "an unknown option",
    () => jnp.cumsum([1], { reverse: true } as unknown as { axis: 0 }),
    TypeError,
    'Cannot cumsum: unknown option "reverse"; allowed are axis',
  ],
  [
    "a direction",
    () => lax.cumsum([1], { reverse: 1 as unknown as boolean }),
    TypeError,
    "Cannot cumsum: reverse must be true or false, got 1",
  ],
  [
    "a negative order",
    () => jnp.diff([1], { n: -1 }),
    RangeError,
    "Cannot diff: n must be an integer that is not negative, got -1",
  ],
  [
    "the difference of a scalar",
    () => jnp.diff(1),
    RangeError,
    "Cannot diff: a scalar has no axes, got -1",
  ],
];

Deno.test("sorts and scans that cannot be say why", async () => {
  await init({ backend: "cpu" });
  for (const [name, call, type, text] of wrong) assertThrows(call, type, text, name);
});
