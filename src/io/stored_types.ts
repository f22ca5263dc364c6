// The element types of safetensors files, and what each becomes here.

import type { DType } from "../core/dtype.ts";

/** What the library knows about one element type of the format. */
export interface StoredType {
  /** The element type of the array that is made of it. */
  readonly dtype: DType;
  /** Bytes of one element in the file. */
  readonly bytes: number;
}

/** The types that are read, by the format's names; those not in {@linkcode storedNames} are converted. */
export const storedTypes: Readonly<Record<string, StoredType>> = {
  F32: { dtype: "float32", bytes: 4 },
  F16: { dtype: "float16", bytes: 2 },
  BF16: { dtype: "bfloat16", bytes: 2 },
  I32: { dtype: "int32", bytes: 4 },
  U32: { dtype: "uint32", bytes: 4 },
  BOOL: { dtype: "bool", bytes: 1 },
  F64: { dtype: "float32", bytes: 8 },
  I64: { dtype: "int32", bytes: 8 },
  U8: { dtype: "uint32", bytes: 1 },
  I8: { dtype: "int32", bytes: 1 },
  U16: { dtype: "uint32", bytes: 2 },
  I16: { dtype: "int32", bytes: 2 },
};

/**
 * The format's name of each type, in the order in which the reference implementation writes tensors: the
 * widest first, so that each starts where its type requires.
 */
export const storedNames: Readonly<Record<DType, string>> = {
  float32: "F32",
  uint32: "U32",
  int32: "I32",
  bfloat16: "BF16",
  float16: "F16",
  bool: "BOOL",
};

/** Bytes of `size` elements of a type in a file. */
export function storedBytes(dtype: DType, size: number): number {
  return storedTypes[storedNames[dtype]]!.bytes * size;
}
