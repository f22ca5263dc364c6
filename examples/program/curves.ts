// Training curves as an SVG: panels one below the other, each with a curve a policy. It follows the reader's
// light or dark scheme.

/** How something went with the progress of a training. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [progress: number, value: number])[];
}

/** Curves over one axis; the same name has the same colour in every panel. */
export interface Panel {
  readonly title: string;
  /** Marks on the axis, from the lowest to the highest value shown. */
  readonly marks: readonly number[];
  readonly logarithmic: boolean;
  readonly curves: readonly Curve[];
}

/** Colours and dashes that tell curves apart where they lie on one another, and for who sees few colours. */
const SERIES = [
  { light: "#7d8894", dark: "#94a3b3", dash: "" },
  { light: "#0072b2", dark: "#4aa8e8", dash: "7 5" },
  { light: "#d55e00", dark: "#f09a52", dash: "2 4" },
];

const WIDTH = 720;
const LEFT = 64;
const RIGHT = WIDTH - 28;
const FIRST_PANEL = 78;
const PANEL_HEIGHT = 190;
const PANEL_DISTANCE = 252;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function text(x: number, y: number, style: string, content: string, anchor = "start"): string {
  return `<text x="${x}" y="${y}" class="${style}" text-anchor="${anchor}">${
    escape(content)
  }</text>`;
}

function styles(): string {
  const strokes = (scheme: "light" | "dark") =>
    SERIES.map((series, i) => `.s${i}{stroke:${series[scheme]}}`).join("");
  const scheme = (background: string, ink: string, faint: string, grid: string) =>
    `.card{fill:${background}}.title{fill:${ink}}.faint{fill:${faint}}.grid{stroke:${grid}}`;
  return [
    "<style>",
    "text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}",
    ".title{font-weight:600}.faint{font-size:12px}",
    ".curve{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}",
    ...SERIES.map(({ dash }, i) => dash && `.s${i}{stroke-dasharray:${dash}}`),
    scheme("#ffffff", "#1f2328", "#59636e", "#e4e8ec") + strokes("light"),
    `@media (prefers-color-scheme:dark){${scheme("#0f141a", "#e6edf3", "#9aa5b1", "#262d35")}${
      strokes("dark")
    }}`,
    "</style>",
  ].filter(Boolean).join("\n");
}

/** Powers of ten around all values that are finite. */
export function decades(values: readonly number[]): number[] {
  const exponents = values.filter(Number.isFinite).map((value) =>
    Math.log10(Math.max(value, 1e-12))
  );
  if (exponents.length === 0) return [0.1, 1];
  const lowest = Math.floor(Math.min(...exponents));
  const highest = Math.max(Math.ceil(Math.max(...exponents)), lowest + 1);
  return Array.from({ length: highest - lowest + 1 }, (_, i) => 10 ** (lowest + i));
}

/** Tenths from one below all values up to 1. */
export function tenths(values: readonly number[]): number[] {
  const lowest = Math.min(9, Math.floor(10 * Math.min(...values)));
  return Array.from({ length: 11 - lowest }, (_, i) => (lowest + i) / 10);
}

/** Round numbers from the least to the most of a range, about ten of them. */
function roundSteps(least: number, most: number): number[] {
  const rough = Math.max((most - least) / 10, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough)!;
  const first = Math.ceil(least / step);
  const count = Math.floor(most / step) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

function drawPanel({ title, marks, logarithmic, curves }: Panel, top: number): string[] {
  const scale = (value: number) => logarithmic ? Math.log10(Math.max(value, marks[0])) : value;
  const lowest = scale(marks[0]);
  const highest = scale(marks[marks.length - 1]);
  const progress = curves.flatMap(({ points }) => points.map(([at]) => at));
  const [first, last] = [Math.min(...progress), Math.max(...progress)];
  const x = (at: number) =>
    LEFT + (RIGHT - LEFT) * (last > first ? (at - first) / (last - first) : 0.5);
  const y = (value: number) => top + PANEL_HEIGHT * (highest - scale(value)) / (highest - lowest);
  const path = ({ points }: Curve) => {
    const finite = points.filter(([, value]) => Number.isFinite(value));
    const places = finite.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
    // The line of no length at the end makes a dot of a curve of one point.
    return places.length === 0 ? "" : `M${places.join("L")}h0`;
  };
  return [
    text(LEFT, top - 14, "title", title),
    ...marks.flatMap((mark) => [
      `<line x1="${LEFT}" x2="${RIGHT}" y1="${y(mark).toFixed(1)}" y2="${
        y(mark).toFixed(1)
      }" class="grid"/>`,
      text(LEFT - 10, Math.round(y(mark)) + 4, "faint", String(mark), "end"),
    ]),
    ...roundSteps(first, last).map((at) =>
      text(Math.round(x(at)), top + PANEL_HEIGHT + 18, "faint", String(at), "middle")
    ),
    ...curves.map((curve, i) => `<path d="${path(curve)}" class="curve s${i % SERIES.length}"/>`),
  ];
}

function legend(curves: readonly Curve[]): string[] {
  return curves.flatMap(({ name }, i) => {
    const x = LEFT + i * 200;
    return [
      `<path d="M${x} 30h36" class="curve s${i % SERIES.length}"/>`,
      text(x + 44, 34, "title", name),
    ];
  });
}

/** The panels as a self-contained SVG; `axis` is what the progress is counted in. */
export function drawCurves(panels: readonly Panel[], axis: string): string {
  const height = FIRST_PANEL + PANEL_DISTANCE * panels.length - 22;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">`,
    styles(),
    `<rect width="${WIDTH}" height="${height}" rx="10" class="card"/>`,
    ...legend(panels[0].curves),
    ...panels.flatMap((panel, i) => drawPanel(panel, FIRST_PANEL + PANEL_DISTANCE * i)),
    text(RIGHT, height - 10, "faint", axis, "end"),
    "</svg>\n",
  ].join("\n");
}
