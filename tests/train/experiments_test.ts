// The experiments on what half precision loses, in short form.

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  gradientUnderflow,
  type UnderflowRun,
} from "../../bench/experiments/gradient_underflow.ts";
import { normOverflow } from "../../bench/experiments/norm_overflow.ts";
import { onBothBackends } from "../backends.ts";

const lossRatio = ({ firstLoss, lastLoss }: UnderflowRun) => lastLoss / firstLoss;

onBothBackends(
  "gradients that float16 flushes to zero come through with a loss scale",
  async () => {
    const [full, unscaled, ...scaled] = await gradientUnderflow(200);
    assert(lossRatio(full) < 1e-6, JSON.stringify(full));
    assertEquals(unscaled.firstGradNorm, 0);
    assertEquals(unscaled.moved, 0);
    assertEquals(lossRatio(unscaled), 1);
    for (const run of scaled) {
      assertEquals(run.moved, run.weights, run.name);
      assert(Math.abs(run.firstGradNorm / full.firstGradNorm - 1) < 0.01, JSON.stringify(run));
      assert(lossRatio(run) < 1e-6, JSON.stringify(run));
    }
  },
);

onBothBackends(
  "layer norm learns from features of +-800 where one taken in float16 learns nothing",
  async () => {
    const runs = await normOverflow(40);
    const byHand = runs.pop()!;
    for (const run of runs) {
      assertEquals([run.accuracy, run.skipped], [1, 0], JSON.stringify(run));
      assert(run.lastLoss < 0.2 * run.firstLoss, JSON.stringify(run));
    }
    // The loss of knowing nothing about four classes, from the first step to the last.
    assertAlmostEquals(byHand.firstLoss, Math.log(4), 1e-5);
    assertAlmostEquals(byHand.lastLoss, Math.log(4), 1e-5);
    assertEquals([byHand.accuracy, byHand.skipped], [0.25, 0]);
  },
);
