// Scans: what the elements up to each one come to, along an axis.

import { isFloating } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import {
  type Derivative,
  type Operation,
  type Params,
  registerOperation,
} from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add, mul } from "./arithmetic.ts";
import { widened } from "./broadcast.ts";
import { astype } from "./cast.ts";
import { equal } from "./comparison.ts";
import { constant, iota } from "./constant.ts";
import { addAlongAxis, aroundAxis, takeAlongAxis } from "./indexing.ts";
import { logicalOr } from "./logic.ts";
import { pad, slice } from "./movement.ts";
import { isnan, where } from "./selection.ts";

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
  derivative: Derivative<ScanParams>,
): Operation<ScanParams> {
  const operation: Operation<ScanParams> = registerOperation<ScanParams>({
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
    derivative,
    batch: ([x], _, { axis, reverse }) => [scan(operation, x!, axis + 1, reverse)],
  });
  return operation;
}

/** The elements `by` places further along an axis (back, if negative), and `fill` where none came from. */
export function shiftAlong(x: Value, axis: number, by: number, fill: number): Value {
  const { shape, dtype } = x.aval;
  const along = (n: number) => shape.map((_, a) => a === axis ? n : 0);
  const padded = pad(x, constant(fill, dtype), along(Math.max(by, 0)), along(Math.max(-by, 0)));
  return slice(padded, along(Math.max(-by, 0)), shape.map(() => 1), shape);
}

/** y_i = factor_i y_(i-1) + term_i along an axis, in log2 n steps; `reverse` runs from the end. */
function linearRecurrence(factor: Value, term: Value, { axis, reverse }: ScanParams): Value {
  let [factors, terms] = [factor, term];
  const length = factor.aval.shape[axis]!;
  for (let reach = 1; reach < length; reach *= 2) {
    const by = reverse ? -reach : reach;
    terms = add(terms, mul(factors, shiftAlong(terms, axis, by, 0)));
    factors = mul(factors, shiftAlong(factors, axis, by, 1));
  }
  return terms;
}

/** Every partial product's slope: the product before an element, times what is multiplied on behind it. */
const productDerivative: Derivative<ScanParams> = {
  kind: "structured",
  jvp: ([x], [tangent], _, params) => {
    const wide = widened(x!);
    const before = productsBefore(wide, params);
    const out = linearRecurrence(wide, mul(before, widened(tangent!)), params);
    return [astype(out, x!.aval.dtype)];
  },
  vjp: ([cotangent], [x], _, params) => {
    const wide = widened(x!);
    const { axis, reverse } = params;
    const next = shiftAlong(wide, axis, reverse ? 1 : -1, 0);
    const behind = linearRecurrence(next, widened(cotangent!), { axis, reverse: !reverse });
    return [astype(mul(productsBefore(wide, params), behind), x!.aval.dtype)];
  },
};

function productsBefore(x: Value, { axis, reverse }: ScanParams): Value {
  return shiftAlong(scan(cumprodOperation, x, axis, reverse), axis, reverse ? -1 : 1, 1);
}

/** Where each extreme so far was found; of equal ones the last that was met. */
function extremePositions(x: Value, output: Value, { axis, reverse }: ScanParams): Value {
  const { shape } = x.aval;
  const found = logicalOr(equal(x, output), isnan(x));
  const places = where(found, iota(shape, axis, "int32"), reverse ? shape[axis]! : -1);
  return scan(reverse ? cumminOperation : cummaxOperation, places, axis, reverse);
}

const extremeDerivative: Derivative<ScanParams> = {
  kind: "structured",
  jvp: ([x], [tangent], [output], params) => [
    takeAlongAxis(tangent!, extremePositions(x!, output!, params), params.axis),
  ],
  vjp: ([cotangent], [x], [output], params) => {
    const positions = extremePositions(x!, output!, params);
    return [addAlongAxis(cotangent!, positions, params.axis, x!.aval.shape)];
  },
};

/** Sums, in float32 and rounded once each; integers wrap. */
export const cumsumOperation: Operation<ScanParams> = defineScan(
  "sum",
  "full",
  (a, b, floating) => floating ? a + b : (a + b) | 0,
  {
    kind: "linear",
    transpose: (cotangent, _, { axis, reverse }) => [
      scan(cumsumOperation, cotangent, axis, !reverse),
    ],
  },
);
/** Products, in float32 and rounded once each; integers wrap. */
export const cumprodOperation: Operation<ScanParams> = defineScan(
  "prod",
  "full",
  (a, b, floating) => floating ? a * b : Math.imul(a, b),
  productDerivative,
);
/** The largest so far; NaN stays. */
export const cummaxOperation: Operation<ScanParams> = defineScan(
  "max",
  "follow",
  (a, b) => Math.max(a, b),
  extremeDerivative,
);
/** The smallest so far; NaN stays. */
export const cumminOperation: Operation<ScanParams> = defineScan(
  "min",
  "follow",
  (a, b) => Math.min(a, b),
  extremeDerivative,
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
