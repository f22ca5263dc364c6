// The comparison as tables.

import { duration, ratio, relativeError, showRate } from "../report/quantities.ts";
import { type Column, figures, words } from "../report/table.ts";
import type { BarResult } from "./bars.ts";
import type { Ceiling } from "./ceilings.ts";
import { medianRatio, type Timing } from "../run/timing.ts";
import { OURS } from "./engine.ts";
import { NOT_OFFERED, type Row } from "./rows.ts";

/** A table's columns and rows. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** What this library took for a task in float32. */
function ourTiming(rows: readonly Row[], task: string): Timing | undefined {
  return rows.find((row) => row.task === task && row.engine === OURS && row.precision === "float32")
    ?.timing;
}

/** What stands in one line: a row, or the types that a library lacks for a task. */
function lines(rows: readonly Row[]): Row[][] {
  const lines: Row[][] = [];
  for (const row of rows) {
    const last = lines[lines.length - 1]?.[0];
    const joins = row.note === NOT_OFFERED && last?.note === NOT_OFFERED &&
      last.task === row.task && last.engine === row.engine;
    if (joins) lines[lines.length - 1].push(row);
    else lines.push([row]);
  }
  return lines;
}

/** The figures of a row, or why there are none. */
function figureCells({ timing, rate, unit, error, note }: Row, ours: Timing | undefined): string[] {
  const difference = error === undefined ? "" : relativeError(error);
  if (!timing) return [note ?? "", "", "", difference, ""];
  return [
    duration(timing.medianMs),
    rate === undefined ? "" : showRate(rate, unit ?? ""),
    ours === undefined ? "" : ratio(medianRatio(timing, ours)),
    difference,
    duration(timing.firstMs),
  ];
}

/** What every library did at every task. */
export function rowTable(rows: readonly Row[]): Table {
  const columns = [
    words("task"),
    words("of"),
    words("library"),
    words("precision"),
    figures("time"),
    figures("rate"),
    figures("of our float32"),
    figures("max error"),
    figures("first call"),
  ];
  let previous = "";
  const cells = lines(rows).map((line) => {
    const [row] = line;
    const again = row.task === previous;
    previous = row.task;
    return [
      again ? "" : row.task,
      again ? "" : row.label,
      row.engine,
      line.map(({ precision }) => precision).join(", "),
      ...figureCells(row, ourTiming(rows, row.task)),
    ];
  });
  return { columns, rows: cells };
}

/** The bars and whether they are reached. */
export function barTable(results: readonly BarResult[]): Table {
  const columns = [
    words("task"),
    words("speed"),
    figures("required"),
    figures("measured"),
    words("verdict"),
  ];
  const rows = results.map(({ task, what, required, measured, verdict }) => [
    task,
    what,
    required,
    measured,
    verdict,
  ]);
  return { columns, rows };
}

/** The ceilings. */
export function ceilingTable(ceilings: readonly Ceiling[]): Table {
  return {
    columns: [words("ceiling"), figures("rate")],
    rows: ceilings.map(({ name, rate, unit, note }) => [
      name,
      rate === undefined ? note ?? "" : showRate(rate, unit),
    ]),
  };
}

/** How it was measured: the tables' footer. */
export const METHOD: readonly string[] = [
  "Of our float32: the time as a multiple of this library's in float32, the median of the ratios within a round.",
  "One process, one adapter: in every round each library takes its turn. Times are medians; ratios are medians of the ratios within a round, so that a load that comes and goes falls on both sides.",
  "A sample is as many calls as fill it, started one after the other and waited for once. Every queue is waited for by reading one word back at once, which costs 0.05 to 0.3 ms where the peers' own waits cost up to 11.",
  "In the awaited task and in the scalar read each library waits as its users would, since that is what is measured there.",
  "The first call traces and compiles and is in no median. A shader cache on disk shortens it.",
  "The training step is the loss, its gradients and plain gradient descent, each step from where the last one ended; what is compared with float64 is the loss after three steps. @jax-js/jax has no gradient of a cast, so no half types there.",
  "A result that is far from float64 gets no figures.",
  "tfjs has no jit and no gelu: it runs operation by operation, gelu from its parts.",
];
