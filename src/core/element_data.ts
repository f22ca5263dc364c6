// Elements between JavaScript and the device: numbers to the bytes a buffer holds, and back to the
// typed arrays that `data()` returns.
import { type DType, dtypes } from "./dtype.ts";
import { asFloat16Array, Float16ArrayClass, fromBfloat16Bits } from "./half.ts";
import { toBfloat16Bits, toFloat16Bits } from "./half.ts";

/**
 * What `data()` returns: float32 and bfloat16 come as `Float32Array`, float16 as `Float16Array`, int32
 * as `Int32Array`, uint32 as `Uint32Array` and bool as `Uint8Array` of 0 and 1.
 */
export type DataArray = Float32Array | Float16Array | Int32Array | Uint32Array | Uint8Array;

/** The constructor of one of the classes that `data()` returns. */
export interface DataArrayConstructor {
  /** An array of this many zeros. */
  new (length: number): DataArray;
  /** An array of these numbers, converted as the class converts. */
  new (values: ArrayLike<number>): DataArray;
  /** Bytes of one element on this side, where a bool takes one. */
  readonly BYTES_PER_ELEMENT: number;
}

const dataClasses: Readonly<Record<DType, DataArrayConstructor>> = {
  float32: Float32Array,
  float16: Float16ArrayClass,
  bfloat16: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
};

/** The class that `data()` returns for an array of `dtype`. */
export function typedArrayFor(dtype: DType): DataArrayConstructor {
  return dataClasses[dtype];
}

/**
 * The element type that a typed array has of its own: float32, float16, int32 or uint32, and
 * `undefined` for every other value, other typed arrays included.
 */
export function dtypeOfTypedArray(value: unknown): DType | undefined {
  if (value instanceof Float32Array) return "float32";
  if (value instanceof Float16ArrayClass) return "float16";
  if (value instanceof Int32Array) return "int32";
  if (value instanceof Uint32Array) return "uint32";
  return undefined;
}

function boolWords(values: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(values.length);
  // Not a truth test: NaN is true, as it is where NumPy and JAX convert to bool.
  for (let i = 0; i < words.length; i++) words[i] = Number(values[i]) === 0 ? 0 : 1;
  return words;
}

function encodeWords(
  dtype: DType,
  values: ArrayLike<number>,
):
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Uint16Array<
    ArrayBuffer
  > {
  switch (dtype) {
    case "float32":
      return new Float32Array(values);
    case "float16":
      return toFloat16Bits(values);
    case "bfloat16":
      return toBfloat16Bits(values);
    case "int32":
      return new Int32Array(values);
    case "uint32":
      return new Uint32Array(values);
    case "bool":
      return boolWords(values);
  }
}

/**
 * The bytes that an array of `dtype` with these elements has on the device, without padding at the
 * end: float32, int32 and uint32 words, 16-bit patterns of halves, and a `u32` of 0 or 1 for each
 * bool. Values are rounded as `roundTo` does. The result never shares memory with `values`.
 */
export function encodeValues(dtype: DType, values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encodeWords(dtype, values).buffer);
}

function boolBytes(words: Uint32Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(words.length);
  for (let i = 0; i < out.length; i++) out[i] = words[i] === 0 ? 0 : 1;
  return out;
}

/**
 * The first `count` elements of an array of `dtype` from its bytes on the device, as `data()` returns
 * them. The result never shares memory with `bytes`, which may be a mapping that is about to end.
 *
 * @throws RangeError if there are too few bytes.
 */
export function decodeBytes(dtype: DType, bytes: Uint8Array, count: number): DataArray {
  const needed = count * dtypes[dtype].bytes;
  if (bytes.byteLength < needed) {
    throw new RangeError(
      `Cannot decode ${count} elements of ${dtype}: ${needed} bytes are required, got ${bytes.byteLength}`,
    );
  }
  // A copy of our own is aligned, whatever the offset of `bytes` was.
  const buffer = bytes.slice(0, needed).buffer as ArrayBuffer;
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer);
    case "float16":
      return asFloat16Array(new Uint16Array(buffer));
    case "bfloat16":
      return fromBfloat16Bits(new Uint16Array(buffer));
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "bool":
      return boolBytes(new Uint32Array(buffer));
  }
}
