// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes without
// gaps. Everything in a file is checked before anything is made from it: files come from strangers.
// Format: https://github.com/huggingface/safetensors#format

import type { DType } from "../core/dtype.ts";
import { type DataArray, decodeBytes } from "../core/element_data.ts";
import { describe, isPlainObject, showShape } from "../core/errors.ts";

/** One tensor of a file: what the header says of it, checked. */
export interface StoredTensor {
  /** Its name in the header. */
  readonly name: string;
  /** The element type in the file, as the format names it: `F32`, `BF16`, ... */
  readonly storedType: string;
  /** The element type of the array that it becomes. */
  readonly dtype: DType;
  /** Its extents. */
  readonly shape: readonly number[];
  /** The number of its elements. */
  readonly size: number;
  /** Its bytes, in the file's memory. */
  readonly bytes: Uint8Array;
}

/** A tensor's elements, and whether reading them changed any. */
export interface StoredValues {
  /** Flat, row-major. */
  readonly values: DataArray;
  /** The number of elements whose value the narrower type cannot hold exactly. */
  readonly changed: number;
}

/** The longest header that the reference implementation accepts, in bytes. */
const longestHeader = 100_000_000;

const storedTypes: Readonly<Record<string, { dtype: DType; bytes: number }>> = {
  F32: { dtype: "float32", bytes: 4 },
  F16: { dtype: "float16", bytes: 2 },
  BF16: { dtype: "bfloat16", bytes: 2 },
  I32: { dtype: "int32", bytes: 4 },
  U32: { dtype: "uint32", bytes: 4 },
  BOOL: { dtype: "bool", bytes: 1 },
  F64: { dtype: "float32", bytes: 8 },
  I64: { dtype: "int32", bytes: 8 },
};

/** What every message of this file starts with. */
const failed = "Cannot load safetensors";

function readHeader(file: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (file.byteLength < 8) {
    throw new RangeError(
      `${failed}: a file starts with 8 bytes of header length, got ${file.byteLength} bytes`,
    );
  }
  const length = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true);
  const room = Math.min(longestHeader, file.byteLength - 8);
  if (length > room) {
    throw new RangeError(
      `${failed}: the header must fit into the file's ${file.byteLength} bytes and into ${longestHeader}, ` +
        `got a header length of ${length}; is this a safetensors file?`,
    );
  }
  const dataStart = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        file.subarray(8, dataStart),
      ),
    );
  } catch (error) {
    throw new TypeError(`${failed}: the header must be JSON in UTF-8, got something else`, {
      cause: error,
    });
  }
  if (!isPlainObject(header)) {
    throw new TypeError(`${failed}: the header must be a JSON object, got ${describe(header)}`);
  }
  return { header, dataStart };
}

function checkExtents(where: string, shape: unknown): { shape: number[]; size: number } {
  const isExtent = (extent: unknown) => Number.isSafeInteger(extent) && Number(extent) >= 0;
  if (!Array.isArray(shape) || !shape.every(isExtent)) {
    throw new TypeError(
      `${where}: shape must be an array of integers of at least 0, got ${describe(shape)}`,
    );
  }
  const size = shape.reduce((product: number, extent: number) => product * extent, 1);
  // Zero times an extent past 2**53 would hide an overflow, so every partial product must be exact.
  const largest = shape.reduce((product: number, extent: number) => product * (extent || 1), 1);
  if (!Number.isSafeInteger(largest)) {
    throw new RangeError(`${where}: ${showShape(shape)} has more elements than can be counted`);
  }
  return { shape, size };
}

function checkOffsets(where: string, offsets: unknown, available: number): [number, number] {
  if (
    !Array.isArray(offsets) || offsets.length !== 2 ||
    !offsets.every((offset) => Number.isSafeInteger(offset))
  ) {
    throw new TypeError(
      `${where}: data_offsets must be two integers, got ${describe(offsets)}`,
    );
  }
  const [begin, end]: number[] = offsets;
  if (begin < 0 || begin > end || end > available) {
    throw new RangeError(
      `${where}: data_offsets must rise inside the file's ${available} bytes of data, got [${begin}, ${end}]`,
    );
  }
  return [begin, end];
}

function checkTensor(name: string, entry: unknown, data: Uint8Array): StoredTensor {
  const where = `${failed}: tensor ${describe(name)}`;
  if (!isPlainObject(entry)) {
    throw new TypeError(
      `${where} must be an object with dtype, shape and data_offsets, got ${describe(entry)}`,
    );
  }
  const storedType = entry.dtype;
  if (typeof storedType !== "string" || !Object.hasOwn(storedTypes, storedType)) {
    const allowed = Object.keys(storedTypes).join(", ");
    throw new TypeError(`${where}: dtype must be one of ${allowed}; got ${describe(storedType)}`);
  }
  const { dtype, bytes } = storedTypes[storedType];
  const { shape, size } = checkExtents(where, entry.shape);
  const [begin, end] = checkOffsets(where, entry.data_offsets, data.byteLength);
  if (end - begin !== size * bytes) {
    throw new RangeError(
      `${where}: ${showShape(shape)} of ${storedType} takes ${size * bytes} bytes, ` +
        `got data_offsets [${begin}, ${end}]`,
    );
  }
  return { name, storedType, dtype, shape, size, bytes: data.subarray(begin, end) };
}

/** The format forbids gaps and overlaps: a byte that two tensors share, or none, hides something. */
function checkCoverage(tensors: readonly StoredTensor[], data: Uint8Array): void {
  const byStart = [...tensors].sort((a, b) =>
    a.bytes.byteOffset - b.bytes.byteOffset || a.bytes.byteLength - b.bytes.byteLength
  );
  let covered = 0;
  for (const { name, bytes } of byStart) {
    const begin = bytes.byteOffset - data.byteOffset;
    if (begin !== covered) {
      const wrong = begin < covered ? "overlaps the tensor before it" : "leaves a gap before it";
      throw new RangeError(
        `${failed}: tensors must follow one another without gaps, but ${describe(name)} ${wrong}`,
      );
    }
    covered += bytes.byteLength;
  }
  if (covered !== data.byteLength) {
    throw new RangeError(
      `${failed}: the tensors take ${covered} bytes, but the file holds ${data.byteLength}`,
    );
  }
}

/**
 * Reads the header of a safetensors file and checks all that it says.
 *
 * @throws TypeError for a header that is not what the format describes, or an unknown element type.
 * @throws RangeError for sizes and offsets that do not fit one another or the file.
 */
export function parseSafetensors(file: Uint8Array): StoredTensor[] {
  const { header, dataStart } = readHeader(file);
  const data = file.subarray(dataStart);
  const tensors = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => checkTensor(name, entry, data));
  checkCoverage(tensors, data);
  return tensors;
}

function narrowFloats(bytes: Uint8Array, size: number): StoredValues {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(size);
  let changed = 0;
  for (let i = 0; i < size; i++) {
    const value = view.getFloat64(8 * i, true);
    values[i] = value;
    if (!Object.is(values[i], value)) changed++;
  }
  return { values, changed };
}

function narrowIntegers({ name, bytes, size }: StoredTensor): StoredValues {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const value = view.getBigInt64(8 * i, true);
    if (BigInt.asIntN(32, value) !== value) {
      throw new RangeError(
        `${failed}: tensor ${describe(name)} is I64 and must fit into int32, got ${value} at ${i}`,
      );
    }
    values[i] = Number(value);
  }
  return { values, changed: 0 };
}

function readBools({ name, bytes }: StoredTensor): StoredValues {
  const wrong = bytes.findIndex((byte) => byte > 1);
  if (wrong >= 0) {
    throw new RangeError(
      `${failed}: tensor ${describe(name)} is BOOL and must hold bytes of 0 and 1, ` +
        `got ${bytes[wrong]} at ${wrong}`,
    );
  }
  return { values: bytes.slice(), changed: 0 };
}

/**
 * A tensor's elements as numbers: float64 rounded to float32, int64 as int32.
 *
 * @throws RangeError if an int64 is outside int32, or a bool is neither 0 nor 1.
 */
export function storedValues(tensor: StoredTensor): StoredValues {
  switch (tensor.storedType) {
    case "F64":
      return narrowFloats(tensor.bytes, tensor.size);
    case "I64":
      return narrowIntegers(tensor);
    case "BOOL":
      return readBools(tensor);
    default:
      return { values: decodeBytes(tensor.dtype, tensor.bytes, tensor.size), changed: 0 };
  }
}
