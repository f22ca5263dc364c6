// The handwritten digits, read from examples/data.

/** Pixels in a row, from 0 to 16. */
export const PIXELS = 64;
/** The rows before train, the others test. */
const FIRST_TEST_ROW = 1437;

/** Digits: their pixels, row-major, and what was written. */
export interface Digits {
  readonly pixels: number[][];
  readonly truth: number[];
}

/** All digits, those to train with and those to test with. */
export async function loadDigits(): Promise<{ train: Digits; test: Digits }> {
  const text = await Deno.readTextFile(new URL("../data/digits.csv", import.meta.url));
  const rows = text.trim().split("\n").map((line) => line.split(",").map(Number));
  const digits = (part: number[][]): Digits => ({
    pixels: part.map((row) => row.slice(0, PIXELS)),
    truth: part.map((row) => row[PIXELS]),
  });
  return { train: digits(rows.slice(0, FIRST_TEST_ROW)), test: digits(rows.slice(FIRST_TEST_ROW)) };
}
