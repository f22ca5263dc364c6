// Measuring a task in several libraries: who gets figures and who does not.

import { assert, assertEquals } from "@std/assert";
import { type Engine, type Task, Unsupported } from "../../../bench/peers/engine.ts";
import { measureTask, NOT_OFFERED } from "../../../bench/peers/rows.ts";
import type { Precision } from "../../../bench/precision.ts";

const task: Task = {
  name: "softmax",
  functionName: "softmax",
  kind: "calls",
  label: "4",
  inputs: [{ shape: [4], values: new Float32Array([1, 2, 3, 4]) }],
  reference: ([x], at) => x.values[at],
  precisions: ["float32", "float16"],
  work: () => ({ amount: 1e6, unit: "GB/s" }),
};

/** A library that gives these elements, and counts what it made and freed. */
function engine(name: string, give: (precision: Precision) => number[]) {
  const count = { made: 0, freed: 0 };
  const library: Engine = {
    name,
    version: "1",
    prepare: (_task, precision) => {
      const elements = give(precision);
      count.made++;
      return Promise.resolve({
        run: () => Promise.resolve(),
        result: () => Promise.resolve(elements),
        dispose: () => void count.freed++,
      });
    },
  };
  return { library, count };
}

Deno.test("measureTask() gives no figures to a wrong result, a missing type or a failure", async () => {
  const right = engine("right", () => [1, 2, 3, 4]);
  const wrong = engine(
    "wrong",
    (precision) => precision === "float32" ? [1, 2, 3, 9] : [1, 2, 3, 4],
  );
  const partial = engine("partial", (precision) => {
    if (precision === "float16") throw new Unsupported("no float16");
    throw new Error("no luck");
  });
  const rows = await measureTask(
    task,
    [right, wrong, partial].map(({ library }) => library),
    { rounds: 1, sampleMs: 0, budgetMs: 0 },
  );
  assertEquals(rows.map(({ engine, precision, note }) => [engine, precision, note]), [
    ["right", "float32", undefined],
    ["right", "float16", undefined],
    ["wrong", "float32", "wrong result"],
    ["wrong", "float16", undefined],
    ["partial", "float32", "failed: no luck"],
    ["partial", "float16", NOT_OFFERED],
  ]);
  for (const { note, timing, rate } of rows) {
    assertEquals(timing === undefined, note !== undefined);
    assertEquals(rate === undefined, note !== undefined);
  }
  for (const { count } of [right, wrong]) {
    assert(count.made === 2);
    assertEquals(count.freed, count.made);
  }
});
