// Measurements as rows, chart and saved files.

import { pathToFileURL } from "node:url";
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Precision, Work } from "../../bench/precision.ts";
import { compare, measurementColumns, measurementRows } from "../../bench/report/measurement.ts";
import { drawMeasurements } from "../../bench/report/measurement_chart.ts";
import { composeMarkdown, fileStem, saveReport, toJson } from "../../bench/report/results.ts";
import { wrap } from "../../bench/report/wrap.ts";
import { describeEnvironment } from "../../bench/run/environment.ts";

function measured(precision: Precision, work: Work, ms: number) {
  const timing = { firstMs: 100, medianMs: ms, samples: [ms] };
  return { precision, work, timing, memory: { peakBytes: 4096, tempBytes: 512 }, error: 1e-4 };
}

const products: Work = { amount: 1e9, unit: "GFLOP/s" };
const matmul = compare({ program: "matmul", shape: "64 x 64 x 64" }, [
  measured("float32", products, 20),
  measured("float16", products, 10),
]);
const softmax = compare({ program: "softmax", shape: "64 x 64" }, [
  measured("float32", { amount: 8e6, unit: "GB/s" }, 4),
  measured("float16", { amount: 4e6, unit: "GB/s" }, 2),
]);

Deno.test("compare() relates every precision to the first", () => {
  assertEquals(matmul.map(({ rate }) => rate), [50, 100]);
  assertEquals(matmul.map(({ speedup }) => speedup), [1, 2]);
});

Deno.test("measurementRows() names operation and shape once a group", () => {
  const rows = measurementRows([...matmul, ...softmax]);
  assertEquals(rows.map((row) => row.slice(0, 3)), [
    ["matmul", "64 x 64 x 64", "float32"],
    ["", "", "float16"],
    ["softmax", "64 x 64", "float32"],
    ["", "", "float16"],
  ]);
  assertEquals(rows[1], [
    "",
    "",
    "float16",
    "10.0 ms",
    "100 GFLOP/s",
    "4.00 KiB",
    "512 B",
    "1.0e-4",
    "2.00x",
    "",
    "100 ms",
  ]);
  assertEquals(rows.every((row) => row.length === measurementColumns.length), true);
});

/** The widths of the bars of one series. */
function barWidths(svg: string, series: number): number[] {
  const bars = svg.matchAll(/width="([\d.]+)" height="16" rx="2" class="s(\d)"/g);
  return [...bars].filter((bar) => Number(bar[2]) === series).map((bar) => Number(bar[1]));
}

Deno.test("the chart's bars are as long as programs are fast, whatever the bytes of an element", () => {
  const svg = drawMeasurements([...matmul, ...softmax], ["an adapter <of mine>"]);
  const [float32, float16] = [0, 1].map((series) => barWidths(svg, series));
  assertEquals(float32.length, 2);
  // Twice as fast, though softmax moves as many bytes a second in both types.
  float32.forEach((width, i) => assertEquals(Math.round(float16[i] / width * 100), 200));
  assertStringIncludes(svg, "an adapter &lt;of mine&gt;");
  assertStringIncludes(svg, "64 \u00d7 64 \u00d7 64");
  assertStringIncludes(svg, "2.00 GB/s, 2.00x");
});

Deno.test("wrap() breaks lines between words", () => {
  assertEquals(wrap("one two three", 8), ["one two", "three"]);
  assertEquals(wrap("", 8), [""]);
});

Deno.test("fileStem() makes a file's name of an adapter's", () => {
  assertEquals(fileStem("llvmpipe (LLVM 15.0.6, 256 bits)"), "llvmpipe-llvm-15-0-6-256-bits");
  assertEquals(fileStem("()"), "unknown");
});

Deno.test("toJson() keeps four digits of a fraction and all of an integer", () => {
  const text = toJson({ ms: 1.23456789, bytes: 12582912, name: "1.23456789" });
  assertEquals(JSON.parse(text), { ms: 1.235, bytes: 12582912, name: "1.23456789" });
});

Deno.test("saveReport() keeps what other tools saved for the adapter", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const environment = describeEnvironment({ name: "An Adapter", backend: "cpu", software: true });
    const report = (figure: number) => ({ environment, date: "2025-01-01", data: [figure] });
    const url = new URL("results/", pathToFileURL(`${folder}/`));
    await saveReport("benchmark", report(1), "old", url);
    await saveReport("peers", report(2), "beside others", url);
    const { json, markdown } = await saveReport("benchmark", report(3), "new", url);
    const saved = JSON.parse(await Deno.readTextFile(json));
    assertEquals(Object.keys(saved), ["benchmark", "peers"]);
    assertEquals([saved.benchmark.data, saved.peers.data], [[3], [2]]);
    assertEquals(markdown, new URL("an-adapter.benchmark.md", url));
    assertEquals(await Deno.readTextFile(markdown), "new");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("composeMarkdown() breaks prose as the formatter does", () => {
  const words = Array.from({ length: 21 }, () => "word").join(" ");
  assertEquals(
    composeMarkdown("Title", ["A paragraph."], ["| a |"], [words, "note"]),
    `# Title\n\nA paragraph.\n\n| a |\n\n- ${words.slice(0, 94)}\n  word word\n- note\n`,
  );
});
