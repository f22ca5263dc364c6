// Rounding to float16 and bfloat16, and the bit patterns of both. Every conversion rounds the number it
// is given once, to nearest with ties to even: a float64 goes to half directly, because rounding to
// float32 first can land on a tie that the number itself was not on.
import { f16round, Float16Array as PortableFloat16Array } from "npm:@petamoriken/float16@^3.9.3";
import type { DType } from "./dtype.ts";

/**
 * The Float16Array class that the whole library uses: the runtime's own, or the portable one where the
 * runtime has none (Node 20). The two are different classes, so the choice is made once, here, and
 * survives code that hides the global for a while.
 */
export const Float16ArrayClass: Float16ArrayConstructor = globalThis.Float16Array ??
  (PortableFloat16Array as unknown as Float16ArrayConstructor);

/**
 * The float16 bit patterns of `values`, rounded to nearest, ties to even; overflow is infinity and NaN
 * a quiet NaN.
 */
export function toFloat16Bits(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const half = new Float16ArrayClass(values);
  return new Uint16Array(half.buffer as ArrayBuffer);
}

/** The numbers that float16 bit patterns stand for, all exact in float32. */
export function fromFloat16Bits(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(asFloat16Array(bits));
}

/** The same memory seen as float16 numbers. */
export function asFloat16Array(bits: Uint16Array): Float16Array {
  return new Float16ArrayClass(bits.buffer, bits.byteOffset, bits.length);
}

const infinityBits = 0x7f800000;
const quietBit = 0x40;

/**
 * Rounds the upper 16 bits of a float32 pattern, taken as an int32, to nearest, ties to even. Signed, and
 * cut by `| 0`, because V8 keeps an int32 in a register and a uint32 past 2**31 on the heap.
 */
function upperHalf(bits: number): number {
  if ((bits & 0x7fffffff) > infinityBits) return (bits >>> 16) | quietBit;
  // A carry out of the significand moves into the exponent, up to infinity, as rounding should.
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) | 0) >>> 16;
}

/** The low half of a float32 pattern that lies midway between two bfloat16 numbers. */
const tie = 0x8000;

/**
 * Takes a float32 pattern off a tie that rounding to float32 created: `exact` lies on one side of it,
 * and only that decides. Anywhere else rounding twice gives what rounding once does.
 */
function offTie(bits: number, rounded: number, exact: number): number {
  if ((bits & 0xffff) !== tie || rounded === exact) return bits;
  return (Math.abs(exact) > Math.abs(rounded) ? bits + 1 : bits - 1) | 0;
}

/**
 * The bfloat16 bit patterns of `values`, rounded to nearest, ties to even; overflow is infinity and NaN
 * a quiet NaN.
 */
export function toBfloat16Bits(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  if (values instanceof Float32Array) {
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < out.length; i++) out[i] = upperHalf(bits[i]);
    return out;
  }
  const exact = values instanceof Float64Array ? values : new Float64Array(values);
  const rounded = new Float32Array(exact);
  const bits = new Int32Array(rounded.buffer);
  for (let i = 0; i < out.length; i++) {
    out[i] = upperHalf(offTie(bits[i], rounded[i], exact[i]));
  }
  return out;
}

/** The numbers that bfloat16 bit patterns stand for, all exact in float32. */
export function fromBfloat16Bits(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < out.length; i++) out[i] = bits[i] << 16;
  return new Float32Array(out.buffer);
}

/** The float16 number nearest to `x`, ties to even. */
export function roundToFloat16(x: number): number {
  // For one number the portable package is twice as fast as the runtime's Math.f16round.
  return f16round(x);
}

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

/** The bfloat16 number nearest to `x`, ties to even. */
export function roundToBfloat16(x: number): number {
  scratch[0] = x;
  const bits = offTie(scratchBits[0], scratch[0], x);
  scratchBits[0] = upperHalf(bits) << 16;
  return scratch[0];
}

/**
 * The value `x` has once it is stored as `dtype`: floats round to nearest, ties to even; integers drop
 * their fraction and wrap to 32 bits (NaN and infinity become 0, as ECMAScript's ToInt32 has it);
 * bool is 0 for zero and 1 for all else.
 */
export function roundTo(dtype: DType, x: number): number {
  switch (dtype) {
    case "float32":
      return Math.fround(x);
    case "float16":
      return f16round(x);
    case "bfloat16":
      return roundToBfloat16(x);
    case "int32":
      return x | 0;
    case "uint32":
      return x >>> 0;
    case "bool":
      return x === 0 ? 0 : 1;
  }
}
