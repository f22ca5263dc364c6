// What is made of the rows of a comparison: verdicts and tables.

import { assertEquals } from "@std/assert";
import { judge } from "../../../bench/peers/bars.ts";
import { OURS } from "../../../bench/peers/engine.ts";
import { rowTable } from "../../../bench/peers/report.ts";
import { NOT_OFFERED, type Row } from "../../../bench/peers/rows.ts";
import type { Precision } from "../../../bench/precision.ts";

function row(task: string, engine: string, precision: Precision, ms: number): Row {
  const timing = { firstMs: 50, medianMs: ms, samples: [ms] };
  return { task, label: "4 x 4", engine, precision, timing, error: 1e-6 };
}

function without(task: string, engine: string, precision: Precision, note: string): Row {
  return { task, label: "4 x 4", engine, precision, note };
}

Deno.test("judge() compares with the faster peer in float32", () => {
  const rows = [
    row("softmax", OURS, "float32", 2),
    row("softmax", OURS, "float16", 1),
    row("softmax", "@jax-js/jax", "float32", 8),
    row("softmax", "@jax-js/jax", "float16", 0.1),
    row("softmax", "tfjs-webgpu", "float32", 7),
  ];
  assertEquals(judge(rows), [{
    task: "softmax",
    what: "float32, times faster than the faster peer",
    required: "at least 3.00x",
    measured: "3.50x",
    verdict: "pass",
  }]);
});

Deno.test("judge() takes the better half type against our own float32", () => {
  const rows = [
    row("matmul", OURS, "float32", 40),
    row("matmul", OURS, "float16", 39),
    row("matmul", OURS, "bfloat16", 32),
    row("matmul", "tfjs-webgpu", "float32", 300),
  ];
  assertEquals(judge(rows).map(({ measured, verdict }) => [measured, verdict]), [
    ["7.50x", "FAIL"],
    ["1.25x", "pass"],
  ]);
});

Deno.test("judge() holds a share of a peer's time and milliseconds to an upper bound", () => {
  const rows = [
    row("chain", OURS, "float32", 0.05),
    row("chain", "@jax-js/jax", "float32", 0.1),
    row("chain", "tfjs-webgpu", "float32", 0.01),
    row("scalar read", OURS, "float32", 0.7),
  ];
  assertEquals(
    judge(rows).map(({ required, measured, verdict }) => [required, measured, verdict]),
    [
      ["at most 0.60x", "0.50x", "pass"],
      ["at most 500 us", "700 us", "FAIL"],
    ],
  );
});

Deno.test("judge() does not pass what was not measured", () => {
  const rows = [
    row("softmax", OURS, "float32", 2),
    without("softmax", "tfjs-webgpu", "float32", "wrong result"),
  ];
  assertEquals(judge(rows).map(({ verdict }) => verdict), ["not measured"]);
});

Deno.test("rowTable() gathers the types that a library lacks in one line", () => {
  const { rows, columns } = rowTable([
    row("softmax", OURS, "float32", 2),
    row("softmax", "tfjs-webgpu", "float32", 8),
    without("softmax", "tfjs-webgpu", "float16", NOT_OFFERED),
    without("softmax", "tfjs-webgpu", "bfloat16", NOT_OFFERED),
    without("chain", "@jax-js/jax", "float32", "wrong result"),
  ]);
  assertEquals(rows, [
    ["softmax", "4 x 4", OURS, "float32", "2.00 ms", "", "1.00x", "1.0e-6", "50.0 ms"],
    ["", "", "tfjs-webgpu", "float32", "8.00 ms", "", "4.00x", "1.0e-6", "50.0 ms"],
    ["", "", "tfjs-webgpu", "float16, bfloat16", NOT_OFFERED, "", "", "", ""],
    ["chain", "4 x 4", "@jax-js/jax", "float32", "wrong result", "", "", "", ""],
  ]);
  assertEquals(rows.every((cells) => cells.length === columns.length), true);
});
