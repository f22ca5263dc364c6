// One row of the comparison: a library at a task in one type, and how rows are measured.

import type { Precision, Work } from "../precision.ts";
import { PRECISIONS } from "../precision.ts";
import { largestError, SAMPLED_ELEMENTS } from "../reference.ts";
import { rate } from "../report/quantities.ts";
import { timeInterleaved, type Timing, type TimingOptions } from "../run/timing.ts";
import { type Engine, type EngineContender, type Task, Unsupported } from "./engine.ts";

/** A library at a task in one type. */
export interface Row {
  readonly task: string;
  readonly label: string;
  readonly engine: string;
  readonly precision: Precision;
  /** Milliseconds a call; undefined where the library could not do it, or did it wrong. */
  readonly timing?: Timing;
  readonly rate?: number;
  readonly unit?: Work["unit"];
  /** Largest difference from float64, relative to the largest value. */
  readonly error?: number;
  /** Why there are no figures. */
  readonly note?: string;
}

/** A result this far from float64 is another result. Half sums in half precision lose two digits at most. */
const LARGEST_ERROR: Readonly<Record<Precision, number>> = {
  float32: 1e-3,
  float16: 0.1,
  bfloat16: 0.1,
};

/** The note of a type that a library lacks. */
export const NOT_OFFERED = "not offered";

interface Ready {
  readonly row: Row;
  readonly contender: EngineContender;
}

/** Makes a task ready in one library and checks its result; a row with a note where that fails. */
async function prepare(engine: Engine, task: Task, precision: Precision): Promise<Ready | Row> {
  const row = { task: task.name, label: task.label, engine: engine.name, precision };
  try {
    const contender = await engine.prepare(task, precision);
    return { row, contender };
  } catch (error) {
    if (error instanceof Unsupported) return { ...row, note: NOT_OFFERED };
    return { ...row, note: `failed: ${(error as Error).message}` };
  }
}

async function checkResult({ row, contender }: Ready, task: Task): Promise<Row> {
  const result = await contender.result();
  const error = largestError(result, task.reference, task.inputs, SAMPLED_ELEMENTS);
  if (error <= LARGEST_ERROR[row.precision]) return { ...row, error };
  return { ...row, error, note: "wrong result" };
}

/**
 * Measures a task in every library and type, all taking turns. Results are checked after the timing, so that
 * the first call stays a first call; a row whose result is wrong keeps no figures.
 */
export async function measureTask(
  task: Task,
  engines: readonly Engine[],
  options: TimingOptions,
): Promise<Row[]> {
  const prepared = [];
  for (const engine of engines) {
    for (const precision of PRECISIONS.filter((own) => task.precisions.includes(own))) {
      prepared.push(await prepare(engine, task, precision));
    }
  }
  const ready = prepared.filter((entry) => "contender" in entry);
  const timings = await timeInterleaved(ready.map(({ contender }) => contender), {
    ...options,
    calls: task.calls,
  });
  const rows: Row[] = [];
  for (const entry of prepared) {
    if (!("contender" in entry)) {
      rows.push(entry);
      continue;
    }
    const row = await checkResult(entry, task);
    entry.contender.dispose();
    rows.push(row.note ? row : withTiming(row, task, timings[ready.indexOf(entry)]));
  }
  return rows;
}

function withTiming(row: Row, task: Task, timing: Timing): Row {
  const work = task.work?.(row.precision);
  if (!work) return { ...row, timing };
  return { ...row, timing, unit: work.unit, rate: rate(work.amount, timing.medianMs) };
}
