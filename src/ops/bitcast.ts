// The same bits under another dtype.

import type { DType } from "../core/dtype.ts";
import { decodeBytes, encodeValues } from "../core/element_data.ts";
import { type Operation, type Params, registerOperation } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";

/** The types that a bitcast knows: those of 32 bits in which every pattern is a value. */
export type WordDType = "float32" | "int32" | "uint32";

/** The static argument of a bitcast. */
export interface BitcastParams extends Params {
  readonly dtype: WordDType;
}

const vectors: Readonly<Record<WordDType, string>> = {
  float32: "vec4f",
  int32: "vec4i",
  uint32: "vec4u",
};

/** Whether a dtype can be reinterpreted. */
export function isWordDType(dtype: DType): dtype is WordDType {
  return Object.hasOwn(vectors, dtype);
}

/** Reinterprets the bits of 32-bit elements. */
export const bitcastOperation: Operation<BitcastParams> = registerOperation<BitcastParams>({
  name: "bitcast",
  precision: "keep",
  lower: {
    kind: "elementwise",
    exact: true,
    wgsl: ([x], { params }) => `bitcast<${vectors[params.dtype]}>(${x})`,
  },
  derivative: { kind: "zero" },
  aval: ([x], { dtype }) => {
    if (isWordDType(x!.dtype)) return { shape: x!.shape, dtype };
    throw new TypeError(`Cannot bitcast: elements of 32 bits are required, got ${x!.dtype}`);
  },
  evaluate: ([x], { dtype }) => [
    Float64Array.from(decodeBytes(dtype, encodeValues(x!.dtype, x!.values), x!.values.length)),
  ],
});

/** The bits of `x` as elements of another type of the same width. */
export function bitcast(x: Value, dtype: WordDType): Value {
  return bind1(bitcastOperation, { dtype }, x);
}
