// The page and the picture of a report, in a browser: everything is drawn, and nothing lies over anything else.

import { assert, assertEquals } from "@std/assert";
import { init, type NDArray, nn, numericsReport, random } from "@zenith/jax";
import { browserTest, evaluateInPage } from "../browser.ts";

/** What the browser found. */
interface Drawn {
  readonly texts: number;
  readonly bars: number;
  readonly outlines: number;
  readonly tableRows: number;
  readonly outside: readonly string[];
  readonly overlapping: readonly string[];
  readonly pageWidth: number;
}

const measure = `(() => {
  const svg = document.querySelector("svg");
  const { width, height } = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll("text")].map((t) => ({ name: t.textContent, box: t.getBBox() }));
  const outside = texts.filter(({ box }) =>
    box.x < 0 || box.y < 0 || box.x + box.width > width || box.y + box.height > height);
  const meets = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width &&
    a.y + 2 < b.y + b.height && b.y + 2 < a.y + a.height;
  const overlapping = texts.filter((a, i) => texts.some((b, j) => j > i && meets(a.box, b.box)));
  return {
    texts: texts.length,
    bars: svg.querySelectorAll('rect[fill="#33475b"]').length,
    outlines: svg.querySelectorAll('rect[fill="none"]').length,
    tableRows: document.querySelectorAll("tbody tr").length,
    outside: outside.map(({ name }) => name),
    overlapping: overlapping.map(({ name }) => name),
    pageWidth: document.documentElement.scrollWidth,
  };
})()`;

browserTest("the page of a report draws every row within its place", async () => {
  await init({ backend: "cpu" });
  const block = nn.transformerBlock({ features: 8, numHeads: 2 });
  const params = { encoder: block.init(random.key(0)) };
  const loss = (p: typeof params, x: NDArray) =>
    block.apply(p.encoder, x).square().mean().mul(1e-4);
  const x = random.normal(random.key(1), [2, 4, 8]).mul(1e4);
  const report = await numericsReport(loss, [params, x], { gradients: true });
  const drawn = await evaluateInPage(report.html(), measure) as Drawn;
  assertEquals([drawn.outside, drawn.overlapping], [[], []]);
  assertEquals(drawn.tableRows, Math.min(report.rows.length, 200));
  const rows = report.rows.slice(0, 40);
  // One bar an exponent that occurs, and one in the legend.
  const bars = rows.reduce((sum, { bins }) => sum + bins.filter((count) => count > 0).length, 1);
  assertEquals(drawn.bars, bars);
  assert(drawn.outlines > 0, "gradients times the loss scale are drawn");
  assert(drawn.texts >= 4 * rows.length);
  assert(drawn.pageWidth <= 1200, `the page is ${drawn.pageWidth} wide`);
});
