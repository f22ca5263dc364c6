// Which power of two brings numbers into a type's range, told from their exponents.

import type { FloatDType } from "../core/dtype.ts";
import { finfo } from "../core/finfo.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import { firstExponent } from "../../kernels/statistics/range_statistics.ts";

/** A loss scale and the reason for it. */
export interface LossScaleAdvice {
  /** A power of two; 1 where none is needed. */
  readonly scale: number;
  /** What is lost without it and what with it. */
  readonly reason: string;
}

/** What the advice is made from. */
export type RangeExtremes = Pick<RangeStatistics, "minMagnitude" | "maxMagnitude" | "bins">;

const percent = (share: number) => `${+(100 * share).toPrecision(2)} %`;
const power = (exponent: number) => `2**${exponent}`;

/** Shares of the numbers that are not 0 which a type holds as subnormals, or rounds to 0. */
function lostShares({ bins }: RangeExtremes, dtype: FloatDType, shift: number): [number, number] {
  const { smallestNormal, smallestSubnormal } = finfo(dtype);
  const below = (limit: number) =>
    bins.reduce((n, count, i) => firstExponent + i + shift < Math.log2(limit) ? n + count : n, 0);
  const total = bins.reduce((a, b) => a + b, 0);
  // Half of the smallest subnormal and less round to 0.
  const flushed = below(smallestSubnormal / 2);
  return [(below(smallestNormal) - flushed) / total, flushed / total];
}

/**
 * The smallest power of two that lifts all numbers into the normal ones of a type, but none that takes the
 * largest past half of the type's largest number.
 */
export function adviseLossScale(range: RangeExtremes, dtype: FloatDType): LossScaleAdvice {
  const { minMagnitude, maxMagnitude } = range;
  if (maxMagnitude === 0) return { scale: 1, reason: "no number is finite and not 0" };
  const { max, smallestNormal } = finfo(dtype);
  const wanted = Math.ceil(Math.log2(smallestNormal) - Math.log2(minMagnitude));
  const room = Math.floor(Math.log2(max) - 1 - Math.log2(maxMagnitude));
  const shift = Math.min(Math.max(wanted, 0), room);
  const scale = 2 ** shift;
  const lost = (by: number) => {
    const [subnormal, flushed] = lostShares(range, dtype, by);
    return `${percent(flushed)} below its smallest number and ${percent(subnormal)} subnormal`;
  };
  if (shift === 0) {
    const why = wanted <= 0
      ? "all numbers are normal"
      : "the largest is near its largest number, so that no scale fits";
    return { scale, reason: `in ${dtype} ${why}` };
  }
  if (shift < 0) {
    return {
      scale,
      reason: `the largest, ${
        maxMagnitude.toPrecision(3)
      }, is past half of ${dtype}'s largest number; times ${power(shift)} it is not`,
    };
  }
  return {
    scale,
    reason: `${dtype} has ${lost(0)}; times ${power(shift)}, ${
      shift === room
        ? "the most that keeps the largest below half of its largest number"
        : "which lifts all"
    }, ${lost(shift)}`,
  };
}
