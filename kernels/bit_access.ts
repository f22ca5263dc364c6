// Arrays that are only moved, never computed with: their elements travel as bits, so that NaN payloads,
// signs of zero and subnormals survive on every driver, and one text serves all formats of a width.

import { formatBytes, type StorageFormat } from "./storage.ts";

/** The WGSL element type of an array bound as bits and written (or read) four elements at a time. */
export function bitVectorElement(format: StorageFormat): "vec4u" | "vec2u" {
  return formatBytes(format) === 4 ? "vec4u" : "vec2u";
}

/** The WGSL element type of an array bound as bits and read with {@linkcode loadBits}. */
export const bitScalarElement = "u32";

/** WGSL for the bits of one element, in the low half of a `u32` where the format has 16. */
export function loadBits(format: StorageFormat, array: string, index: string): string {
  return formatBytes(format) === 4
    ? `${array}[${index}]`
    : `half_bits(${array}[(${index}) >> 1u], ${index})`;
}

/** WGSL that makes a vector element of the bits of four elements. `bits` names a `vec4u`. */
export function packBits(format: StorageFormat, bits: string): string {
  return formatBytes(format) === 4
    ? bits
    : `vec2u(${bits}.x | (${bits}.y << 16u), ${bits}.z | (${bits}.w << 16u))`;
}
