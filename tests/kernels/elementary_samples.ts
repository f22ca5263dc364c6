// Arguments at which elementary functions are tested: every exponent, every half number, and the
// neighbourhoods of the points where a formula could break.

import type { Arguments } from "./elementary_harness.ts";

/** A generator of uint32 (xorshift32, Marsaglia 2003), so that every run tests the same arguments. */
function randomBits(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Bit patterns and their values side by side. */
class Samples {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly values: Arguments;
  #length = 0;

  constructor(capacity: number) {
    this.words = new Uint32Array(capacity);
    this.values = new Float32Array(this.words.buffer);
  }

  addBits(bits: number): void {
    this.words[this.#length++] = bits;
  }

  add(value: number): void {
    this.values[this.#length++] = value;
  }

  /** The value and its neighbours up to a distance in float32 steps, both signs. */
  addAround(value: number, distance: number): void {
    const center = new Uint32Array(Float32Array.of(value).buffer)[0] & 0x7fffffff;
    for (let k = Math.max(center - distance, 0); k <= center + distance; k++) {
      this.addBits(k);
      this.addBits((k | 0x80000000) >>> 0);
    }
  }

  finish(): Arguments {
    return this.values.slice(0, this.#length);
  }
}

/** Ends of ranges and of branches: logarithms of the largest and smallest floats, where saturation begins. */
const turningPoints = [
  0,
  2 ** -126,
  2 ** -24,
  2 ** -13,
  0.17328680,
  0.34657359,
  0.5,
  Math.SQRT1_2,
  1,
  1.03972077,
  Math.SQRT2,
  2,
  4,
  5,
  9.0109133,
  10.05,
  10.3,
  14.1,
  17.3,
  20,
  87.33655,
  88.722839,
  103.97208,
  126,
  128,
  149,
  2 ** 12,
  2 ** 24,
  2 ** 30,
  2 ** 126,
  3.4028235e38,
];

/** The float32 values closest to a multiple of pi / 2 in relation to it, found by continued fractions. */
const hardAngles = [
  7.729178919452902e28,
  21999384576,
  43998769152,
  252.89820861816406,
  3.0916715677811608e29,
  4.638183382783466e25,
  1522788990976,
  8.11762663906456e22,
  505.7964172363281,
  4.3865578967101227e33,
  42781604,
  4.71238899230957,
  1.0341291951386403e27,
];

/** About 350,000 arguments for a function of one. */
export function unarySamples(): Arguments {
  const samples = new Samples(500_000);
  const random = randomBits(0x2545f491);
  const half = new Float16Array(1);
  const halfBits = new Uint16Array(half.buffer);
  for (let bits = 0; bits < 65536; bits++) {
    samples.addBits((bits << 16) >>> 0);
    halfBits[0] = bits;
    samples.add(half[0]);
  }
  for (let signAndExponent = 0; signAndExponent < 512; signAndExponent++) {
    for (let k = 0; k < 200; k++) {
      samples.addBits(((signAndExponent << 23) | (random() >>> 9)) >>> 0);
    }
  }
  for (const bound of [1, 2, 6, 20, 110]) {
    for (let k = 0; k < 12_000; k++) samples.add((random() / 2 ** 31 - 1) * bound);
  }
  for (const point of turningPoints) samples.addAround(point, 40);
  for (let k = 1; k < 4096; k = k < 256 ? k + 1 : Math.ceil(k * 1.01)) {
    samples.addAround(k * Math.PI / 4, 4);
  }
  for (const angle of hardAngles) samples.addAround(angle, 1);
  samples.add(NaN);
  return samples.finish();
}

/** Pairs of arguments from all bit patterns, thirds of them related as the function's hard cases are. */
export function binarySamples(
  count: number,
  related: (x: number, fraction: number) => readonly [number, number],
): [Arguments, Arguments] {
  const random = randomBits(0x9e3779b9);
  const first = new Samples(count);
  const second = new Samples(count);
  for (let i = 0; i < count; i++) {
    first.addBits(random());
    second.addBits(random());
    if (i % 3 === 0) continue;
    const [x, y] = related(first.values[i], random() / 2 ** 32);
    first.values[i] = x;
    second.values[i] = y;
  }
  return [first.finish(), second.finish()];
}
