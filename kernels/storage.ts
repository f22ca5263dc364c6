// How each dtype lies in device memory and how WGSL moves four consecutive elements of it at a time.
// Arithmetic never happens in 16 bits: every load yields vec4f (or vec4i, vec4u, vec4<bool>), every store
// rounds once. 16-bit data moves as whole 32-bit words.

import type { Target } from "./target.ts";

/** The element types of arrays, spelled as in the library's dtypes. */
export type ElementType = "float32" | "float16" | "bfloat16" | "int32" | "uint32" | "bool";

/** An element type and how the device stores it. */
export type StorageFormat =
  | "float32"
  | "float16_native"
  | "float16_packed"
  | "bfloat16"
  | "int32"
  | "uint32"
  | "bool";

/** The format in which arrays of an element type are stored on a target. */
export function storageFormat(type: ElementType, target: Target): StorageFormat {
  if (type !== "float16") return type;
  return target.nativeFloat16Storage ? "float16_native" : "float16_packed";
}

/** The WGSL type in which four elements are computed. */
export function computeType(type: ElementType): "vec4f" | "vec4i" | "vec4u" | "vec4<bool>" {
  switch (type) {
    case "int32":
      return "vec4i";
    case "uint32":
      return "vec4u";
    case "bool":
      return "vec4<bool>";
    default:
      return "vec4f";
  }
}

/** Bytes of one element on the device; bool takes a whole word, since WGSL has no smaller integer. */
export function formatBytes(format: StorageFormat): 2 | 4 {
  return format === "float16_native" || format === "float16_packed" || format === "bfloat16"
    ? 2
    : 4;
}

/** The element type of an array read and written four at a time: index it by element number / 4. */
export function vectorElement(format: StorageFormat): string {
  switch (format) {
    case "float32":
      return "vec4f";
    case "float16_native":
      return "vec4<f16>";
    case "float16_packed":
    case "bfloat16":
      return "vec2u";
    case "int32":
      return "vec4i";
    case "uint32":
    case "bool":
      return "vec4u";
  }
}

/** The element type of an array read one element at a time (16-bit packed: one word holds two). */
export function scalarElement(format: StorageFormat): string {
  switch (format) {
    case "float32":
      return "f32";
    case "float16_native":
      return "f16";
    case "int32":
      return "i32";
    default:
      return "u32";
  }
}

/** An array moved four elements at a time: how it is declared, and how an element is unpacked and packed. */
export interface VectorLoad {
  /** The array's element type. */
  readonly element: string;
  /** WGSL that turns an element, given by name, into its compute type. */
  unpack(name: string): string;
  /** WGSL that rounds a compute value and makes an element of it, for arrays that are updated in place. */
  pack(value: string): string;
}

/**
 * How vectors are best loaded. A CPU driver loads lane by lane, at one price for 32 and 64 bits, so words go
 * in pairs where the device has 64-bit integers.
 */
export function vectorLoad(format: StorageFormat, target: Target): VectorLoad {
  if (!target.shaderInt64) {
    return {
      element: vectorElement(format),
      unpack: (name) => unpackVector(format, name),
      pack: (value) => packVector(format, value),
    };
  }
  if (formatBytes(format) === 2) {
    // Native float16 is read as words too: the bits are the same.
    const type = format === "bfloat16" ? "bfloat16" : "float16";
    return {
      element: "u64",
      unpack: (name) => `unpack_pair_${type}(${name})`,
      pack: (value) => `pair_of_words(pack_${type}(${value}))`,
    };
  }
  const words = (name: string) => `words_of_pairs(${name})`;
  const unpack = (name: string) => {
    if (format === "bool") return unpackVector("bool", words(name));
    return format === "uint32" ? words(name) : `bitcast<${vectorElement(format)}>(${words(name)})`;
  };
  const pack = (value: string) => `pairs_of_words(bitcast<vec4u>(${packVector(format, value)}))`;
  return { element: "vec2<u64>", unpack, pack };
}

/** Module-scope functions that the text of {@linkcode vectorLoad} calls on a target. */
export function vectorLoadFunctions(target: Target): string {
  if (!target.shaderInt64) return "";
  return `
fn words_of_pairs(p: vec2<u64>) -> vec4u {
  return vec4u(u32(p.x), u32(p.x >> 32u), u32(p.y), u32(p.y >> 32u));
}
fn pair_of_words(w: vec2u) -> u64 { return u64(w.x) | (u64(w.y) << 32u); }
fn pairs_of_words(w: vec4u) -> vec2<u64> {
  return vec2<u64>(pair_of_words(w.xy), pair_of_words(w.zw));
}
fn unpack_pair_float16(p: u64) -> vec4f {
  return vec4f(unpack2x16float(u32(p)), unpack2x16float(u32(p >> 32u)));
}
fn unpack_pair_bfloat16(p: u64) -> vec4f { return unpack_bfloat16(vec2u(u32(p), u32(p >> 32u))); }
`;
}

/** WGSL that turns a loaded vector element into its compute type. `value` is named twice: pass a name. */
export function unpackVector(format: StorageFormat, value: string): string {
  switch (format) {
    case "float32":
    case "int32":
    case "uint32":
      return value;
    case "float16_native":
      return `vec4f(${value})`;
    case "float16_packed":
      return `vec4f(unpack2x16float(${value}.x), unpack2x16float(${value}.y))`;
    case "bfloat16":
      return `unpack_bfloat16(${value})`;
    case "bool":
      return `(${value} != vec4u(0u))`;
  }
}

/** WGSL that rounds a compute value to the format and packs it as a vector element. */
export function packVector(format: StorageFormat, value: string): string {
  switch (format) {
    case "float32":
    case "int32":
    case "uint32":
      return value;
    case "float16_native":
      return `vec4<f16>(${value})`;
    case "float16_packed":
      return `pack_float16(${value})`;
    case "bfloat16":
      return `pack_bfloat16(${value})`;
    case "bool":
      return `select(vec4u(0u), vec4u(1u), ${value})`;
  }
}

/** WGSL for one element of an array declared with {@linkcode scalarElement}, in its scalar compute type. */
export function loadScalar(format: StorageFormat, array: string, index: string): string {
  switch (format) {
    case "float32":
    case "int32":
    case "uint32":
      return `${array}[${index}]`;
    case "float16_native":
      return `f32(${array}[${index}])`;
    case "float16_packed":
      return `unpack2x16float(half_bits(${array}[(${index}) >> 1u], ${index})).x`;
    case "bfloat16":
      return `bitcast<f32>(half_bits(${array}[(${index}) >> 1u], ${index}) << 16u)`;
    case "bool":
      return `(${array}[${index}] != 0u)`;
  }
}

/**
 * WGSL that rounds a `vec4f` to a floating type and widens it again: the value that a store and a load
 * would give. The rounding also stops the driver from reassociating across it.
 */
export function roundVector(type: ElementType, value: string, target: Target): string {
  switch (type) {
    case "float16":
      return target.shaderF16 ? `vec4f(vec4<f16>(${value}))` : `round_float16(${value})`;
    case "bfloat16":
      return `round_bfloat16(${value})`;
    default:
      return value;
  }
}

/**
 * Module-scope functions that the texts above call. bfloat16 rounds to nearest, ties to even, on the bits:
 * adding 0x7fff plus the lowest kept bit carries into the exponent where it must; a NaN is kept and made
 * quiet, since the carry could turn its payload into infinity.
 */
export const storageFunctions = `
fn half_bits(word: u32, index: u32) -> u32 { return (word >> ((index & 1u) * 16u)) & 0xffffu; }
fn pack_float16(v: vec4f) -> vec2u { return vec2u(pack2x16float(v.xy), pack2x16float(v.zw)); }
fn round_float16(v: vec4f) -> vec4f {
  let p = pack_float16(v);
  return vec4f(unpack2x16float(p.x), unpack2x16float(p.y));
}
fn bits_bfloat16(v: vec4f) -> vec4u {
  let u = bitcast<vec4u>(v);
  let rounded = u + vec4u(0x7fffu) + ((u >> vec4u(16u)) & vec4u(1u));
  let is_nan = (u & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  return select(rounded, u | vec4u(0x400000u), is_nan) & vec4u(0xffff0000u);
}
fn round_bfloat16(v: vec4f) -> vec4f { return bitcast<vec4f>(bits_bfloat16(v)); }
fn pack_bfloat16(v: vec4f) -> vec2u {
  let b = bits_bfloat16(v);
  return vec2u((b.x >> 16u) | b.y, (b.z >> 16u) | b.w);
}
fn unpack_bfloat16(p: vec2u) -> vec4f {
  return bitcast<vec4f>(vec4u(p.x << 16u, p.x & 0xffff0000u, p.y << 16u, p.y & 0xffff0000u));
}
`;
