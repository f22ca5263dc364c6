// Values that come from nowhere: a scalar literal and the coordinate along an axis.

import type { DType, WeakKind } from "../core/dtype.ts";
import { rowMajorStrides, type Shape, sizeOf } from "../core/shape.ts";
import { type Operation, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";

/** One number. Kernels read it as a parameter, so that another number makes no new kernel. */
export const constantOperation: Operation<{ value: number; dtype: DType; weak?: WeakKind }> =
  registerOperation({
    name: "constant",
    precision: "follow",
    lower: { kind: "constant" },
    aval: (_, { dtype, weak }) => ({ shape: [], dtype, weak }),
    evaluate: (_, { value }) => [Float64Array.of(value)],
  });

/** The coordinate along one axis at every element of a shape. */
export const iotaOperation: Operation<{ shape: Shape; axis: number; dtype: DType }> =
  registerOperation({
    name: "iota",
    precision: "follow",
    lower: { kind: "iota" },
    aval: (_, { shape, dtype }) => ({ shape, dtype }),
    evaluate: (_, { shape, axis }) => {
      const stride = rowMajorStrides(shape)[axis] ?? 1;
      const extent = shape[axis] ?? 1;
      return [
        Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.floor(i / stride) % extent),
      ];
    },
  });

/** A scalar of a dtype. */
export function constant(value: number, dtype: DType, weak?: WeakKind): Value {
  return bind1(constantOperation, { value, dtype, weak });
}

/** Coordinates along `axis` in a shape. */
export function iota(shape: Shape, axis: number, dtype: DType): Value {
  return bind1(iotaOperation, { shape, axis, dtype });
}
