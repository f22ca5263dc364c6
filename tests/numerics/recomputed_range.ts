// Statistics of numbers recomputed from their definition in float64: what the device's are held to.

import { finfo, type FloatDType } from "@zenith/jax";

/** The same quantities as `RangeHistogram` has, from the numbers themselves. */
export function recomputedRange(numbers: Iterable<number>, dtype: FloatDType) {
  const magnitudes = [...numbers].map(Math.abs);
  const finite = magnitudes.filter((x) => Number.isFinite(x) && x > 0);
  const { smallestNormal, max } = finfo(dtype);
  const count = (test: (x: number) => boolean) => magnitudes.filter(test).length;
  const bins = new Array<number>(64).fill(0);
  for (const x of finite) {
    let exponent = -44;
    while (exponent < 19 && x >= 2 ** (exponent + 1)) exponent++;
    bins[exponent + 44]!++;
  }
  return {
    size: magnitudes.length,
    zero: count((x) => x === 0),
    subnormal: count((x) => x > 0 && x < smallestNormal),
    normal: count((x) => x >= smallestNormal && x < Infinity),
    nearMax: count((x) => x >= max / 2 && x < Infinity),
    infinite: count((x) => x === Infinity),
    nan: count(Number.isNaN),
    minMagnitude: finite.reduce((a, b) => Math.min(a, b), Infinity),
    maxMagnitude: finite.reduce((a, b) => Math.max(a, b), 0),
    bins,
  };
}

/** The distance of numbers from what they should be, as a report states it. */
export function recomputedError(
  numbers: ArrayLike<number>,
  expected: ArrayLike<number>,
  dtype: FloatDType,
): { flushed: number; overflowed: number; maxUlps: number; relativeError: number } {
  const { eps, smallestNormal } = finfo(dtype);
  let [flushed, overflowed, maxUlps, maxError, largest] = [0, 0, 0, 0, 0];
  for (let i = 0; i < numbers.length; i++) {
    const [x, right] = [numbers[i]!, expected[i]!];
    if (!Number.isFinite(right)) continue;
    largest = Math.max(largest, Math.abs(right));
    if (x === 0 && right !== 0) flushed++;
    if (Math.abs(x) === Infinity) overflowed++;
    const error = Number.isFinite(x) ? Math.abs(x - right) : Infinity;
    let unit = eps * smallestNormal;
    while (unit * 2 / eps <= Math.abs(right)) unit *= 2;
    maxUlps = Math.max(maxUlps, error / Math.max(unit, 2 ** -126));
    maxError = Math.max(maxError, error);
  }
  return { flushed, overflowed, maxUlps, relativeError: maxError === 0 ? 0 : maxError / largest };
}
