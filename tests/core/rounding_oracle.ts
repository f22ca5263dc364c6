// Rounding to half types by integer arithmetic alone, written apart from the library to check it.

/** A format of 16 bits: significand bits without the hidden one, and the exponent of its smallest step. */
export interface HalfFormat {
  readonly significandBits: number;
  readonly leastExponent: number;
  readonly infinity: number;
}

export const float16Format: HalfFormat = {
  significandBits: 10,
  leastExponent: -24,
  infinity: 0x7c00,
};
export const bfloat16Format: HalfFormat = {
  significandBits: 7,
  leastExponent: -133,
  infinity: 0x7f80,
};

/**
 * The pattern of the half nearest to `significand * 2**exponent`, ties to even, where the significand's
 * highest bit stands for `2**magnitude`.
 */
function roundExact(
  format: HalfFormat,
  significand: bigint,
  exponent: number,
  magnitude: number,
): number {
  const step = Math.max(magnitude - format.significandBits, format.leastExponent);
  const shift = BigInt(step - exponent);
  let steps: bigint;
  if (shift <= 0n) {
    steps = significand << -shift;
  } else {
    steps = significand >> shift;
    const rest = significand - (steps << shift);
    const middle = 1n << (shift - 1n);
    if (rest > middle || (rest === middle && (steps & 1n) === 1n)) steps += 1n;
  }
  // The hidden bit of a normal number adds one to the exponent field, a carry one more.
  const binade = step - format.leastExponent;
  return Math.min(binade * 2 ** format.significandBits + Number(steps), format.infinity);
}

/** The pattern of any float64 as a half, or "nan". */
export function roundFloat64(format: HalfFormat, x: number): number | "nan" {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const sign = Number(bits >> 63n) * 0x8000;
  const field = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & ((1n << 52n) - 1n);
  if (field === 0x7ff) return fraction === 0n ? sign + format.infinity : "nan";
  if (field === 0) return sign; // Subnormal float64 numbers are far below either format.
  const pattern = roundExact(format, fraction | (1n << 52n), field - 1075, field - 1023);
  return sign + pattern;
}

/** The pattern of a float32 pattern as a half, or "nan": the same in 32-bit arithmetic, for speed. */
export function roundFloat32Bits(format: HalfFormat, bits: number): number | "nan" {
  const sign = (bits >>> 31) * 0x8000;
  const field = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (field === 0xff) return fraction === 0 ? sign + format.infinity : "nan";
  const significand = field === 0 ? fraction : fraction + 0x800000;
  const exponent = Math.max(field, 1) - 150;
  const step = Math.max(exponent + 23 - format.significandBits, format.leastExponent);
  const shift = step - exponent;
  if (shift > 25) return sign;
  let steps = significand >>> shift;
  const rest = significand & (2 ** shift - 1);
  const middle = 2 ** (shift - 1);
  if (rest > middle || (rest === middle && steps % 2 === 1)) steps++;
  const binade = step - format.leastExponent;
  return sign + Math.min(binade * 2 ** format.significandBits + steps, format.infinity);
}

/** The number of a half pattern, from the definition of the format. */
export function valueOfBits(format: HalfFormat, bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const magnitude = bits & 0x7fff;
  if (magnitude > format.infinity) return NaN;
  if (magnitude === format.infinity) return sign * Infinity;
  const hidden = 2 ** format.significandBits;
  const field = Math.floor(magnitude / hidden);
  const fraction = magnitude % hidden;
  const steps = field === 0 ? fraction : fraction + hidden;
  return sign * steps * 2 ** (Math.max(field, 1) - 1 + format.leastExponent);
}

/** Uniform 32-bit patterns from a fixed seed (mulberry32). */
export function patternStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}
