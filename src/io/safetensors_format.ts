// The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes without
// gaps. Everything in a file is checked before anything is made from it: files come from strangers.
// Format: https://github.com/huggingface/safetensors#format

import type { DType } from "../core/dtype.ts";
import { describe, isPlainObject, showShape } from "../core/errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { metadataKey } from "./safetensors_layout.ts";
import { storedTypes } from "./stored_types.ts";
import { parseJson } from "./strict_json.ts";

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
  /** Where its bytes start in the file. */
  readonly begin: number;
  /** Where they end. */
  readonly end: number;
}

/** What a file holds. */
export interface StoredFile {
  /** In the header's order. */
  readonly tensors: readonly StoredTensor[];
  /** The words beside the tensors. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The longest header that the reference implementation accepts, in bytes. */
export const longestHeader = 100_000_000;

/** What every message of this file starts with. */
const failed = "Cannot load safetensors";

/** Where the header ends, before anything is allocated for it. */
async function headerEnd(source: ByteSource): Promise<number> {
  if (source.size < 8) {
    throw new RangeError(
      `${failed}: a file starts with 8 bytes of header length, got ${source.size} bytes`,
    );
  }
  const start = await source.read(0, 8);
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length > Math.min(longestHeader, source.size - 8)) {
    throw new RangeError(
      `${failed}: the header must fit into the file's ${source.size} bytes and into ${longestHeader}, ` +
        `got a header length of ${length}; is this a safetensors file?`,
    );
  }
  return 8 + Number(length);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  const header = parseJson(`${failed}: the header`, bytes);
  if (isPlainObject(header)) return header;
  throw new TypeError(`${failed}: the header must be a JSON object, got ${describe(header)}`);
}

function checkMetadata(metadata: unknown): ReadonlyMap<string, string> {
  const entries = isPlainObject(metadata) ? Object.entries(metadata) : undefined;
  if (entries?.every((entry): entry is [string, string] => typeof entry[1] === "string")) {
    return new Map(entries);
  }
  throw new TypeError(
    `${failed}: ${metadataKey} must be an object of strings, got ${describe(metadata)}`,
  );
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

function checkTensor(
  name: string,
  entry: unknown,
  dataStart: number,
  available: number,
): StoredTensor {
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
  const [begin, end] = checkOffsets(where, entry.data_offsets, available);
  if (end - begin !== size * bytes) {
    throw new RangeError(
      `${where}: ${showShape(shape)} of ${storedType} takes ${size * bytes} bytes, ` +
        `got data_offsets [${begin}, ${end}]`,
    );
  }
  return { name, storedType, dtype, shape, size, begin: dataStart + begin, end: dataStart + end };
}

/** The format forbids gaps and overlaps: a byte that two tensors share, or none, hides something. */
function checkCoverage(
  tensors: readonly StoredTensor[],
  dataStart: number,
  fileSize: number,
): void {
  const byStart = [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = dataStart;
  for (const { name, begin, end } of byStart) {
    if (begin !== covered) {
      const wrong = begin < covered ? "overlaps the tensor before it" : "leaves a gap before it";
      throw new RangeError(
        `${failed}: tensors must follow one another without gaps, but ${describe(name)} ${wrong}`,
      );
    }
    covered = end;
  }
  if (covered !== fileSize) {
    throw new RangeError(
      `${failed}: the tensors take ${covered - dataStart} bytes, but the file holds ${
        fileSize - dataStart
      }`,
    );
  }
}

/**
 * Reads the header of a safetensors file and checks all that it says.
 *
 * @throws TypeError for a header that is not what the format describes, or an unknown element type.
 * @throws RangeError for sizes and offsets that do not fit one another or the file.
 */
export async function readStoredFile(source: ByteSource): Promise<StoredFile> {
  const dataStart = await headerEnd(source);
  const header = parseHeader(await source.read(8, dataStart));
  const entries = Object.entries(header);
  const metadata = Object.hasOwn(header, metadataKey) ? header[metadataKey] : {};
  const tensors = entries
    .filter(([name]) => name !== metadataKey)
    .map(([name, entry]) => checkTensor(name, entry, dataStart, source.size - dataStart));
  checkCoverage(tensors, dataStart, source.size);
  return { tensors, metadata: checkMetadata(metadata) };
}
