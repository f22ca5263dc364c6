// Digits drawn side by side in text.

const SHADES = " .:-=+*#%@";
const SIDE = 8;
const BRIGHTEST = 16;

/** A digit to draw: its 64 pixels of 0 to 16, and the lines to stand under it. */
export interface DrawnDigit {
  /** Row-major. */
  pixels: readonly number[];
  /** Shown under the drawing. */
  lines: readonly string[];
}

/** The drawing's lines; a pixel takes two columns, because a character is twice as high as wide. */
function draw(pixels: readonly number[]): string[] {
  const shade = (value: number) => SHADES[Math.round(value / BRIGHTEST * (SHADES.length - 1))];
  return Array.from(
    { length: SIDE },
    (_, row) =>
      pixels.slice(row * SIDE, (row + 1) * SIDE).map((value) => shade(value).repeat(2)).join(""),
  );
}

/** Draws digits side by side, each with its lines below. */
export function drawDigits(digits: readonly DrawnDigit[]): string {
  const columns = digits.map(({ pixels, lines }) => [...draw(pixels), "", ...lines]);
  const width = Math.max(...columns.flat().map((line) => line.length)) + 4;
  const height = Math.max(...columns.map((column) => column.length));
  return Array.from(
    { length: height },
    (_, row) => columns.map((column) => (column[row] ?? "").padEnd(width)).join("").trimEnd(),
  ).join("\n");
}
