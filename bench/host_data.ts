// Arrays made on the host, the same numbers in every run and for every library.

/** One argument of a program. */
export interface HostArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** The shape of an argument and the range of its numbers. */
export interface ArgumentDescription {
  readonly shape: readonly number[];
  /** The numbers are uniform between minus this and this. */
  readonly bound: number;
}

/** Uniform numbers of a 32-bit state (Mulberry32), which are the same on every machine. */
function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fills one array for each description. */
export function makeArguments(descriptions: readonly ArgumentDescription[]): HostArray[] {
  return descriptions.map(({ shape, bound }, position) => {
    const next = uniformNumbers(position + 1);
    const size = shape.reduce((product, extent) => product * extent, 1);
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) values[i] = (2 * next() - 1) * bound;
    return { shape, values };
  });
}
