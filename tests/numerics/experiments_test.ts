// The experiments on what half precision loses: the report names the cause of each.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  applyMixedPrecision,
  findNonFiniteOrigin,
  grad,
  type NDArray,
  numericsReport,
  numpy as jnp,
  optim,
} from "@zenith/jax";
import { loss, problem } from "../../bench/experiments/gradient_underflow.ts";
import { data, handWrittenNorm, libraryNorm } from "../../bench/experiments/norm_overflow.ts";
import { regression, solution } from "../../bench/experiments/stalled_weights.ts";
import { onBothBackends } from "../backends.ts";

onBothBackends(
  "gradients that float16 flushes are named, and a scale that keeps them",
  async () => {
    const options = { policies: ["mixed_float16"], gradients: true };
    const report = await numericsReport(loss, problem(), options);
    const halves = (rows: typeof report.rows) =>
      rows.filter((row) => row.pass === "backward" && row.dtype === "float16");
    const lost = halves(report.rows);
    assert(lost.length > 5);
    // Before they are scaled down they are subnormal still, and nothing is left of them afterwards.
    assertEquals(lost.filter((row) => row.flushedShare < 1 && row.subnormalShare < 1), []);
    assertEquals(report.rows[0]!.flushedShare, 1);
    assertStringIncludes(report.rows[0]!.source, "gradient_underflow.ts:");
    const [{ scale }] = report.lossScales as [typeof report.lossScales[number]];
    assert(scale >= 1024 && scale <= 2 ** 40, `a scale of ${scale}`);
    const scaled = (...args: Parameters<typeof loss>) => loss(...args).mul(scale);
    const repaired = halves((await numericsReport(scaled, problem(), options)).rows);
    for (const row of repaired) {
      assert(row.flushedShare < 0.01 && row.overflowShare === 0, `${row.op} at ${row.source}`);
    }
  },
);

onBothBackends("updates below half an ulp of the weights are named", async () => {
  const objective = regression();
  const { init, update } = optim.sgd(0.02);
  const step = (w: NDArray) => {
    const [updates] = update(grad(objective)(w), init(w), w) as [NDArray, unknown];
    return optim.applyUpdates(w, updates);
  };
  // Near the solution the gradient is small, and the weights are not.
  const near = jnp.array(solution.map((w) => w * 1.03125));
  for (const dtype of ["bfloat16", "float32"] as const) {
    const { rows } = await numericsReport(step, [near.astype(dtype)], { policies: [] });
    const stalled = rows.filter((row) => row.stalledShare > 0);
    assertEquals(stalled.length, dtype === "bfloat16" ? 1 : 0, dtype);
    if (dtype !== "bfloat16") continue;
    const [worst] = rows;
    assert(worst!.stalledShare > 0.7);
    assertEquals([worst!.op, worst!.dtype, worst!.flushedShare], ["astype", "bfloat16", 0]);
    assertStringIncludes(worst!.source, "experiments_test.ts:");
  }
});

onBothBackends("an overflow that a variance absorbs is named though nothing is NaN", async () => {
  const [x] = data();
  const ones = jnp.ones([x.shape[1]!]);
  const zeros = jnp.zeros([x.shape[1]!]);
  const options = { policies: ["mixed_float16"] };
  const { rows } = await numericsReport(handWrittenNorm, [x, ones, zeros], options);
  const [worst, next] = rows;
  assertEquals([worst!.op, worst!.overflowShare, worst!.dtype], ["square", 1, "float16"]);
  assertStringIncludes(worst!.source, "norm_overflow.ts:");
  assertEquals([next!.op, next!.absorbedOverflow, next!.nonFinite], ["rsqrt", true, 0]);
  assertEquals(rows.filter((row) => row.absorbedOverflow).length, 1);
  // What comes out is finite, so that nothing but the search finds it.
  const half = applyMixedPrecision(handWrittenNorm, { dtype: "float16" });
  const origin = await findNonFiniteOrigin(half, [x, ones, zeros]);
  assertEquals([origin?.op, origin?.infinite, origin?.nan], ["square", x.size, 0]);
  const library = await numericsReport(libraryNorm, [x, ones, zeros], options);
  assertEquals(library.rows.filter((row) => row.absorbedOverflow || row.overflowShare > 0), []);
});
