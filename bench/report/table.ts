// Tables of text, aligned for a terminal or as Markdown.

/** A column: its title, and where its cells stand. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** A column of words. */
export function words(title: string): Column {
  return { title, align: "left" };
}

/** A column of figures. */
export function figures(title: string): Column {
  return { title, align: "right" };
}

type Rows = readonly (readonly string[])[];

function columnWidths(columns: readonly Column[], rows: Rows): number[] {
  return columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => row[at].length))
  );
}

function pad(cell: string, width: number, { align }: Column): string {
  return align === "left" ? cell.padEnd(width) : cell.padStart(width);
}

/** A table for a terminal. An empty row becomes an empty line. */
export function plainTable(columns: readonly Column[], rows: Rows): string {
  const widths = columnWidths(columns, rows.filter((row) => row.length > 0));
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => pad(cell, widths[at], columns[at])).join("  ").trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line)].join("\n");
}

/** The same table in Markdown. */
export function markdownTable(columns: readonly Column[], rows: Rows): string {
  const escaped = rows.filter((row) => row.length > 0).map((row) =>
    row.map((cell) => cell.replaceAll("|", "\\|"))
  );
  const titles = columns.map(({ title }) => title);
  const widths = columnWidths(columns, escaped).map((width) => Math.max(3, width));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => pad(cell, widths[at], columns[at])).join(" | ")} |`;
  const rule = columns.map(({ align }, at) =>
    align === "left" ? "-".repeat(widths[at]) : "-".repeat(widths[at] - 1) + ":"
  );
  return [line(titles), line(rule), ...escaped.map(line)].join("\n");
}
