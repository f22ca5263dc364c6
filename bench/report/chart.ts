// An SVG chart of horizontal bars in groups: one panel a unit, one group a program, one bar a precision.
// It brings its own background and follows the reader's light or dark scheme, so it reads on any page.

import { niceTicks } from "./chart_scale.ts";

/** One bar. */
export interface Bar {
  /** The entry of the legend that it belongs to. */
  readonly series: string;
  readonly value: number;
  /** Written at the bar's end. */
  readonly label: string;
}

/** The bars that stand together. */
export interface BarGroup {
  readonly title: string;
  /** A second, fainter line. */
  readonly detail: string;
  readonly bars: readonly Bar[];
}

/** Groups that share an axis. */
export interface Panel {
  /** What the axis counts. */
  readonly unit: string;
  readonly groups: readonly BarGroup[];
}

/** All that a chart shows. */
export interface Chart {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly series: readonly string[];
  readonly panels: readonly Panel[];
  readonly notes: readonly string[];
}

/** Colours that people who see few colours can tell apart, on white and on near black. */
const SERIES = [
  { light: "#7d8894", dark: "#94a3b3" },
  { light: "#0072b2", dark: "#4aa8e8" },
  { light: "#d55e00", dark: "#f09a52" },
];

const WIDTH = 880;
const MARGIN = 28;
const BAR = 16;
const BAR_GAP = 3;
const GROUP_GAP = 18;
/** The mean width of a character at 13 pixels, on the wide side, since a file cannot measure its text. */
const CHARACTER = 7.4;
const LINE = 19;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function text(x: number, y: number, style: string, content: string, anchor = "start"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${style}" text-anchor="${anchor}">${
    escape(content)
  }</text>`;
}

function styles(): string {
  const fills = (scheme: "light" | "dark") =>
    SERIES.map((colours, i) => `.s${i}{fill:${colours[scheme]}}`).join("");
  const scheme = (background: string, border: string, ink: string, faint: string, grid: string) =>
    `.card{fill:${background};stroke:${border}}.ink,.title,.label{fill:${ink}}.faint{fill:${faint}}.grid{stroke:${grid}}.value{fill:${ink};stroke:${background}}`;
  return [
    "<style>",
    "text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}",
    ".title{font-size:19px;font-weight:600}.ink{font-weight:600}.faint,.label,.value{font-size:12px}",
    // A rim of the background's colour keeps grid lines out of the figures.
    ".value{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}",
    scheme("#ffffff", "#d8dee4", "#1f2328", "#59636e", "#e4e8ec") + fills("light"),
    `@media (prefers-color-scheme:dark){${
      scheme("#0f141a", "#30363d", "#e6edf3", "#9aa5b1", "#262d35")
    }${fills("dark")}}`,
    "</style>",
  ].join("\n");
}

function legend(series: readonly string[], y: number): string {
  let x = MARGIN;
  return series.map((name, i) => {
    const entry =
      `<rect x="${x.toFixed(1)}" y="${y - 11}" width="13" height="13" rx="3" class="s${i}"/>` +
      text(x + 19, y, "label", name);
    x += 19 + name.length * CHARACTER + 22;
    return entry;
  }).join("");
}

/** Where bars begin and end, the same in every panel so that the panels line up. */
interface Columns {
  readonly left: number;
  readonly right: number;
}

function columnsOf(panels: readonly Panel[]): Columns {
  const groups = panels.flatMap((panel) => panel.groups);
  const longest = (lines: readonly string[]) => Math.max(0, ...lines.map((line) => line.length));
  const labels = longest(groups.flatMap(({ title, detail }) => [title, detail]));
  const values = longest(groups.flatMap(({ bars }) => bars.map((bar) => bar.label)));
  return {
    left: MARGIN + labels * CHARACTER + 14,
    right: WIDTH - MARGIN - values * CHARACTER - 8,
  };
}

function groupHeight(group: BarGroup): number {
  return Math.max(2 * LINE, group.bars.length * (BAR + BAR_GAP) - BAR_GAP);
}

function drawGroup(
  group: BarGroup,
  top: number,
  { left, right }: Columns,
  largest: number,
  series: readonly string[],
): string {
  const barsHeight = group.bars.length * (BAR + BAR_GAP) - BAR_GAP;
  const middle = top + groupHeight(group) / 2;
  const parts = [
    text(left - 14, middle - 3, "ink", group.title, "end"),
    text(left - 14, middle + 14, "faint", group.detail, "end"),
  ];
  group.bars.forEach((bar, i) => {
    const y = middle - barsHeight / 2 + i * (BAR + BAR_GAP);
    const width = Math.max(1, bar.value / largest * (right - left));
    parts.push(
      `<rect x="${left.toFixed(1)}" y="${y.toFixed(1)}" width="${
        width.toFixed(1)
      }" height="${BAR}" rx="2" class="s${series.indexOf(bar.series)}"/>`,
      text(left + width + 7, y + BAR - 3.5, "value", bar.label),
    );
  });
  return parts.join("\n");
}

/** A panel from `top` down; returns its markup and where it ends. */
function drawPanel(
  panel: Panel,
  top: number,
  columns: Columns,
  series: readonly string[],
): [string, number] {
  const { left, right } = columns;
  const ticks = niceTicks(Math.max(...panel.groups.flatMap((g) => g.bars.map((b) => b.value))));
  const largest = ticks[ticks.length - 1];
  const bodyTop = top + LINE + 8;
  const heights = panel.groups.map(groupHeight);
  const bottom = bodyTop + heights.reduce((a, b) => a + b, 0) +
    GROUP_GAP * (heights.length - 1) + 10;
  const parts = [text(left, top + 8, "ink", panel.unit)];
  for (const tick of ticks) {
    const x = (left + tick / largest * (right - left)).toFixed(1);
    parts.push(
      `<line x1="${x}" x2="${x}" y1="${bodyTop - 8}" y2="${bottom.toFixed(1)}" class="grid"/>`,
      text(Number(x), bottom + 16, "faint", String(tick), "middle"),
    );
  }
  let y = bodyTop;
  panel.groups.forEach((group, i) => {
    parts.push(drawGroup(group, y, columns, largest, series));
    y += heights[i] + GROUP_GAP;
  });
  return [parts.join("\n"), bottom + 16];
}

/** Draws a chart as a file of its own. */
export function drawChart({ title, subtitle, series, panels, notes }: Chart): string {
  if (series.length > SERIES.length) {
    throw new RangeError(
      `Cannot draw a chart: at most ${SERIES.length} series have a colour, got ${series.length}`,
    );
  }
  const columns = columnsOf(panels);
  const parts = [text(MARGIN, 42, "title", title)];
  let y = 42;
  for (const line of subtitle) parts.push(text(MARGIN, y += LINE + 1, "faint", line));
  parts.push(legend(series, y += LINE + 10));
  y += LINE + 14;
  for (const panel of panels) {
    const [markup, end] = drawPanel(panel, y, columns, series);
    parts.push(markup);
    y = end + LINE + 14;
  }
  y -= 8;
  for (const line of notes) {
    parts.push(text(MARGIN, y, "faint", line));
    y += LINE - 1;
  }
  const height = Math.round(y + 6);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${
      escape(title)
    }">`,
    styles(),
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10" class="card"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}
