// One row of a numerics report: what is said of one operation under one policy, and which rows are worse.

import type { FloatDType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Observation } from "./compared_run.ts";

/** What a numerics report says of one operation under one policy. Shares are of its elements, from 0 to 1. */
export interface NumericsRow {
  /** The policy's name; `"as written"` where the function was run as it is. */
  readonly policy: string;
  /** The operation, as the printed graph names it. */
  readonly op: string;
  /** The path of the module that it is part of; empty outside of modules. */
  readonly path: string;
  /** File, line and column of the user's program. */
  readonly source: string;
  /** The element type of its result. */
  readonly dtype: FloatDType;
  /** The shape of its result. */
  readonly shape: Shape;
  /** Whether it takes cotangents back. */
  readonly pass: "forward" | "backward";
  /** Zeros. */
  readonly zeroShare: number;
  /** Zeros among the elements that are not zero in float32. */
  readonly flushedShare: number;
  /** Elements below the type's smallest normal number, and not zero. */
  readonly subnormalShare: number;
  /** Infinities where float32 has none. */
  readonly overflowShare: number;
  /** How many elements are infinite or NaN. */
  readonly nonFinite: number;
  /** Whether infinities that float32 has not went in and did not come out: a finite result that is wrong. */
  readonly absorbedOverflow: boolean;
  /** Elements that an addition in a half type left as they were, though it changes them in float32. */
  readonly stalledShare: number;
  /** The largest distance from float32 in units in its last place in this type. */
  readonly maxUlps: number;
  /** The largest distance from float32 over the largest magnitude in float32. */
  readonly relativeError: number;
  /** The same of the worst of its inputs. */
  readonly inputError: number;
  /** The smallest magnitude in float32 that is not 0. */
  readonly minMagnitude: number;
  /** The largest magnitude in float32. */
  readonly maxMagnitude: number;
  /** How many elements have each of 64 binary exponents in float32, from 2**-44 on. */
  readonly bins: readonly number[];
}

/** A loss scale for the backward pass under one policy. */
export interface PolicyLossScale {
  /** The policy's name. */
  readonly policy: string;
  /** A power of two; 1 where none is needed. */
  readonly scale: number;
  /** What is lost without it and what with it. */
  readonly reason: string;
}

/** What a report consists of. */
export interface ReportContents {
  /** A row for each operation and policy, worst first. */
  readonly rows: readonly NumericsRow[];
  /** For each policy the loss scale that its half gradients ask for. */
  readonly lossScales: readonly PolicyLossScale[];
}

/** The row of an observation. */
export function rowOf(policy: string, observation: Observation): NumericsRow {
  const { node, statistics, stalled, absorbedOverflow, inputError } = observation;
  const { size, zero, flushed, subnormal, overflowed, infinite, nan, bins } = statistics;
  const { dtype, shape } = node.outputs[0]!.aval;
  const share = (count: number, of: number) => of === 0 ? 0 : count / of;
  return {
    policy,
    op: node.operation.name,
    path: node.path,
    // Most rows are never printed, and a line takes some time to find.
    get source() {
      return String(node.source ?? "");
    },
    dtype: dtype as FloatDType,
    shape,
    pass: node.pass ?? "forward",
    zeroShare: share(zero, size),
    flushedShare: share(flushed, bins.reduce((a, b) => a + b, 0)),
    subnormalShare: share(subnormal, size),
    overflowShare: share(overflowed, size),
    nonFinite: infinite + nan,
    absorbedOverflow,
    stalledShare: share(stalled, size),
    maxUlps: statistics.maxUlps,
    relativeError: statistics.relativeError,
    inputError,
    minMagnitude: statistics.minMagnitude,
    maxMagnitude: statistics.maxMagnitude,
    bins,
  };
}

/**
 * How bad a row is, as numbers that are compared one after the other: overflow where it is born, then where it is
 * absorbed or goes on, what is flushed to zero where that begins, sums that stall, and the error that the operation
 * adds to that of its inputs.
 */
function severity(row: NumericsRow): readonly number[] {
  const isBorn = Number.isFinite(row.inputError);
  return [
    isBorn ? row.overflowShare : 0,
    Number(row.absorbedOverflow),
    Number(row.nonFinite > 0),
    rounded(Math.max(row.flushedShare, row.stalledShare)),
    isBorn ? atMostWhole(row.relativeError) - atMostWhole(row.inputError) : 0,
    row.relativeError,
  ];
}

/** Shares count in steps of a hundredth: a few elements more do not outweigh everything else. */
const rounded = (share: number) => Math.round(100 * share);

/** What is wrong altogether is not worse for being divided by next to nothing. */
const atMostWhole = (error: number) => Math.min(error, 1);

/** Sorts rows, worst first; equally bad ones stay in the order in which they ran. */
export function worstFirst(rows: readonly NumericsRow[]): NumericsRow[] {
  const known = new Map(rows.map((row) => [row, severity(row)]));
  return [...rows].sort((a, b) => {
    const [first, second] = [known.get(a)!, known.get(b)!];
    const at = first.findIndex((value, i) => value !== second[i]);
    return at < 0 ? 0 : second[at]! > first[at]! ? 1 : -1;
  });
}
