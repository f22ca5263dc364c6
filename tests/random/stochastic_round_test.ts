// Stochastic rounding: over every random word that can make a difference the mean is the number itself.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { finfo, jit, type NDArray, numpy as jnp, random, vmap } from "../../mod.ts";
import { asNDArray } from "../../src/array.ts";
import type { HalfDType } from "../../src/core/dtype.ts";
import { roundTo } from "../../src/core/half.ts";
import { roundByBits, stochasticRound } from "../../src/random/stochastic_round.ts";
import { onBothBackends } from "../backends.ts";

/** Words that stand for all others: the bits below make no difference to the numbers given. */
const strata: Readonly<Record<HalfDType, number>> = { float16: 2 ** 13, bfloat16: 2 ** 16 };

/** What every word of the strata rounds numbers to: one row a number. */
async function roundings(numbers: readonly number[], dtype: HalfDType): Promise<number[][]> {
  const count = strata[dtype];
  const words = Uint32Array.from({ length: count }, (_, i) => i * (2 ** 32 / count));
  const x = jnp.array(numbers.map((v) => [v]));
  const rounded = roundByBits(
    jnp.broadcastTo(x, [numbers.length, count]),
    jnp.broadcastTo(jnp.array(words), [numbers.length, count]),
    dtype,
  );
  const data = Array.from(await asNDArray(rounded).data(), Number);
  return numbers.map((_, i) => data.slice(i * count, (i + 1) * count));
}

/** Numbers between neighbours all over a type's range, with no more bits than the strata have. */
function numbersOf(dtype: HalfDType): number[] {
  const { eps, smallestNormal, smallestSubnormal, max } = finfo(dtype);
  const steps = [1.25, 0.5, 511 / 512, 1 + 1 / 256];
  const normal = steps.flatMap((s) => [1 + s * eps, -3 * (1 + s * eps), max * (1 - s * eps)]);
  const tiny = steps.flatMap((s) => [smallestNormal * (1 + s * eps), -5 * s * smallestSubnormal]);
  // A float32 device may flush its own subnormals, which are bfloat16's too.
  return dtype === "float16" ? [...normal, ...tiny, smallestSubnormal / 64] : normal;
}

for (const dtype of ["float16", "bfloat16"] satisfies HalfDType[]) {
  onBothBackends(`the mean of stochastic roundings to ${dtype} is the number`, async () => {
    const numbers = numbersOf(dtype).map(Math.fround);
    const rows = await roundings(numbers, dtype);
    rows.forEach((row, i) => {
      const x = numbers[i]!;
      const mean = row.reduce((a, b) => a + b, 0) / row.length;
      assertEquals(mean, x, `the mean for ${x}`);
      const neighbours = [...new Set(row)];
      assert(neighbours.length <= 2 && neighbours.every((v) => roundTo(dtype, v) === v));
      assert(neighbours.every((v) => Math.abs(v - x) < 2 * finfo(dtype).eps * Math.abs(x) + 1e-7));
    });
  });

  onBothBackends(`numbers of ${dtype} and what is beyond it round as they always do`, async () => {
    const { max, smallestNormal, eps } = finfo(dtype);
    const exact = [0, -0, 1, -1.5, max, -max, smallestNormal, Infinity, -Infinity, NaN];
    const beyond = [max * (1 + eps / 8), -max * (1 + eps / 8), max * (1 + eps / 3)].map(
      Math.fround,
    );
    const numbers = dtype === "float16" ? [...exact, ...beyond, 1e10, 5 * 2 ** -24] : exact;
    const rows = await roundings(numbers, dtype);
    rows.forEach((row, i) => {
      const wanted = roundTo(dtype, numbers[i]!);
      assert(row.every((v) => Object.is(v, wanted)), `${numbers[i]} became ${new Set(row)}`);
    });
  });
}

onBothBackends("stochasticRound() is the same under jit and draws anew for every key", async () => {
  const x = jnp.full([1000], 1 + 2 ** -9);
  const round = (key: NDArray) => stochasticRound(key, x, "bfloat16");
  const key = random.key(0);
  const [eager, jitted] = [await round(key).bits(), await jit(round)(key).bits()];
  assertEquals(jitted, eager);
  const rows = vmap(round)(random.split(key, 2));
  const ups = await rows.astype("float32").greater(1).astype("int32").sum({ axis: 1 }).toList();
  // A quarter of 1000 rounds up; 70 is five standard deviations.
  for (const up of ups as number[]) assert(Math.abs(up - 250) < 70, `${up} were rounded up`);
  assert(!await jnp.all(jnp.equal(rows.slice(0), rows.slice(1))).item());
});

onBothBackends("stochasticRound() takes float32 only", () => {
  const half = jnp.ones([2], { dtype: "float16" });
  assertThrows(
    () => stochasticRound(random.key(0), half, "bfloat16"),
    TypeError,
    "a float32 array",
  );
  return Promise.resolve();
});
