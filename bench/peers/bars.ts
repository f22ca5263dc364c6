// The speeds that this library sets out to reach, each as a ratio in one run on one machine.

import { duration, ratio } from "../report/quantities.ts";
import { medianRatio, type Timing } from "../run/timing.ts";
import { OURS } from "./engine.ts";
import type { Row } from "./rows.ts";

/** A speed to reach. */
export interface SpeedBar {
  readonly task: string;
  readonly what: string;
  readonly required: number;
  /** `at least` for how many times faster; `at most` for milliseconds and shares of another's time. */
  readonly sense: "at least" | "at most";
  readonly unit: "x" | "ms";
  /** The figure, or undefined where a row that it needs was not measured. */
  measure(rows: readonly Row[]): number | undefined;
}

/** What became of a bar. */
export interface BarResult {
  readonly task: string;
  readonly what: string;
  readonly required: string;
  readonly measured: string;
  readonly verdict: "pass" | "FAIL" | "not measured";
}

/** The timing of the fastest of some rows. */
function fastest(rows: readonly Row[], accept: (row: Row) => boolean): Timing | undefined {
  const timings = rows.filter(accept).flatMap(({ timing }) => timing ? [timing] : []);
  return timings.sort((a, b) => a.medianMs - b.medianMs)[0];
}

/** One time over another, where both are known. */
function quotient(over: Timing | undefined, under: Timing | undefined): number | undefined {
  return over === undefined || under === undefined ? undefined : medianRatio(over, under);
}

const oursInFloat32 = ({ engine, precision }: Row) => engine === OURS && precision === "float32";
const oursInHalf = ({ engine, precision }: Row) => engine === OURS && precision !== "float32";
const peerInFloat32 = ({ engine, precision }: Row) => engine !== OURS && precision === "float32";

function fasterThanPeers(task: string, required: number): SpeedBar {
  return {
    task,
    what: "float32, times faster than the faster peer",
    required,
    sense: "at least",
    unit: "x",
    measure: (rows) => quotient(fastest(rows, peerInFloat32), fastest(rows, oursInFloat32)),
  };
}

/** Every bar. */
export const SPEED_BARS: readonly SpeedBar[] = [
  fasterThanPeers("matmul", 10),
  {
    task: "matmul",
    what: "the better half type, times faster than our float32",
    required: 1.1,
    sense: "at least",
    unit: "x",
    measure: (rows) => quotient(fastest(rows, oursInFloat32), fastest(rows, oursInHalf)),
  },
  fasterThanPeers("gelu(a * x + b)", 2.5),
  fasterThanPeers("gelu(a * x + b), awaited", 2.5),
  fasterThanPeers("softmax", 3),
  fasterThanPeers("layer norm", 3),
  fasterThanPeers("MLP forward", 8),
  fasterThanPeers("training step", 10),
  {
    task: "training step",
    what: "the better half type, times faster than our float32",
    required: 1,
    sense: "at least",
    unit: "x",
    measure: (rows) => quotient(fastest(rows, oursInFloat32), fastest(rows, oursInHalf)),
  },
  {
    task: "chain",
    what: "a jitted call, share of @jax-js/jax's time",
    required: 0.6,
    sense: "at most",
    unit: "x",
    measure: (rows) =>
      quotient(
        fastest(rows, oursInFloat32),
        fastest(rows, ({ engine }) => engine === "@jax-js/jax"),
      ),
  },
  {
    task: "scalar read",
    what: "a step and reading its scalar",
    required: 0.5,
    sense: "at most",
    unit: "ms",
    measure: (rows) => fastest(rows, oursInFloat32)?.medianMs,
  },
];

/** Holds rows against the bars of the tasks that were measured. */
export function judge(rows: readonly Row[]): BarResult[] {
  const tasks = new Set(rows.map(({ task }) => task));
  return SPEED_BARS.filter(({ task }) => tasks.has(task)).map((bar) => {
    const { task, what, required, sense, unit } = bar;
    const measured = bar.measure(rows.filter((row) => row.task === task));
    const show = unit === "x" ? ratio : duration;
    const reached = measured !== undefined &&
      (sense === "at least" ? measured >= required : measured <= required);
    return {
      task,
      what,
      required: `${sense} ${show(required)}`,
      measured: measured === undefined ? "" : show(measured),
      verdict: measured === undefined ? "not measured" : reached ? "pass" : "FAIL",
    };
  });
}
