// The table of experiments and their verdicts.

import { assertEquals } from "@std/assert";
import { EXPERIMENTS, verdictOf } from "../../bench/experiments/experiments.ts";
import { experimentColumns, experimentRows } from "../../bench/experiments/report.ts";

Deno.test("a run is judged by what is left of its first loss", () => {
  const verdict = (lastLoss: number) => verdictOf({ name: "", firstLoss: 2, lastLoss }, 1e-3);
  assertEquals([0, 2e-3].map(verdict), ["converges", "converges"]);
  assertEquals([2.1e-3, 1.9].map(verdict), ["stalls", "stalls"]);
  assertEquals([1.99, 2, 3, NaN, Infinity].map(verdict), Array(5).fill("learns nothing"));
});

Deno.test("the experiments' rows name each experiment once", () => {
  const [a, b] = EXPERIMENTS.map(({ name }) => name);
  const run = {
    steps: 20,
    name: "float32",
    firstLoss: 1,
    lastLoss: 0,
    verdict: "converges",
  } as const;
  const rows = experimentRows([
    { ...run, experiment: a },
    { ...run, experiment: a, name: "float16" },
    { ...run, experiment: b },
  ]);
  assertEquals(rows, [
    [a, "20", "float32", "1.0e+0", "0", "converges"],
    ["", "", "float16", "1.0e+0", "0", "converges"],
    [b, "20", "float32", "1.0e+0", "0", "converges"],
  ]);
  assertEquals(rows[0].length, experimentColumns.length);
});
