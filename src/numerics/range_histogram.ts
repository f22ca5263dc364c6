// rangeHistogram: how the numbers of a tree lie in the range of a floating type.

import { fromHost, isFloatingArray, type NDArray } from "../array.ts";
import { type FloatDType, isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { finfo } from "../core/finfo.ts";
import { leaves } from "../core/pytree.ts";
import { isTracing } from "../ir/trace.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import { firstExponent, histogramBins } from "../../kernels/statistics/range_statistics.ts";
import { adviseLossScale } from "./loss_scale_advice.ts";
import { PendingStatistics } from "./statistics.ts";

const what = "rangeHistogram";

/** Options of {@linkcode rangeHistogram}. */
export interface RangeHistogramOptions {
  /** The type whose range the numbers are measured against; by default each array's own. */
  readonly dtype?: FloatDType;
}

/** How many numbers of a tree lie where in the range of a type; as text a picture of it. */
export class RangeHistogram {
  /** Numbers in all. */
  readonly size: number;
  /** Zeros of either sign. */
  readonly zero: number;
  /** Numbers below the type's smallest normal number, and not 0. */
  readonly subnormal: number;
  /** Finite numbers from the smallest normal number on. */
  readonly normal: number;
  /** Finite numbers of at least half of the type's largest number. */
  readonly nearMax: number;
  /** Infinities of either sign. */
  readonly infinite: number;
  /** NaN. */
  readonly nan: number;
  /** The smallest magnitude that is not 0; infinity where there is none. */
  readonly minMagnitude: number;
  /** The largest finite magnitude; 0 where there is none. */
  readonly maxMagnitude: number;
  /** How many numbers have each of 64 binary exponents; the first and the last hold those beyond too. */
  readonly bins: readonly number[];
  /** The exponent of the first bin. */
  readonly firstExponent: number = firstExponent;
  /** The half type that the loss scale is for: the one that was asked for, or float16. */
  readonly halfType: FloatDType;
  /** The power of two that brings the numbers into the half type's range, were they gradients. */
  readonly lossScale: number;
  /** Why that one. */
  readonly reason: string;

  /** Adds up the statistics of arrays; {@linkcode rangeHistogram} takes them. */
  constructor(parts: readonly RangeStatistics[], halfType: FloatDType) {
    const total = (
      name: "size" | "zero" | "subnormal" | "normal" | "nearMax" | "infinite" | "nan",
    ) => parts.reduce((sum, part) => sum + part[name], 0);
    this.size = total("size");
    this.zero = total("zero");
    this.subnormal = total("subnormal");
    this.normal = total("normal");
    this.nearMax = total("nearMax");
    this.infinite = total("infinite");
    this.nan = total("nan");
    this.minMagnitude = Math.min(...parts.map((part) => part.minMagnitude));
    this.maxMagnitude = Math.max(...parts.map((part) => part.maxMagnitude));
    this.bins = Array.from(
      { length: histogramBins },
      (_, bin) => parts.reduce((sum, part) => sum + part.bins[bin]!, 0),
    );
    this.halfType = halfType;
    const { scale, reason } = adviseLossScale(this, halfType);
    this.lossScale = scale;
    this.reason = reason;
  }

  /** A bar for each exponent that occurs, with the limits of the half type beside. */
  toString(): string {
    const { zero, subnormal, normal, nearMax, infinite, nan } = this;
    const counts = Object.entries({ zero, subnormal, normal, nearMax, infinite, nan });
    const used = this.bins.flatMap((count, i) => count > 0 ? [i] : []);
    const tallest = Math.max(...this.bins);
    const { max, smallestNormal, smallestSubnormal } = finfo(this.halfType);
    const limits = new Map([
      [Math.floor(Math.log2(max)), "largest"],
      [Math.log2(smallestNormal), "smallest normal"],
      [Math.log2(smallestSubnormal), "smallest"],
    ]);
    const bars = this.bins.slice(used[0] ?? 0, (used.at(-1) ?? -1) + 1).map((count, i) => {
      const exponent = firstExponent + (used[0] ?? 0) + i;
      const bar = "#".repeat(Math.ceil(40 * count / tallest));
      const limit = limits.get(exponent);
      const mark = limit ? `  < ${this.halfType}'s ${limit}` : "";
      return `2**${String(exponent).padEnd(4)}${String(count).padStart(9)} ${bar}${mark}`;
    }).reverse();
    return [
      `${this.size} numbers: ${counts.map(([name, count]) => `${name} ${count}`).join(", ")}`,
      ...bars,
      `loss scale ${this.lossScale}: ${this.reason}`,
    ].join("\n");
  }

  /** What `console.log` prints. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}

/**
 * How the numbers of a tree of weights or gradients lie in the range of a floating type: counts, extremes, a
 * histogram of 64 binary exponents, and the power of two that would bring them into a half type's range as a loss
 * scale. Each array is read once, on the device. Leaves that are neither floating arrays nor numbers count for
 * nothing.
 *
 * @throws {TypeError} if the tree has no such leaf, for a type that is not floating, and in a traced function,
 * which has no values to look at.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, rangeHistogram } from "@zenith/jax";
 *
 * await init();
 * const gradients = { w: jnp.array([2 ** -26, 2 ** -20, 0]), b: jnp.array([2 ** -10]) };
 * const range = await rangeHistogram(gradients, { dtype: "float16" });
 * console.log(range.subnormal, range.zero, range.lossScale); // 2 1 4096
 * ```
 */
export async function rangeHistogram(
  tree: unknown,
  options: RangeHistogramOptions = {},
): Promise<RangeHistogram> {
  checkOptions(what, options, ["dtype"]);
  const { dtype } = options;
  if (dtype !== undefined && !isFloating(dtype)) {
    throw new TypeError(
      `Cannot ${what}: dtype must be float32, float16 or bfloat16, got ${describe(dtype)}`,
    );
  }
  if (isTracing()) {
    throw new TypeError(
      `Cannot ${what} in a traced function: it has no values yet; return the arrays and look at them outside`,
    );
  }
  const { arrays, made } = floatingArrays(tree);
  const pending = arrays.map((array) => new PendingStatistics(array, undefined, dtype));
  made?.consume(what);
  const parts: RangeStatistics[] = [];
  for (const statistics of pending) parts.push(await statistics.read());
  return new RangeHistogram(parts, dtype === undefined || dtype === "float32" ? "float16" : dtype);
}

/** The floating arrays of a tree, and one made of its numbers. */
function floatingArrays(tree: unknown): { arrays: NDArray[]; made: NDArray | undefined } {
  const all = leaves(tree) as unknown[];
  const numbers = all.filter((leaf) => typeof leaf === "number");
  const made = numbers.length > 0 ? fromHost(numbers, [numbers.length], "float32") : undefined;
  const arrays = [...all.filter(isFloatingArray), ...made ? [made] : []];
  if (arrays.length > 0) return { arrays, made };
  throw new TypeError(
    `Cannot ${what}: a tree with at least one floating array is required, got ${describe(tree)}`,
  );
}
