// Contraction: the general dot product, from which matmul, einsum and tensordot are made.

import { type DType, isFloating, promoteTypes } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import { rowMajorStrides, type Shape, sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import { type Operation, registerOperation, type Tensor } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add } from "./arithmetic.ts";
import { transpose } from "./movement.ts";

/** Which axes of the two operands are multiplied and summed, and which run in parallel. */
export interface DotDimensions {
  readonly contracting: readonly [readonly number[], readonly number[]];
  readonly batch: readonly [readonly number[], readonly number[]];
}

/** The static arguments of a dot product. */
export interface DotParams extends DotDimensions {
  readonly [key: string]: unknown;
  /** Dtype in which the float32 sum is stored; by default the operands' promoted type. */
  readonly preferredElementType?: DType;
}

/** The axes that are neither contracted nor batched, in order. */
export function freeAxes(
  rank: number,
  contracting: readonly number[],
  batch: readonly number[],
): number[] {
  return Array.from({ length: rank }, (_, axis) => axis)
    .filter((axis) => !contracting.includes(axis) && !batch.includes(axis));
}

function dotAval([a, b]: readonly Aval[], params: DotParams): Aval {
  const { contracting: [ca, cb], batch: [ba, bb] } = params;
  const check = (what: string, as: readonly number[], bs: readonly number[]) => {
    if (as.length === bs.length && as.every((axis, i) => a!.shape[axis] === b!.shape[bs[i]!])) {
      return;
    }
    throw new RangeError(
      `Cannot dotGeneral: ${what} sizes must match, got ${
        showShape(as.map((i) => a!.shape[i]!))
      } and ${showShape(bs.map((i) => b!.shape[i]!))} of shapes ${showShape(a!.shape)} and ${
        showShape(b!.shape)
      }`,
    );
  };
  check("contracting", ca, cb);
  check("batch", ba, bb);
  const shape = [
    ...ba.map((axis) => a!.shape[axis]!),
    ...freeAxes(a!.shape.length, ca, ba).map((axis) => a!.shape[axis]!),
    ...freeAxes(b!.shape.length, cb, bb).map((axis) => b!.shape[axis]!),
  ];
  return { shape, dtype: params.preferredElementType ?? promoteTypes([a!, b!]).dtype };
}

/** Brings an operand to [batch, free, contracted] order in one array of each. */
function arrange(
  t: Tensor,
  batch: readonly number[],
  free: readonly number[],
  contracted: readonly number[],
): Float64Array {
  const axes = [...batch, ...free, ...contracted];
  const strides = rowMajorStrides(t.shape);
  const out = new Float64Array(sizeOf(t.shape));
  const walk = (depth: number, source: number, position: number): number => {
    if (depth === axes.length) {
      out[position] = t.values[source]!;
      return position + 1;
    }
    for (let i = 0; i < t.shape[axes[depth]!]!; i++) {
      position = walk(depth + 1, source + i * strides[axes[depth]!]!, position);
    }
    return position;
  };
  walk(0, 0, 0);
  return out;
}

function dotReference([a, b]: readonly Tensor[], params: DotParams, output: Aval): Float64Array {
  const { contracting: [ca, cb], batch: [ba, bb] } = params;
  const left = arrange(a!, ba, freeAxes(a!.shape.length, ca, ba), ca);
  const right = arrange(b!, bb, freeAxes(b!.shape.length, cb, bb), cb);
  const extent = (shape: Shape, axes: readonly number[]) =>
    axes.reduce((n, axis) => n * shape[axis]!, 1);
  const k = extent(a!.shape, ca);
  const batches = extent(a!.shape, ba);
  const m = batches * k === 0 ? 0 : left.length / batches / k;
  const n = batches * k === 0 ? 0 : right.length / batches / k;
  const out = new Float64Array(sizeOf(output.shape));
  const floating = isFloating(output.dtype);
  for (let batch = 0, o = 0; batch < batches && k > 0; batch++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++, o++) {
        const x = (batch * m + i) * k;
        const y = (batch * n + j) * k;
        let sum = 0;
        if (floating) { for (let c = 0; c < k; c++) sum += left[x + c]! * right[y + c]!; }
        else for (let c = 0; c < k; c++) sum = (sum + Math.imul(left[x + c]!, right[y + c]!)) | 0;
        out[o] = sum;
      }
    }
  }
  return out;
}

/** The product of two arrays summed over the contracting axes: float32 accumulation, one rounding. */
export const dotGeneralOperation: Operation<DotParams> = registerOperation({
  name: "dotGeneral",
  precision: "half",
  operandTypes: "own",
  lower: { kind: "contraction" },
  aval: dotAval,
  evaluate: ([a, b], params, [output]) => [dotReference([a!, b!], params, output!)],
  derivative: {
    kind: "structured",
    jvp: ([a, b], [da, db], _, params) => {
      const terms = [da && dotGeneral(da, b!, params), db && dotGeneral(a!, db, params)]
        .filter((term) => term !== undefined);
      return [terms.length === 2 ? add(terms[0]!, terms[1]!) : terms[0]];
    },
    vjp: ([cotangent], [a, b], _, params) => [
      dotTranspose(cotangent!, a!, b!, params, "a"),
      dotTranspose(cotangent!, a!, b!, params, "b"),
    ],
  },
  batch: ([a, b], [aBatched, bBatched], params) => [batchDot(a!, b!, aBatched!, bBatched!, params)],
});

/** A type to store a product in; undefined if it is the operands' own: what is stated holds under any policy. */
export function unlessPromoted(dtype: DType | undefined, a: Value, b: Value): DType | undefined {
  return dtype === promoteTypes([a.aval, b.aval]).dtype ? undefined : dtype;
}

/**
 * The cotangent of one operand: the result's cotangent contracted with the other operand over that one's
 * free axes, its axes then brought to the operand's order. Stored once, in the operand's dtype.
 */
function dotTranspose(
  cotangent: Value,
  a: Value,
  b: Value,
  params: DotParams,
  side: "a" | "b",
): Value {
  const { contracting: [ca, cb], batch: [ba, bb] } = params;
  const range = (start: number, count: number) =>
    Array.from({ length: count }, (_, i) => start + i);
  const fa = freeAxes(a.aval.shape.length, ca, ba);
  const fb = freeAxes(b.aval.shape.length, cb, bb);
  const batch = range(0, ba.length);
  const [x, other, mine, theirs] = side === "a"
    ? [a, b, { c: ca, b: ba, f: fa }, { c: cb, b: bb, f: fb }]
    : [b, a, { c: cb, b: bb, f: fb }, { c: ca, b: ba, f: fa }];
  const otherFree = side === "a"
    ? range(ba.length + fa.length, fb.length)
    : range(ba.length, fa.length);
  const back = dotGeneral(cotangent, other, {
    contracting: [otherFree, theirs.f],
    batch: [batch, theirs.b],
    preferredElementType: unlessPromoted(x.aval.dtype, cotangent, other),
  });
  // What comes out is [batch, my free axes, the contracted axes in the order in which the other has them].
  const contracted = freeAxes(other.aval.shape.length, theirs.f, theirs.b).map((axis) =>
    mine.c[theirs.c.indexOf(axis)]!
  );
  const order = [...mine.b, ...mine.f, ...contracted];
  return transpose(back, order.map((_, axis) => order.indexOf(axis)));
}

/** A leading batch axis becomes a batch dimension where both have it, else a free axis moved to the front. */
function batchDot(
  a: Value,
  b: Value,
  aBatched: boolean,
  bBatched: boolean,
  params: DotParams,
): Value {
  const shift = (axes: readonly number[], by: boolean) => by ? axes.map((axis) => axis + 1) : axes;
  const { contracting: [ca, cb], batch: [ba, bb], preferredElementType } = params;
  const contracting = [shift(ca, aBatched), shift(cb, bBatched)] as const;
  const batch = [shift(ba, aBatched), shift(bb, bBatched)] as const;
  if (aBatched && bBatched) {
    return dotGeneral(a, b, {
      contracting,
      batch: [[0, ...batch[0]], [0, ...batch[1]]],
      preferredElementType,
    });
  }
  const out = dotGeneral(a, b, { contracting, batch, preferredElementType });
  const rank = out.aval.shape.length;
  const position = aBatched ? ba.length : ba.length + freeAxes(a.aval.shape.length, ca, ba).length;
  const rest = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== position);
  return transpose(out, [position, ...rest]);
}

/** See {@linkcode dotGeneralOperation}. Operands may differ in dtype: neither is converted beforehand. */
export function dotGeneral(a: Value, b: Value, params: DotParams): Value {
  return bind1(dotGeneralOperation, params, a, b);
}
