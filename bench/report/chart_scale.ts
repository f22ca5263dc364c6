// The scale of a chart's axis: round numbers that cover what is shown.

/** The least step of 1, 2 or 5 times a power of ten that reaches `largest` in at most `count` steps. */
export function niceStep(largest: number, count: number): number {
  const least = largest / count;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-12)) ?? 10;
  return step * power;
}

/** Marks from 0 to the first that is not below `largest`. */
export function niceTicks(largest: number, count = 5): number[] {
  if (!(largest > 0) || !Number.isFinite(largest)) return [0, 1];
  const step = niceStep(largest, count);
  const steps = Math.ceil(largest / step - 1e-9);
  // Multiplied and rounded, since adding up 0.1 would print 0.30000000000000004.
  return Array.from({ length: steps + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}
