// Figures as a person reads them: three significant digits and a unit that fits.

/** Three significant digits, never in exponent notation. */
function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** A duration given in milliseconds. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${significant(ms / 1000)} s`;
  return ms >= 1 ? `${significant(ms)} ms` : `${significant(ms * 1000)} us`;
}

/** Work a second, from an amount of work and the milliseconds it took. */
export function rate(amount: number, ms: number): number {
  return amount / (ms / 1000) / 1e9;
}

/** A rate in its unit. */
export function showRate(value: number, unit: string): string {
  return `${significant(value)} ${unit}`;
}

/** A number of bytes in binary units. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = count;
  let power = 0;
  while (value >= 1024 && power < units.length - 1) {
    value /= 1024;
    power++;
  }
  return `${power === 0 ? value : significant(value)} ${units[power]}`;
}

/** How many times one is the other. */
export function ratio(value: number): string {
  return `${significant(value)}x`;
}

/** An error relative to the values it is an error of. */
export function relativeError(value: number): string {
  return value === 0 || !Number.isFinite(value) ? String(value) : value.toExponential(1);
}
