// Reproducible elements for the tests of kernels that move, order and accumulate.

import { formatBytes, type StorageFormat } from "../../kernels/storage.ts";
import { decode, encode } from "./run_sequence.ts";

/** A generator of uint32, the same numbers for the same seed (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** An array of `size` elements as the bits that the device stores. */
export type BitArray = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The bytes of an array, seen as one word for each element. */
export function toBits(format: StorageFormat, bytes: Uint8Array): BitArray {
  const copy = bytes.slice().buffer;
  return formatBytes(format) === 2 ? new Uint16Array(copy) : new Uint32Array(copy);
}

/** The numbers that bits stand for. */
export function toNumbers(format: StorageFormat, bits: BitArray): number[] {
  return Array.from(decode(format, new Uint8Array(bits.buffer)));
}

/** Bits of any pattern at all: NaN with payloads, infinities, subnormals; 0 and 1 for booleans. */
export function randomBits(format: StorageFormat, size: number, seed: number): BitArray {
  const next = randomSource(seed);
  const bits = formatBytes(format) === 2 ? new Uint16Array(size) : new Uint32Array(size);
  for (let i = 0; i < size; i++) bits[i] = format === "bool" ? next() & 1 : next();
  return bits;
}

const awkward = [NaN, -NaN, 0, -0, Infinity, -Infinity, 1e-7, -1e-7, 3, 65504, -65504];

/** Few different values, so that many are equal, with the awkward ones among them; NaN has payloads. */
export function tiedBits(format: StorageFormat, size: number, seed: number): BitArray {
  const next = randomSource(seed);
  const float = !["int32", "uint32", "bool"].includes(format);
  const values = Array.from({ length: size }, () => {
    const draw = next();
    if (format === "bool") return draw & 1;
    if (format === "uint32") return draw % 7 === 0 ? draw : draw % 9;
    if (format === "int32") return draw % 7 === 0 ? draw | 0 : draw % 19 - 9;
    return draw % 3 === 0 ? awkward[draw % awkward.length] : draw % 19 - 9;
  });
  const bits = toBits(format, encode(format, values));
  if (float) values.forEach((v, i) => Number.isNaN(v) && (bits[i] |= i % 64));
  return bits;
}

/** Indices from `low` to `high - 1`. */
export function randomIndices(
  size: number,
  low: number,
  high: number,
  seed: number,
): Int32Array<ArrayBuffer> {
  const next = randomSource(seed);
  return Int32Array.from({ length: size }, () => low + next() % (high - low));
}

/** The bytes of any typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The first place where two arrays differ, in words, or nothing: faster than comparing element by element. */
export function firstDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): string | null {
  if (got.length !== wanted.length) return `${got.length} elements instead of ${wanted.length}`;
  for (let i = 0; i < got.length; i++) {
    if (!Object.is(got[i], wanted[i])) return `element ${i}: ${got[i]} instead of ${wanted[i]}`;
  }
  return null;
}
