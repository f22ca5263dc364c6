// Range statistics of any bit patterns in every floating format, against their definition in float64.

import { assertEquals } from "@std/assert";
import type { FloatDType } from "@zenith/jax";
import { rangeStatisticsKernel, rangeWords } from "../../kernels/statistics/range_statistics.ts";
import { baselineTarget } from "../../kernels/target.ts";
import { rangeDescription, readRangeStatistics } from "../../src/ops/range_statistics.ts";
import { recomputedError, recomputedRange } from "../numerics/recomputed_range.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { bytesOf, randomBits, toNumbers } from "./random_elements.ts";
import { openKernelDevice } from "./run_kernel.ts";
import { formatsOf, runSequence, singleStep } from "./run_sequence.ts";

/** One element, a part of a vector, several rows of the result with a last one that is shorter. */
const sizes = [1, 5, 1000, 20_003];

webgpuTest(
  "range statistics of any bits, alone and against float32, are those of the definition",
  async () => {
    const { target } = await openKernelDevice();
    for (const format of formatsOf(target)) {
      const dtype = format.replace(/_.*/, "") as FloatDType;
      if (!["float32", "float16", "bfloat16"].includes(dtype)) continue;
      for (const size of sizes) {
        const description = { ...rangeDescription([size], { dtype }), format };
        const result = { format: "uint32", size: description.parts * rangeWords } as const;
        const bits = randomBits(format, size, size);
        const numbers = toNumbers(format, bits);
        const place = `${size} of ${format}`;

        const alone = rangeStatisticsKernel(description, target);
        const [rows] = await runSequence(singleStep(alone, 1), [bytesOf(bits)], [result]);
        const found = readRangeStatistics(new Uint32Array(rows!.buffer), size);
        assertEquals({ ...found, ...recomputedRange(numbers, dtype) }, found, place);

        const expected = randomBits("float32", size, size + 1);
        const right = toNumbers("float32", expected);
        const against = rangeStatisticsKernel({ ...description, reference: "float32" }, target);
        const inputs = [bytesOf(bits), bytesOf(expected)];
        const [both] = await runSequence(singleStep(against, 2), inputs, [result]);
        const compared = readRangeStatistics(new Uint32Array(both!.buffer), size);
        const { flushed, overflowed } = recomputedError(numbers, right, dtype);
        assertEquals([compared.flushed, compared.overflowed], [flushed, overflowed], place);
        const { bins, minMagnitude, maxMagnitude } = recomputedRange(right, dtype);
        assertEquals(
          [compared.bins, compared.minMagnitude, compared.maxMagnitude],
          [bins, minMagnitude, maxMagnitude],
          place,
        );
        assertEquals([compared.zero, compared.nan], [found.zero, found.nan], place);
      }
    }
  },
);

Deno.test("the text of range statistics depends on formats alone", () => {
  const text = (size: number, dtype: FloatDType) =>
    rangeStatisticsKernel(
      { ...rangeDescription([size], { dtype }), format: "float32" },
      baselineTarget,
    ).code;
  assertEquals(text(10, "float16"), text(100_000, "bfloat16"));
});
