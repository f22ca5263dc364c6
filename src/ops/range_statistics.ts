// How the numbers of an array lie in the range of a type: counts, a histogram of exponents, the extremes, and
// the distance from a reference, in one reading of the array.

import { type DType, type FloatDType, isFloating } from "../core/dtype.ts";
import { finfo } from "../core/finfo.ts";
import { sameShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Operation, Params, Tensor } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import {
  firstExponent,
  histogramBins,
  type RangeDescription,
  rangeFields,
  rangeWords,
} from "../../kernels/statistics/range_statistics.ts";

/** The static argument: the type whose range the numbers are measured against. */
export interface RangeParams extends Params {
  readonly dtype: FloatDType;
}

/** Elements of a part: enough that writing its row costs little beside. */
const wantedChunk = 8192;

/** Parts that fill a large device. */
const mostParts = 256;

const words = new DataView(new ArrayBuffer(4));

function patternOf(value: number): number {
  words.setFloat32(0, value);
  return words.getUint32(0);
}

/** What the kernel must know of an array's shape and the type. */
export function rangeDescription(shape: Shape, { dtype }: RangeParams): RangeDescription {
  const size = sizeOf(shape);
  const parts = Math.min(mostParts, Math.max(1, Math.ceil(size / wantedChunk)));
  const { smallestNormal, max, eps } = finfo(dtype);
  return {
    size,
    parts,
    chunk: Math.ceil(size / parts / 4) * 4,
    smallestNormal: patternOf(smallestNormal),
    halfOfMax: patternOf(max / 2),
    fractionBits: -Math.log2(eps),
    minExponent: Math.log2(smallestNormal),
  };
}

type Field = typeof rangeFields[number];

/** A row of the reference: the histogram and the fields, the extremes as numbers until all are known. */
class Row {
  readonly #bins = new Array<number>(histogramBins).fill(0);
  readonly #fields = Object.fromEntries(rangeFields.map((name) => [name, 0])) as Record<
    Field,
    number
  >;
  #least = Infinity;

  look(value: number, dtype: FloatDType): void {
    const magnitude = Math.abs(value);
    const { smallestNormal, max } = finfo(dtype);
    if (magnitude === 0) this.#fields.zero++;
    else if (Number.isNaN(magnitude)) this.#fields.nan++;
    else if (magnitude === Infinity) this.#fields.infinite++;
    else {
      if (magnitude < smallestNormal) this.#fields.subnormal++;
      if (magnitude >= max / 2) this.#fields.nearMax++;
    }
  }

  place(value: number): void {
    const magnitude = Math.abs(value);
    if (magnitude === 0 || !Number.isFinite(magnitude)) return;
    this.#least = Math.min(this.#least, magnitude);
    this.#raise("maxMagnitude", magnitude);
    const bin = exponentOf(magnitude) - firstExponent;
    this.#bins[Math.max(0, Math.min(histogramBins - 1, bin))]!++;
  }

  compare(value: number, expected: number, dtype: FloatDType): void {
    if (!Number.isFinite(expected)) return;
    if (value === 0 && expected !== 0) this.#fields.flushed++;
    if (Math.abs(value) === Infinity) this.#fields.overflowed++;
    const error = Number.isFinite(value) ? Math.fround(Math.abs(value - expected)) : Infinity;
    const { eps, smallestNormal } = finfo(dtype);
    const exponent = Math.max(exponentOf(Math.abs(expected)), Math.log2(smallestNormal));
    this.#raise("maxError", error);
    this.#raise("maxUlps", Math.fround(error / Math.max(eps * 2 ** exponent, 2 ** -126)));
  }

  #raise(field: Field, value: number): void {
    this.#fields[field] = Math.max(this.#fields[field], value);
  }

  words(): number[] {
    const patterns = ["maxMagnitude", "maxUlps", "maxError"];
    const fields = {
      ...this.#fields,
      belowInfinity: patternOf(Infinity) - patternOf(this.#least),
    };
    return [
      ...this.#bins,
      ...rangeFields.map((name) =>
        patterns.includes(name) ? patternOf(fields[name]) : fields[name]
      ),
    ];
  }
}

/** The binary exponent of a float32 number; of 0 and subnormals -127. */
function exponentOf(magnitude: number): number {
  return (patternOf(magnitude) >>> 23) - 127;
}

function evaluate([x, reference]: readonly Tensor[], params: RangeParams): Float64Array {
  const { size, parts, chunk } = rangeDescription(x!.shape, params);
  const out = new Float64Array(parts * rangeWords);
  for (let part = 0; part < parts; part++) {
    const row = new Row();
    for (let i = part * chunk; i < Math.min(size, (part + 1) * chunk); i++) {
      row.look(x!.values[i]!, params.dtype);
      row.place((reference ?? x!).values[i]!);
      if (reference) row.compare(x!.values[i]!, reference.values[i]!, params.dtype);
    }
    out.set(row.words(), part * rangeWords);
  }
  return out;
}

/**
 * Statistics of an array of floats, alone or beside a reference of its shape: `uint32[parts, words]`, a row for
 * each part of the array. It is not in the registry: it looks at what has run, and is never traced.
 */
const rangeStatisticsOperation: Operation<RangeParams> = {
  name: "rangeStatistics",
  precision: "follow",
  lower: { kind: "kernel", kernel: "rangeStatistics" },
  aval: ([x, reference], params) => {
    if (reference && !sameShape(reference.shape, x!.shape)) {
      throw new RangeError("Cannot compare arrays of different shapes");
    }
    return { shape: [rangeDescription(x!.shape, params).parts, rangeWords], dtype: "uint32" };
  },
  evaluate: (inputs, params) => [evaluate(inputs, params)],
};

/** How numbers lie in the range of a type. */
export interface RangeStatistics {
  /** Elements in all. */
  readonly size: number;
  readonly zero: number;
  /** Below the type's smallest normal number, and not 0. */
  readonly subnormal: number;
  /** Finite, at or above the smallest normal number. */
  readonly normal: number;
  /** Finite, at least half of the type's largest number. */
  readonly nearMax: number;
  readonly infinite: number;
  readonly nan: number;
  /** 0 where the reference is not. */
  readonly flushed: number;
  /** Infinite where the reference is not. */
  readonly overflowed: number;
  /** The smallest magnitude that is not 0, of the reference if there is one; infinity where there is none. */
  readonly minMagnitude: number;
  /** The largest finite magnitude, of the reference if there is one; 0 where there is none. */
  readonly maxMagnitude: number;
  /** The largest distance from the reference in units in its last place. */
  readonly maxUlps: number;
  /** The largest distance from the reference over the largest magnitude of the reference. */
  readonly relativeError: number;
  /**
   * How many finite numbers, of the reference if there is one, have each binary exponent; the first and the last
   * bin hold those beyond too.
   */
  readonly bins: readonly number[];
}

/** Starts looking at an array; {@linkcode readRangeStatistics} tells what the result says. */
export function rangeStatistics(x: Value, reference?: Value, dtype?: FloatDType): Value {
  const own = dtype ?? floating(x.aval.dtype);
  return bind1(rangeStatisticsOperation, { dtype: own }, ...reference ? [x, reference] : [x]);
}

function floating(dtype: DType): FloatDType {
  if (isFloating(dtype)) return dtype;
  throw new TypeError(`Cannot take range statistics: floats are required, got ${dtype}`);
}

/** The statistics in the words that the operation left. */
export function readRangeStatistics(rows: Uint32Array, size: number): RangeStatistics {
  const column = (at: number) => {
    const values: number[] = [];
    for (let row = at; row < rows.length; row += rangeWords) values.push(rows[row]!);
    return values;
  };
  const of = (name: Field) => column(histogramBins + rangeFields.indexOf(name));
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const count = (name: Field) => total(of(name));
  const most = (name: Field) => Math.max(...of(name));
  const zero = count("zero");
  const subnormal = count("subnormal");
  const infinite = count("infinite");
  const nan = count("nan");
  const error = numberOf(most("maxError"));
  const largest = numberOf(most("maxMagnitude"));
  return {
    size,
    zero,
    subnormal,
    normal: size - zero - subnormal - infinite - nan,
    nearMax: count("nearMax"),
    infinite,
    nan,
    flushed: count("flushed"),
    overflowed: count("overflowed"),
    minMagnitude: numberOf(patternOf(Infinity) - most("belowInfinity")),
    maxMagnitude: largest,
    maxUlps: numberOf(most("maxUlps")),
    relativeError: error === 0 ? 0 : error / largest,
    bins: Array.from({ length: histogramBins }, (_, bin) => total(column(bin))),
  };
}

function numberOf(pattern: number): number {
  words.setUint32(0, pattern);
  return words.getFloat32(0);
}
