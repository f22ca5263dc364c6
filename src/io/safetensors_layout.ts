// Where the tensors of a safetensors file go, and its header, both as the reference implementation has them.

import type { DType } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { storedBytes, storedNames } from "./stored_types.ts";

/** A tensor to be written. */
export interface NamedTensor {
  /** Its name in the header. */
  readonly name: string;
  /** Its element type, which the file keeps. */
  readonly dtype: DType;
  /** Its extents. */
  readonly shape: Shape;
}

/** Words that a file carries beside its tensors. */
export type Metadata = Readonly<Record<string, string>>;

/** The key of the header's metadata, which no tensor may have for a name. */
export const metadataKey = "__metadata__";

/** The data starts at a multiple of this many bytes: the header is filled up with spaces. */
const alignment = 8;

const typeOrder = Object.keys(storedNames);

/** Less than 0 if `a` comes before `b` by code points, which is the order of their UTF-8 bytes. */
function compareNames(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  if (i === a.length || i === b.length) return a.length - b.length;
  // UTF-16 puts surrogates, which stand for the code points above all others, before U+E000.
  const rank = (unit: number) => unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
  return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

/** Tensors in the order of their data: by type, the widest first, and then by name. */
export function inFileOrder<T extends NamedTensor>(tensors: readonly T[]): T[] {
  return [...tensors].sort((a, b) =>
    typeOrder.indexOf(a.dtype) - typeOrder.indexOf(b.dtype) || compareNames(a.name, b.name)
  );
}

/**
 * Throws if a header cannot hold these names.
 *
 * @throws RangeError for two tensors of one name, the name of the metadata, and text that is no Unicode.
 */
export function checkNames(what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    const problem = seen.has(name)
      ? "must differ, got two"
      : name === metadataKey
      ? "must not be that of the metadata, got"
      : !name.isWellFormed()
      ? "must be Unicode text, got"
      : undefined;
    if (problem) throw new RangeError(`Cannot ${what}: names ${problem} ${describe(name)}`);
    seen.add(name);
  }
}

/** The start of a file, its header's length included, for tensors in the order of their data. */
export function writeHeader(tensors: readonly NamedTensor[], metadata?: Metadata): Uint8Array {
  // Text put together by hand: an object would move names that are whole numbers to its front.
  const entries = metadata === undefined ? [] : [entryText(metadataKey, metadata)];
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = begin + storedBytes(dtype, sizeOf(shape));
    entries.push(entryText(name, { dtype: storedNames[dtype], shape, data_offsets: [begin, end] }));
    begin = end;
  }
  const text = new TextEncoder().encode(`{${entries.join(",")}}`);
  const padded = Math.ceil(text.length / alignment) * alignment;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  return header;
}

function entryText(name: string, value: unknown): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}
