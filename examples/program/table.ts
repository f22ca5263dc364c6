// An aligned table.

/** A table with its first column aligned to the left and the others to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, at) =>
    Math.max(name.length, ...rows.map((row) => row[at].length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))
      .join("  ").trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(header), rule, ...rows.map(line)].join("\n");
}
