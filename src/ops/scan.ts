// Scans: what the elements up to each one come to, along an axis.

import { isFloating } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { aroundAxis } from "./indexing.ts";

/** How a scan joins two values. */
export type ScanCombiner = "sum" | "prod" | "max" | "min";

/** The static arguments of a scan. */
export interface ScanParams extends Params {
  readonly axis: number;
  /** From the end of the axis to its beginning. */
  readonly reverse: boolean;
}

/** The combiner of each scan by the operation's name, which is all that a graph keeps. */
export const scanCombiners: ReadonlyMap<string, ScanCombiner> = new Map(
  (["sum", "prod", "max", "min"] as const).map((combiner) => [`cum${combiner}`, combiner]),
);

function defineScan(
  combiner: ScanCombiner,
  precision: "full" | "follow",
  join: (a: number, b: number, floating: boolean) => number,
): Operation<ScanParams> {
  return registerOperation<ScanParams>({
    name: `cum${combiner}`,
    precision,
    lower: { kind: "kernel", kernel: "scan" },
    aval: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
    evaluate: ([x], { axis, reverse }, [output]) => {
      const out = new Float64Array(sizeOf(output!.shape));
      const { outer, n, inner } = aroundAxis(x!.shape, axis);
      const floating = isFloating(x!.dtype);
      for (let line = 0; line < outer * inner; line++) {
        const origin = Math.floor(line / inner) * n * inner + line % inner;
        let sum: number | undefined;
        for (let i = 0; i < n; i++) {
          const at = origin + (reverse ? n - 1 - i : i) * inner;
          sum = sum === undefined ? x!.values[at]! : join(sum, x!.values[at]!, floating);
          out[at] = sum;
        }
      }
      return [out];
    },
  });
}

/** Sums, in float32 and rounded once each; integers wrap. */
export const cumsumOperation: Operation<ScanParams> = defineScan(
  "sum",
  "full",
  (a, b, floating) => floating ? a + b : (a + b) | 0,
);
/** Products, in float32 and rounded once each; integers wrap. */
export const cumprodOperation: Operation<ScanParams> = defineScan(
  "prod",
  "full",
  (a, b, floating) => floating ? a * b : Math.imul(a, b),
);
/** The largest so far; NaN stays. */
export const cummaxOperation: Operation<ScanParams> = defineScan(
  "max",
  "follow",
  (a, b) => Math.max(a, b),
);
/** The smallest so far; NaN stays. */
export const cumminOperation: Operation<ScanParams> = defineScan(
  "min",
  "follow",
  (a, b) => Math.min(a, b),
);

/** Applies a scan along an axis. */
export function scan(
  operation: Operation<ScanParams>,
  x: Value,
  axis: number,
  reverse: boolean,
): Value {
  return bind1(operation, { axis, reverse }, x);
}
