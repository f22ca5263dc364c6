// A numerics report as one page, with its style in it and nothing to fetch.

import type { NumericsRow, ReportContents } from "./numerics_row.ts";
import { escapeXml, reportSvg } from "./report_svg.ts";
import { leftOut, lossScaleLines, reportColumns } from "./report_table.ts";

const style = `
body { font: 14px/1.45 system-ui, sans-serif; color: #1c2733; margin: 2rem auto; padding: 0 1rem; max-width: 1100px; }
h1 { font-size: 1.35rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12px; white-space: nowrap; }
th, td { text-align: left; padding: 0.25rem 0.6rem; border-bottom: 1px solid #dde3e8; }
th { position: sticky; top: 0; background: #f2f5f7; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.bad td { background: #fbeae8; } tr.poor td { background: #fcf6e3; }
svg { max-width: 100%; height: auto; }
`;

/** Rows to look at at once, and rows to know of. */
function concern(row: NumericsRow): "bad" | "poor" | "" {
  if (row.overflowShare > 0 || row.absorbedOverflow || row.nonFinite > 0) return "bad";
  if (row.flushedShare > 0.5 || row.stalledShare > 0.5) return "bad";
  return row.flushedShare > 0.01 || row.relativeError > 0.05 ? "poor" : "";
}

function table(report: ReportContents, limit: number): string {
  const kind = (isNumber?: boolean) => isNumber ? ' class="number"' : "";
  const head = reportColumns.map(({ title, isNumber }) => `<th${kind(isNumber)}>${title}</th>`);
  const lines = report.rows.slice(0, limit).map((row) => {
    const cells = reportColumns.map((column) => {
      const full = column.title === "source" ? ` title="${escapeXml(row.source)}"` : "";
      return `<td${kind(column.isNumber)}${full}>${escapeXml(column.text(row))}</td>`;
    });
    return `<tr class="${concern(row)}">${cells.join("")}</tr>`;
  });
  return `<table>\n<thead><tr>${head.join("")}</tr></thead>\n<tbody>\n${
    lines.join("\n")
  }\n</tbody>\n</table>`;
}

/** The page. */
export function reportHtml(report: ReportContents, limit: number): string {
  const scales = lossScaleLines(report).map((line) => `<p>${escapeXml(line)}</p>`).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Numerics report</title>
<style>${style}</style>
</head>
<body>
<h1>Numerics report</h1>
<p>Every operation against float32, worst first: what was flushed to zero, what overflowed, where an overflow was absorbed, and by how much the rest is off.</p>
${scales}
<h2>Where the numbers lie</h2>
<div class="wide">
${reportSvg(report, Math.min(limit, 40))}
</div>
<h2>Operations</h2>
<div class="wide">
${table(report, limit)}
</div>
<p>${leftOut(report, limit)}</p>
</body>
</html>
`;
}
