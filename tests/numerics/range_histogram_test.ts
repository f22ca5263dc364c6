// Range statistics against their definition, recomputed in float64 from the arrays' own elements.

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  finfo,
  type FloatDType,
  jit,
  memoryStats,
  type NDArray,
  numpy as jnp,
  random,
  rangeHistogram,
} from "@zenith/jax";
import { rangeStatistics, readRangeStatistics } from "../../src/ops/range_statistics.ts";
import { onBothBackends } from "../backends.ts";
import { recomputedError, recomputedRange } from "./recomputed_range.ts";

const floats: readonly FloatDType[] = ["float32", "float16", "bfloat16"];

/** Numbers over a wide range of exponents, among them zeros, infinities and NaN. */
function wideRange(size: number): NDArray {
  const [signs, exponents] = [...random.split(random.key(size))] as [NDArray, NDArray];
  const x = random.normal(signs, [size]).mul(
    jnp.exp2(random.uniform(exponents, [size], { minval: -60, maxval: 20 })),
  );
  const at = jnp.arange(size);
  const replaced = (x: NDArray, every: number, value: number) =>
    jnp.where(at.mod(every).equal(every - 1), value, x);
  return replaced(replaced(replaced(replaced(x, 7, 0), 31, Infinity), 37, NaN), 41, -Infinity);
}

for (const dtype of floats) {
  onBothBackends(`rangeHistogram() counts ${dtype} arrays as their elements say`, async () => {
    for (const size of [0, 1, 5, 1000, 20_003]) {
      const x = wideRange(size).astype(dtype);
      const range = await rangeHistogram(x);
      const expected = recomputedRange(await x.data(), dtype);
      assertEquals({ ...range, ...expected }, { ...range }, `${size} elements`);
    }
  });
}

onBothBackends("rangeHistogram() tells the limits of a type apart", async () => {
  for (const dtype of floats) {
    const { max, smallestNormal, smallestSubnormal } = finfo(dtype);
    const edge = [0, -0, smallestSubnormal, smallestNormal / 2, smallestNormal, 1, max / 4, max];
    const range = await rangeHistogram(jnp.array([...edge, Infinity, NaN], { dtype }));
    const { size, zero, subnormal, normal, nearMax, infinite, nan } = range;
    assertEquals([size, zero, subnormal, normal, nearMax, infinite, nan], [10, 2, 2, 4, 1, 1, 1]);
    assertEquals([range.minMagnitude, range.maxMagnitude], [smallestSubnormal, max]);
  }
});

onBothBackends("rangeHistogram() adds up a tree and measures it against another type", async () => {
  const tree = { w: jnp.array([2 ** -20, 0]), deep: [jnp.ones([3], { dtype: "bfloat16" })] };
  const range = await rangeHistogram({ ...tree, step: jnp.arange(3), rate: 2 ** -30 }, {
    dtype: "float16",
  });
  assertEquals([range.size, range.zero, range.subnormal, range.normal], [6, 1, 2, 3]);
  assertEquals(range.bins[44], 3);
  assertEquals([range.minMagnitude, range.maxMagnitude], [2 ** -30, 1]);
});

onBothBackends("rangeHistogram() suggests the power of two that brings gradients in", async () => {
  const scaleOf = async (numbers: readonly number[]) => {
    const { lossScale, reason } = await rangeHistogram(jnp.array(numbers));
    return [lossScale, reason] as const;
  };
  assertEquals((await scaleOf([2 ** -20, 2 ** -10]))[0], 64);
  assertEquals((await scaleOf([1, -0.5, 0]))[0], 1);
  assertEquals((await scaleOf([0]))[0], 1);
  // No scale serves both ends: the largest stays below half of 65504.
  const [scale, reason] = await scaleOf([2 ** -40, 2 ** -4]);
  assertEquals(scale, 2 ** 18);
  assert(reason.startsWith("float16 has 50 % below its smallest number"), reason);
  assertEquals((await scaleOf([2 ** 16]))[0], 0.25);
});

for (const dtype of floats) {
  onBothBackends(`statistics of ${dtype} against float32 are those of the definition`, async () => {
    const right = wideRange(9001);
    const x = right.mul(1.001).astype(dtype);
    const rows = rangeStatistics(x, right) as NDArray;
    const found = readRangeStatistics(await rows.data() as Uint32Array, x.size);
    const expected = recomputedError(await x.data(), await right.data(), dtype);
    assertEquals([found.flushed, found.overflowed], [expected.flushed, expected.overflowed]);
    assertEquals(found.maxUlps, expected.maxUlps);
    assertEquals(found.relativeError, expected.relativeError);
    const near = right.astype(dtype);
    const close = jnp.where(jnp.isfinite(near), right, 0);
    const again = rangeStatistics(close.astype(dtype), close) as NDArray;
    const { maxUlps, relativeError } = readRangeStatistics(await again.data() as Uint32Array, 9001);
    const both = recomputedError(await close.astype(dtype).data(), await close.data(), dtype);
    assertAlmostEquals(maxUlps, both.maxUlps, 1e-6);
    assertAlmostEquals(relativeError, both.relativeError, 1e-9);
    assert(maxUlps <= 0.5, `rounding is off by ${maxUlps} ulp`);
  });
}

onBothBackends(
  "rangeHistogram() leaves no arrays behind and says what it cannot look at",
  async () => {
    const x = jnp.ones([10]);
    const before = memoryStats().liveArrays;
    await rangeHistogram([x, 3]);
    assertEquals(memoryStats().liveArrays, before);
    await assertRejects(() => rangeHistogram({ n: jnp.arange(3) }), TypeError, "floating array");
    await assertRejects(
      () => rangeHistogram(x, { dtype: "int32" as never }),
      TypeError,
      "dtype must",
    );
    await assertRejects(() => rangeHistogram(x, { type: 1 } as never), TypeError, "unknown option");
    let traced: Promise<unknown> = Promise.resolve();
    jit((x: NDArray) => {
      traced = assertRejects(() => rangeHistogram(x), TypeError, "traced function");
      return x;
    })(x);
    await traced;
  },
);
