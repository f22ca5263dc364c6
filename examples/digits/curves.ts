// Training curves as an SVG: the loss and the test accuracy of each policy over the epochs. It follows the
// reader's light or dark scheme.

/** One policy's curves, a point an epoch. */
export interface Curve {
  readonly name: string;
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
}

interface Panel {
  readonly title: string;
  readonly top: number;
  /** Marks on the axis, from the lowest to the highest value shown. */
  readonly marks: readonly number[];
  readonly valuesOf: (curve: Curve) => readonly number[];
  readonly logarithmic: boolean;
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
const PANEL_HEIGHT = 190;
const HEIGHT = 560;

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
function decades(values: readonly number[]): number[] {
  const exponents = values.filter(Number.isFinite).map((value) =>
    Math.log10(Math.max(value, 1e-12))
  );
  if (exponents.length === 0) return [0.1, 1];
  const lowest = Math.floor(Math.min(...exponents));
  const highest = Math.max(Math.ceil(Math.max(...exponents)), lowest + 1);
  return Array.from({ length: highest - lowest + 1 }, (_, i) => 10 ** (lowest + i));
}

/** Tenths from one below all values up to 1. */
function tenths(values: readonly number[]): number[] {
  const lowest = Math.min(9, Math.floor(10 * Math.min(...values)));
  return Array.from({ length: 11 - lowest }, (_, i) => (lowest + i) / 10);
}

function drawPanel(panel: Panel, curves: readonly Curve[]): string[] {
  const scale = (value: number) =>
    panel.logarithmic ? Math.log10(Math.max(value, panel.marks[0])) : value;
  const lowest = scale(panel.marks[0]);
  const highest = scale(panel.marks[panel.marks.length - 1]);
  const epochs = Math.max(...curves.map((curve) => curve.loss.length));
  const x = (epoch: number) =>
    LEFT + (RIGHT - LEFT) * (epochs > 1 ? (epoch - 1) / (epochs - 1) : 0.5);
  const y = (value: number) =>
    panel.top + PANEL_HEIGHT * (highest - scale(value)) / (highest - lowest);
  const path = (values: readonly number[]) => {
    const points = values.flatMap((value, i) =>
      Number.isFinite(value) ? [`${x(i + 1).toFixed(1)} ${y(value).toFixed(1)}`] : []
    );
    // The line of no length at the end makes a dot of a curve of one point.
    return points.length === 0 ? "" : `M${points.join("L")}h0`;
  };
  const step = Math.max(1, Math.ceil(epochs / 10));
  const numbered = Array.from({ length: Math.ceil(epochs / step) }, (_, i) => 1 + i * step);
  return [
    text(LEFT, panel.top - 14, "title", panel.title),
    ...panel.marks.flatMap((mark) => [
      `<line x1="${LEFT}" x2="${RIGHT}" y1="${y(mark).toFixed(1)}" y2="${
        y(mark).toFixed(1)
      }" class="grid"/>`,
      text(LEFT - 10, Math.round(y(mark)) + 4, "faint", String(mark), "end"),
    ]),
    ...numbered.map((epoch) =>
      text(Math.round(x(epoch)), panel.top + PANEL_HEIGHT + 18, "faint", String(epoch), "middle")
    ),
    ...curves.map((curve, i) =>
      `<path d="${path(panel.valuesOf(curve))}" class="curve s${i % SERIES.length}"/>`
    ),
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

/** The curves as a self-contained SVG. */
export function drawCurves(curves: readonly Curve[]): string {
  const panels: Panel[] = [
    {
      title: "training loss, the mean of each epoch",
      top: 78,
      marks: decades(curves.flatMap((curve) => curve.loss)),
      valuesOf: (curve) => curve.loss,
      logarithmic: true,
    },
    {
      title: "test accuracy",
      top: 330,
      marks: tenths(curves.flatMap((curve) => curve.accuracy)),
      valuesOf: (curve) => curve.accuracy,
      logarithmic: false,
    },
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">`,
    styles(),
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="10" class="card"/>`,
    ...legend(curves),
    ...panels.flatMap((panel) => drawPanel(panel, curves)),
    text(RIGHT, HEIGHT - 10, "faint", "epoch", "end"),
    "</svg>\n",
  ].join("\n");
}
