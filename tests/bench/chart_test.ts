// The chart's scale and its layout.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Chart, drawChart } from "../../bench/report/chart.ts";
import { niceTicks } from "../../bench/report/chart_scale.ts";

Deno.test("niceTicks() are round numbers that cover the largest value", () => {
  assertEquals(niceTicks(59.7), [0, 20, 40, 60]);
  assertEquals(niceTicks(100), [0, 20, 40, 60, 80, 100]);
  assertEquals(niceTicks(0.27), [0, 0.1, 0.2, 0.3]);
  assertEquals(niceTicks(1e-3), [0, 0.0002, 0.0004, 0.0006, 0.0008, 0.001]);
});

Deno.test("niceTicks() of nothing still make a scale", () => {
  for (const nothing of [0, NaN, Infinity, -1]) assertEquals(niceTicks(nothing), [0, 1]);
});

const chart: Chart = {
  title: "Speed",
  subtitle: ["an adapter"],
  series: ["one", "two"],
  panels: [1, 2].map((panel) => ({
    unit: `unit ${panel}`,
    groups: ["a", "a rather long title of a group"].map((title) => ({
      title,
      detail: "4 x 4",
      bars: ["one", "two"].map((series, i) => ({
        series,
        value: i + 1,
        label: `${i + 1} of them`,
      })),
    })),
  })),
  notes: ["a note"],
};

interface Text {
  readonly x: number;
  readonly y: number;
  readonly content: string;
}

function textsOf(svg: string): Text[] {
  const found = svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</g);
  return [...found].map(([, x, y, content]) => ({ x: Number(x), y: Number(y), content }));
}

Deno.test("drawChart() keeps every text inside and no two on one another", () => {
  const svg = drawChart(chart);
  const [, width, height] = svg.match(/viewBox="0 0 (\d+) (\d+)"/)!.map(Number);
  const texts = textsOf(svg);
  assert(texts.every(({ x, y }) => x > 0 && x < width && y > 0 && y < height));
  // Lines of text are 13 pixels high: in one column they stand further apart than that.
  for (const one of texts) {
    for (const other of texts) {
      if (one === other || one.x !== other.x) continue;
      assert(Math.abs(one.y - other.y) >= 13, `${one.content} and ${other.content} overlap`);
    }
  }
});

Deno.test("drawChart() starts all bars of a chart on one line", () => {
  const starts = [...drawChart(chart).matchAll(/<rect x="([\d.]+)"[^>]*height="16"/g)];
  assertEquals(starts.length, 8);
  assertEquals(new Set(starts.map(([, x]) => x)).size, 1);
});

Deno.test("drawChart() refuses more series than it has colours", () => {
  assertThrows(
    () => drawChart({ ...chart, series: ["1", "2", "3", "4"] }),
    RangeError,
    "at most 3 series have a colour, got 4",
  );
});
