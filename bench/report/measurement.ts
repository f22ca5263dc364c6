// One measured program, and how a list of them reads as a table.

import type { Precision, Work } from "../precision.ts";
import type { Memory } from "../run/prepared.ts";
import { medianRatio, type Timing } from "../run/timing.ts";
import { bytes, duration, rate, ratio, relativeError, showRate } from "./quantities.ts";
import { type Column, figures, words } from "./table.ts";

/** What was measured of one program at one size in one type. */
export interface Measurement extends Timing {
  readonly program: string;
  readonly shape: string;
  readonly precision: Precision;
  readonly unit: Work["unit"];
  /** Work a second, in 1e9 of the unit's operations or bytes. */
  readonly rate: number;
  readonly memory: Memory;
  /** Largest difference from float64 over sampled elements, relative to the largest of them. */
  readonly error: number;
  /** Float32's time over this one's: above 1 is faster. */
  readonly speedup: number;
  /** The time of the same as separate operations over this one's, where that is measured too. */
  readonly overUnfused?: number;
}

/** Completes the measurements of one program at one size; the first one is what the others are compared with. */
export function compare(
  shared: { readonly program: string; readonly shape: string },
  measured: readonly {
    readonly precision: Precision;
    readonly work: Work;
    readonly timing: Timing;
    readonly memory: Memory;
    readonly error: number;
    readonly unfused?: Timing;
  }[],
): Measurement[] {
  const baseline = measured[0].timing;
  return measured.map(({ precision, work, timing, memory, error, unfused }) => ({
    ...shared,
    precision,
    unit: work.unit,
    rate: rate(work.amount, timing.medianMs),
    memory,
    error,
    speedup: medianRatio(baseline, timing),
    overUnfused: unfused && medianRatio(unfused, timing),
    ...timing,
  }));
}

/** Columns of the measurements' table. */
export const measurementColumns: readonly Column[] = [
  words("operation"),
  words("shape"),
  words("precision"),
  figures("time"),
  figures("rate"),
  figures("memory"),
  figures("temporaries"),
  figures("max error"),
  figures("speed-up"),
  figures("over unfused"),
  figures("first call"),
];

/** Rows of the measurements' table; operation and shape stand only where they change. */
export function measurementRows(measurements: readonly Measurement[]): string[][] {
  return measurements.map((own, at) => {
    const previous = measurements[at - 1];
    const again = own.program === previous?.program && own.shape === previous?.shape;
    return [
      again ? "" : own.program,
      again ? "" : own.shape,
      own.precision,
      duration(own.medianMs),
      showRate(own.rate, own.unit),
      bytes(own.memory.peakBytes),
      bytes(own.memory.tempBytes),
      relativeError(own.error),
      ratio(own.speedup),
      own.overUnfused === undefined ? "" : ratio(own.overUnfused),
      duration(own.firstMs),
    ];
  });
}

/** What the columns mean. */
export const measurementNotes: readonly string[] = [
  "time: median of a call, the precisions taking turns; the first call, which compiles, stands apart",
  "rate: operations of the products, or bytes read and written once",
  "memory: bytes of arguments, temporaries and results; of a training step, the most that the device held at once",
  "max error: largest difference from float64 over 64 elements, relative to the largest of them; casting the float32 inputs is part of it; of a training step, how far its loss is from float64's after three steps",
  "speed-up: float32's time over this one's, the median of the ratios within a round",
  "over unfused: the time of the same as separate operations over this one's, where that is measured in turn with it",
];
