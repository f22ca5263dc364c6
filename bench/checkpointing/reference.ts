// The gradient through a stack of feed-forward blocks in float64, one row at a time: rows do not mix.

import type { HostArray } from "../host_data.ts";
import { geluTanh, geluTanhDerivative, type ReferenceElement } from "../reference.ts";

/** A row times a matrix, with the columns innermost so that memory is walked in order. */
function rowTimes(row: Float64Array, { shape, values }: HostArray): Float64Array {
  const columns = shape[1];
  const out = new Float64Array(columns);
  row.forEach((factor, k) => {
    for (let j = 0; j < columns; j++) out[j] += factor * values[k * columns + j];
  });
  return out;
}

/** A row times the transpose of a matrix. */
function rowTimesTransposed(row: Float64Array, { shape, values }: HostArray): Float64Array {
  const [rows, columns] = shape;
  const out = new Float64Array(rows);
  for (let k = 0; k < rows; k++) {
    for (let j = 0; j < columns; j++) out[k] += row[j] * values[k * columns + j];
  }
  return out;
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, at) => value + b[at]);
}

/** Of half the sum of squares of `h + gelu(h @ up) @ down`, that many times over, for the first h. */
function rowGradient(row: Float64Array, up: HostArray, down: HostArray, blocks: number) {
  const before: Float64Array[] = [];
  let h = row;
  for (let i = 0; i < blocks; i++) {
    before.push(rowTimes(h, up));
    h = plus(h, rowTimes(before[i].map(geluTanh), down));
  }
  let cotangent = h;
  for (const inner of before.reverse()) {
    const toInner = rowTimesTransposed(cotangent, down)
      .map((value, at) => value * geluTanhDerivative(inner[at]));
    cotangent = plus(cotangent, rowTimesTransposed(toInner, up));
  }
  return cotangent;
}

/** Elements of the gradient through that many blocks. */
export function blocksGradientElement(blocks: number): ReferenceElement {
  return ([x, up, down], position) => {
    const features = x.shape[1];
    const start = position - position % features;
    const row = Float64Array.from(x.values.subarray(start, start + features));
    return rowGradient(row, up, down, blocks)[position % features];
  };
}
