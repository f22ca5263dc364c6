// Sorting along the last axis. The order is numpy's: -0 equals 0, NaN is larger than everything else, and
// equal elements keep their order, in descending order too.

import type { DType } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import {
  type Derivative,
  type Operation,
  type Params,
  registerOperation,
  type Tensor,
} from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { addAlongAxis, takeAlongAxis } from "./indexing.ts";

/** What a sort gives: the elements in order, the positions (int32) they came from, or first the one, then the other. */
export type SortOutputs = "values" | "positions" | "both";

/** The static arguments of a sort. */
export interface SortParams extends Params {
  /** Largest first. */
  readonly descending: boolean;
  readonly outputs: SortOutputs;
}

/** The static argument of a selection. */
export interface TopKParams extends Params {
  readonly k: number;
}

function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The positions of the first `keep` elements of each sorted row. */
function sortedPositions(
  { shape, values }: Tensor,
  keep: number,
  descending: boolean,
): Float64Array {
  const length = shape[shape.length - 1]!;
  const rows = length === 0 ? 0 : values.length / length;
  const out = new Float64Array(rows * keep);
  for (let row = 0; row < rows; row++) {
    const line = values.subarray(row * length, (row + 1) * length);
    const order = Array.from(line.keys()).sort((i, j) =>
      descending ? compare(line[j]!, line[i]!) : compare(line[i]!, line[j]!)
    );
    out.set(order.slice(0, keep), row * keep);
  }
  return out;
}

function valuesAt({ shape, values }: Tensor, positions: Float64Array, keep: number): Float64Array {
  const length = shape[shape.length - 1]!;
  return positions.map((position, at) => values[Math.floor(at / keep) * length + position]!);
}

function resultsOf(aval: Aval, outputs: SortOutputs): Aval[] {
  const positions = { shape: aval.shape, dtype: "int32" as DType };
  if (outputs === "values") return [aval];
  return outputs === "positions" ? [positions] : [aval, positions];
}

/** The derivative of values that were only moved: their tangents move along. */
function movedBy<P extends Params>(
  positionsOf: (inputs: readonly Value[], outputs: readonly Value[], params: P) => Value,
): Derivative<P> {
  const lastAxis = (x: Value) => x.aval.shape.length - 1;
  return {
    kind: "structured",
    jvp: (inputs, [tangent], outputs, params) => [
      takeAlongAxis(tangent!, positionsOf(inputs, outputs, params), lastAxis(tangent!)),
    ],
    vjp: ([cotangent], inputs, outputs, params) => {
      const positions = positionsOf(inputs, outputs, params);
      const { shape } = inputs[0]!.aval;
      return [cotangent && addAlongAxis(cotangent, positions, shape.length - 1, shape)];
    },
  };
}

/** Each row of the last axis in order. */
export const sortOperation: Operation<SortParams> = registerOperation<SortParams>({
  name: "sort",
  precision: "follow",
  lower: { kind: "kernel", kernel: "sort" },
  aval: ([x], { outputs }) => resultsOf({ shape: x!.shape, dtype: x!.dtype }, outputs),
  evaluate: ([x], { descending, outputs }) => {
    const length = x!.shape[x!.shape.length - 1]!;
    const positions = sortedPositions(x!, length, descending);
    if (outputs === "positions") return [positions];
    const values = valuesAt(x!, positions, length);
    return outputs === "values" ? [values] : [values, positions];
  },
  derivative: movedBy(([x], outputs, { descending }) =>
    outputs[1] ?? sort(x!, descending, "positions")[0]!
  ),
  batch: ([x], _, params) => bind(sortOperation, params, x!),
});

/** The `k` largest elements of each row of the last axis, largest first, and their positions. */
export const topKOperation: Operation<TopKParams> = registerOperation<TopKParams>({
  name: "topK",
  precision: "follow",
  lower: { kind: "kernel", kernel: "topK" },
  aval: ([x], { k }) => {
    const { shape, dtype } = x!;
    const length = shape[shape.length - 1]!;
    if (k > length) {
      throw new RangeError(
        `Cannot topK: k must be at most the extent of the last axis, got ${k} for shape ${
          showShape(shape)
        }`,
      );
    }
    return resultsOf({ shape: [...shape.slice(0, -1), k], dtype }, "both");
  },
  evaluate: ([x], { k }, [output]) => {
    const positions = sizeOf(output!.shape) === 0
      ? new Float64Array()
      : sortedPositions(x!, k, true);
    return [valuesAt(x!, positions, k), positions];
  },
  derivative: movedBy((_, [, positions]) => positions!),
  batch: ([x], _, params) => bind(topKOperation, params, x!),
});

/** Sorts the last axis; the results are those that `outputs` names. */
export function sort(x: Value, descending: boolean, outputs: SortOutputs): readonly Value[] {
  return bind(sortOperation, { descending, outputs }, x);
}

/** The `k` largest of the last axis, and their positions. */
export function topK(x: Value, k: number): readonly Value[] {
  return bind(topKOperation, { k }, x);
}
