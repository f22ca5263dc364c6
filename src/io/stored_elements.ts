// The bytes of a tensor in a file as the bytes of an array on the device.

import { describe } from "../core/errors.ts";
import { encodeValues } from "../core/element_data.ts";
import type { StoredTensor } from "./safetensors_format.ts";

/** A tensor's elements as the device holds them, and whether reading them changed any. */
export interface DeviceElements {
  /** The elements, row-major, in the layout of an array of the tensor's dtype. */
  readonly bytes: Uint8Array;
  /** How many elements have a value that the narrower type cannot hold exactly. */
  readonly changed: number;
}

/** One number for each element. */
function numbersOf(
  bytes: Uint8Array,
  size: number,
  read: (view: DataView, index: number) => number,
): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(size);
  for (let i = 0; i < size; i++) values[i] = read(view, i);
  return values;
}

function float64Values({ size }: StoredTensor, bytes: Uint8Array): Float64Array {
  return numbersOf(bytes, size, (view, i) => view.getFloat64(8 * i, true));
}

function int64Values({ name, size }: StoredTensor, bytes: Uint8Array): Float64Array {
  return numbersOf(bytes, size, (view, i) => {
    const value = view.getBigInt64(8 * i, true);
    if (BigInt.asIntN(32, value) === value) return Number(value);
    throw new RangeError(
      `Cannot load safetensors: tensor ${describe(name)} is I64 and must fit into int32, ` +
        `got ${value} at ${i}`,
    );
  });
}

function checkBools({ name }: StoredTensor, bytes: Uint8Array): Uint8Array {
  const wrong = bytes.findIndex((byte) => byte > 1);
  if (wrong < 0) return bytes;
  throw new RangeError(
    `Cannot load safetensors: tensor ${describe(name)} is BOOL and must hold bytes of 0 and 1, ` +
      `got ${bytes[wrong]} at ${wrong}`,
  );
}

/** The numbers of a tensor whose type is not one of the device's; undefined where it is. */
function convertedValues(tensor: StoredTensor, bytes: Uint8Array): ArrayLike<number> | undefined {
  switch (tensor.storedType) {
    case "F64":
      return float64Values(tensor, bytes);
    case "I64":
      return int64Values(tensor, bytes);
    case "BOOL":
      return checkBools(tensor, bytes);
    case "U8":
      return bytes;
    case "I8":
      return numbersOf(bytes, tensor.size, (view, i) => view.getInt8(i));
    case "U16":
      return numbersOf(bytes, tensor.size, (view, i) => view.getUint16(2 * i, true));
    case "I16":
      return numbersOf(bytes, tensor.size, (view, i) => view.getInt16(2 * i, true));
    default:
      return undefined;
  }
}

/**
 * A tensor's elements for the device: float64 rounded to float32, int64 as int32, narrow integers widened,
 * and the bits of all others as they are.
 *
 * @throws RangeError if an int64 is outside int32, or a bool is neither 0 nor 1.
 */
export function deviceElements(tensor: StoredTensor, bytes: Uint8Array): DeviceElements {
  const values = convertedValues(tensor, bytes);
  if (values === undefined) return { bytes, changed: 0 };
  let changed = 0;
  if (tensor.storedType === "F64") {
    for (let i = 0; i < values.length; i++) {
      if (!Object.is(Math.fround(values[i]), values[i])) changed++;
    }
  }
  return { bytes: encodeValues(tensor.dtype, values), changed };
}
