// A numerics report as a picture: for each row the exponents of its elements in float32, before the range of the
// type that holds them.

import { isHalf } from "../core/dtype.ts";
import { finfo } from "../core/finfo.ts";
import { firstExponent, histogramBins } from "../../kernels/statistics/range_statistics.ts";
import type { NumericsRow, ReportContents } from "./numerics_row.ts";
import { figure, leftOut, percent, shortSource } from "./report_table.ts";

const labelWidth = 500;
const binWidth = 8;
const plotWidth = binWidth * histogramBins;
const rowHeight = 40;
const top = 76;
const margin = 4;
const width = labelWidth + plotWidth + 2 * margin;

const colors = {
  lost: "#f3c9c4",
  subnormal: "#f7e6b5",
  normal: "#dcebdc",
  bar: "#33475b",
  scaled: "#2f7fb8",
  text: "#1c2733",
  faint: "#66727e",
} as const;

/** Text that may stand in XML. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (c) => entities[c]!);
}

/** Where an exponent begins, within the picture. */
function place(exponent: number): number {
  const bin = Math.min(Math.max(exponent - firstExponent, 0), histogramBins);
  return labelWidth + margin + binWidth * bin;
}

const rect = (x: number, y: number, w: number, h: number, fill: string) =>
  w <= 0 ? "" : `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${fill}"/>`;

interface TextStyle {
  readonly size?: number;
  readonly fill?: string;
  readonly anchor?: "start" | "middle" | "end";
}

function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 12, fill = colors.text, anchor = "start" } = style;
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}">${
    escapeXml(content)
  }</text>`;
}

/** The parts of the range of a type, as bands behind the bars. */
function bands({ dtype }: NumericsRow, y: number): string {
  const { max, smallestNormal, smallestSubnormal } = finfo(dtype);
  const [lowest, normal, end] = [
    place(Math.log2(smallestSubnormal)),
    place(Math.log2(smallestNormal)),
    place(Math.floor(Math.log2(max)) + 1),
  ];
  const [left, right] = [place(-Infinity), place(Infinity)];
  const h = rowHeight - 8;
  return [
    rect(left, y, lowest - left, h, colors.lost),
    rect(lowest, y, normal - lowest, h, colors.subnormal),
    rect(normal, y, end - normal, h, colors.normal),
    rect(end, y, right - end, h, colors.lost),
  ].join("");
}

/** A bar for each exponent, `shift` to the right of where it belongs. */
function bars({ bins }: NumericsRow, y: number, paint: string, shift = 0): string {
  const tallest = Math.max(...bins, 1);
  const h = rowHeight - 10;
  return bins.map((count, bin) => {
    const moved = bin + shift;
    // How far below the first bin its elements lie is not known.
    const isKnown = shift === 0 || (bin > 0 && moved < histogramBins);
    if (count === 0 || !isKnown) return "";
    // A single element must be seen beside a million.
    const height = round(Math.max(2, h * count / tallest));
    const x = place(firstExponent + moved);
    return `<rect x="${x + 1}" y="${round(y + 1 + h - height)}" width="${
      binWidth - 2
    }" height="${height}" ${paint}/>`;
  }).join("");
}

const round = (x: number) => Math.round(x * 10) / 10;

/** The end of a text that is too long for its place: of paths and sources that is the part that tells. */
function shortened(content: string, most: number): string {
  return content.length > most ? `...${content.slice(3 - most)}` : content;
}

/** What is wrong with a row, in a few words. */
function verdict(row: NumericsRow): string {
  return [
    row.overflowShare > 0 ? `${percent(row.overflowShare)} overflowed` : "",
    row.absorbedOverflow ? "overflow absorbed" : "",
    row.flushedShare > 0 ? `${percent(row.flushedShare)} flushed to 0` : "",
    row.stalledShare > 0 ? `${percent(row.stalledShare)} stalled` : "",
    Number.isFinite(row.relativeError) ? `off by ${figure(row.relativeError)}` : "",
  ].filter((part) => part !== "").slice(0, 2).join(", ");
}

function drawRow(row: NumericsRow, at: number, scale: number): string {
  const y = top + at * rowHeight;
  const where = [row.path, shortSource(row.source)].filter((part) => part).join("  ");
  const title = `${row.op} ${row.dtype}${row.pass === "backward" ? ", backward" : ""}`;
  const isScaled = scale > 1 && row.pass === "backward" && isHalf(row.dtype);
  const outline = `fill="none" stroke="${colors.scaled}"`;
  return [
    text(margin, y + 14, shortened(title, 36)),
    text(margin, y + 29, shortened(where, 46), { size: 11, fill: colors.faint }),
    text(labelWidth - 8, y + 14, verdict(row), { size: 11, anchor: "end" }),
    text(labelWidth - 8, y + 29, row.policy, { size: 11, fill: colors.faint, anchor: "end" }),
    bands(row, y),
    bars(row, y, `fill="${colors.bar}"`),
    isScaled ? bars(row, y, outline, Math.log2(scale)) : "",
  ].join("");
}

function axis(bottom: number): string {
  const ticks = [];
  for (let exponent = -40; exponent <= 16; exponent += 8) {
    const x = place(exponent);
    ticks.push(
      `<line x1="${x}" y1="${
        top - 4
      }" x2="${x}" y2="${bottom}" stroke="#ffffff" stroke-opacity="0.8"/>`,
      text(x, top - 9, `2^${exponent}`, { size: 11, fill: colors.faint, anchor: "middle" }),
    );
  }
  return ticks.join("");
}

function legend(): string {
  const parts = [
    ["lost", "beyond the type's range"],
    ["subnormal", "subnormal"],
    ["normal", "normal"],
    ["bar", "elements by their exponent in float32"],
    ["scaled", "gradients times the loss scale"],
  ] as const;
  let x = margin;
  return parts.map(([color, label]) => {
    const part = rect(x, 36, 12, 12, colors[color]) + text(x + 17, 46, label, { size: 11 });
    x += 36 + 6.2 * label.length;
    return part;
  }).join("");
}

/** The picture of the worst rows. */
export function reportSvg(report: ReportContents, limit: number): string {
  const rows = report.rows.slice(0, limit);
  const bottom = top + rows.length * rowHeight - 8;
  const height = bottom + 30;
  const scales = new Map(report.lossScales.map(({ policy, scale }) => [policy, scale]));
  const note = leftOut(report, limit) ||
    "Worst first. The first and the last bar hold what lies beyond.";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif">
<title>Exponents against the range of each type</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${text(margin, 22, "Exponents against the range of each type", { size: 15 })}
${legend()}
${rows.map((row, at) => drawRow(row, at, scales.get(row.policy) ?? 1)).join("\n")}
${axis(bottom)}
${text(margin, height - 10, note, { size: 11, fill: colors.faint })}
</svg>`;
}
