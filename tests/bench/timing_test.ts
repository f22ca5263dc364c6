// The order of interleaved timing and what is made of its samples; no figure here depends on time.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { callsFor, median, medianRatio, timeInterleaved } from "../../bench/run/timing.ts";

/** Contenders that do nothing but write down their turns. */
function recorders(names: readonly string[]) {
  const turns: string[] = [];
  const contenders = names.map((name) => ({
    run: (calls: number) => {
      turns.push(`${name}${calls}`);
      return Promise.resolve();
    },
  }));
  return { turns, contenders };
}

Deno.test("median() is the middle, or the mean of the two in the middle", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([10, 1, 2, 4]), 3);
  assertThrows(() => median([]), RangeError, "there are no values");
});

Deno.test("medianRatio() compares within rounds, so that a change of load between them cancels", () => {
  const timing = (samples: number[]) => ({ firstMs: 1, medianMs: median(samples), samples });
  assertEquals(medianRatio(timing([60, 30, 9]), timing([20, 10, 3])), 3);
  // Medians alone would say 1: 10 against 10.
  assertEquals(medianRatio(timing([10, 100, 4]), timing([5, 50, 10])), 2);
});

Deno.test("callsFor() fills a sample, with at least one call and a bound", () => {
  assertEquals(callsFor(100, 30), 4);
  assertEquals(callsFor(100, 5000), 1);
  assertEquals(callsFor(0, 1), 1);
  assertEquals(callsFor(100, 0), 500);
});

Deno.test("timeInterleaved() warms every contender up, then lets them take turns in either direction", async () => {
  const { turns, contenders } = recorders(["a", "b"]);
  const rounds: number[] = [];
  const timings = await timeInterleaved(contenders, {
    rounds: 2,
    sampleMs: 0,
    budgetMs: 1e9,
    calls: 5,
    afterRound: (round) => rounds.push(round),
  });
  assertEquals(turns, ["a1", "b1", "a5", "b5", "b5", "a5"]);
  assertEquals(rounds, [1, 2]);
  assertEquals(timings.map(({ samples }) => samples.length), [2, 2]);
  for (const { medianMs, samples } of timings) assertEquals(medianMs, median(samples));
});

Deno.test("timeInterleaved() out of budget ends after the third round", async () => {
  const { contenders } = recorders(["a"]);
  const [{ samples }] = await timeInterleaved(contenders, {
    rounds: 50,
    sampleMs: 0,
    budgetMs: -1,
  });
  assertEquals(samples.length, 3);
  assert(samples.every((ms) => ms >= 0));
});
