// A numerics report as a table of text.

import type { NumericsRow, ReportContents } from "./numerics_row.ts";

/** The columns of a report as text and as a page. */
export const reportColumns: readonly {
  readonly title: string;
  readonly isNumber?: boolean;
  text(row: NumericsRow): string;
}[] = [
  { title: "policy", text: (row) => row.policy },
  { title: "operation", text: (row) => row.op },
  { title: "path", text: (row) => row.path || "-" },
  { title: "source", text: (row) => shortSource(row.source) },
  { title: "type", text: (row) => row.dtype },
  { title: "pass", text: (row) => row.pass },
  { title: "flushed", isNumber: true, text: (row) => percent(row.flushedShare) },
  { title: "subnormal", isNumber: true, text: (row) => percent(row.subnormalShare) },
  { title: "overflowed", isNumber: true, text: (row) => percent(row.overflowShare) },
  { title: "not finite", isNumber: true, text: (row) => String(row.nonFinite || "") },
  { title: "absorbed", text: (row) => row.absorbedOverflow ? "yes" : "" },
  { title: "stalled", isNumber: true, text: (row) => percent(row.stalledShare) },
  { title: "max ulps", isNumber: true, text: (row) => figure(row.maxUlps) },
  { title: "rel. error", isNumber: true, text: (row) => figure(row.relativeError) },
];

/** Nothing for nothing, so that what is not nothing stands out. */
export function percent(share: number): string {
  return share === 0 ? "" : `${Number((100 * share).toPrecision(3))} %`;
}

/** A number in a few digits. */
export function figure(x: number): string {
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return "inf";
  return x >= 0.01 && x < 10_000 ? String(Number(x.toPrecision(3))) : x.toExponential(1);
}

/** The last part of a file's path, with line and column. */
export function shortSource(source: string): string {
  return source.slice(source.lastIndexOf("/") + 1) || "-";
}

/** What a report says of the rows that it leaves out. */
export function leftOut({ rows }: ReportContents, limit: number): string {
  return rows.length > limit ? `${rows.length - limit} better rows are not shown.` : "";
}

/** The sentences about loss scales. */
export function lossScaleLines({ lossScales }: ReportContents): string[] {
  return lossScales.map(({ policy, scale, reason }) =>
    `${policy}: loss scale ${scale}; ${reason}.`
  );
}

/** The worst rows, a line each. */
export function reportTable(report: ReportContents, limit: number): string {
  const cells = [
    reportColumns.map(({ title }) => title),
    ...report.rows.slice(0, limit).map((row) => reportColumns.map((column) => column.text(row))),
  ];
  const widths = reportColumns.map((_, at) => Math.max(...cells.map((line) => line[at]!.length)));
  const lines = cells.map((line) =>
    line.map((cell, at) =>
      reportColumns[at]!.isNumber ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)
    ).join("  ").trimEnd()
  );
  return [...lines, leftOut(report, limit), ...lossScaleLines(report)]
    .filter((line) => line !== "").join("\n");
}
