// The elementary functions of one argument against float64, over all of float32.

import { assert, assertEquals } from "@std/assert";
import { webgpuTest } from "../webgpu_test.ts";
import { describeError, evaluate, largestError } from "./elementary_harness.ts";
import { unaryOracles } from "./elementary_oracle.ts";
import { unarySamples } from "./elementary_samples.ts";

const allowedUlp = 8;
const samples = unarySamples();

/** The place of a half number among its like, so that neighbours differ by 1. */
function ordinal(bits: number): number {
  return bits & 0x8000 ? -(bits & 0x7fff) : bits;
}

const float32 = new Float32Array(1);
const float32Bits = new Uint32Array(float32.buffer);

/** A float64 rounded once to bfloat16, as bits: to odd in float32 first, which hides no tie. */
function bfloat16Bits(x: number): number {
  float32[0] = x;
  if (Number.isNaN(x)) return 0x7fc0;
  if (float32[0] !== x && Number.isFinite(float32[0])) {
    if (Math.abs(float32[0]) > Math.abs(x)) float32Bits[0] -= 1;
    float32Bits[0] |= 1;
  }
  const bits = float32Bits[0];
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** By how many steps the values, rounded to a half type, miss the exact results rounded to it. */
function largestHalfStep(got: Uint16Array, want: Uint16Array, nan: (bits: number) => boolean) {
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    if (nan(want[i]) || nan(got[i])) {
      if (nan(want[i]) !== nan(got[i])) return Infinity;
    } else worst = Math.max(worst, Math.abs(ordinal(got[i]) - ordinal(want[i])));
  }
  return worst;
}

for (const [key, oracle] of Object.entries(unaryOracles)) {
  webgpuTest(
    `${key}() is within ${allowedUlp} ulp in float32 and 1 ulp in half types`,
    async () => {
      const values = await evaluate(key, samples);
      const error = largestError(values, oracle, samples);
      assert(error.ulp <= allowedUlp, describeError(key, error));

      const exact = Array.from(samples, (x) => oracle(x));
      const float16 = largestHalfStep(
        new Uint16Array(Float16Array.from(values).buffer),
        new Uint16Array(Float16Array.from(exact).buffer),
        (bits) => (bits & 0x7fff) > 0x7c00,
      );
      assert(float16 <= 1, `${key} rounded to float16 is off by ${float16}`);
      const bfloat16 = largestHalfStep(
        Uint16Array.from(values, bfloat16Bits),
        Uint16Array.from(exact, bfloat16Bits),
        (bits) => (bits & 0x7fff) > 0x7f80,
      );
      assert(bfloat16 <= 1, `${key} rounded to bfloat16 is off by ${bfloat16}`);
    },
  );
}

/** What each function must give exactly, signs of zero included; JAX's results. */
const specialValues: Record<string, readonly (readonly [number, number])[]> = {
  exp: [[0, 1], [-0, 1], [Infinity, Infinity], [-Infinity, 0], [89, Infinity], [-104, 0]],
  exp2: [[0, 1], [10, 1024], [-149, 2 ** -149], [127, 2 ** 127], [128, Infinity], [-Infinity, 0]],
  expm1: [[0, 0], [-0, -0], [1e-40, Math.fround(1e-40)], [Infinity, Infinity], [-Infinity, -1]],
  log: [[1, 0], [0, -Infinity], [-0, -Infinity], [-1, NaN], [Infinity, Infinity], [-Infinity, NaN]],
  log2: [[1, 0], [8, 3], [2 ** -149, -149], [0, -Infinity], [-1, NaN], [Infinity, Infinity]],
  log10: [[1, 0], [0, -Infinity], [-0, -Infinity], [-1, NaN], [Infinity, Infinity]],
  log1p: [[0, 0], [-0, -0], [-1, -Infinity], [-2, NaN], [Infinity, Infinity], [-Infinity, NaN]],
  sqrt: [[0, 0], [-0, -0], [-1, NaN], [Infinity, Infinity], [-Infinity, NaN]],
  rsqrt: [[0, Infinity], [-0, -Infinity], [-1, NaN], [Infinity, 0], [-Infinity, NaN]],
  cbrt: [[0, 0], [-0, -0], [1, 1], [Infinity, Infinity], [-Infinity, -Infinity]],
  sin: [[0, 0], [-0, -0], [-1e-40, Math.fround(-1e-40)], [Infinity, NaN], [-Infinity, NaN]],
  cos: [[0, 1], [-0, 1], [Infinity, NaN], [-Infinity, NaN]],
  tan: [[0, 0], [-0, -0], [Infinity, NaN], [-Infinity, NaN]],
  asin: [[0, 0], [-0, -0], [1.0000001, NaN], [-Infinity, NaN]],
  acos: [[1, 0], [1.0000001, NaN], [-Infinity, NaN]],
  atan: [[0, 0], [-0, -0], [Infinity, Math.fround(Math.PI / 2)]],
  sinh: [[0, 0], [-0, -0], [Infinity, Infinity], [-Infinity, -Infinity]],
  cosh: [[0, 1], [-0, 1], [Infinity, Infinity], [-Infinity, Infinity]],
  tanh: [[0, 0], [-0, -0], [20, 1], [Infinity, 1], [-Infinity, -1]],
  asinh: [[0, 0], [-0, -0], [Infinity, Infinity], [-Infinity, -Infinity]],
  acosh: [[1, 0], [0.9999999, NaN], [-Infinity, NaN], [Infinity, Infinity]],
  atanh: [[0, 0], [-0, -0], [1, Infinity], [-1, -Infinity], [1.0000001, NaN], [-Infinity, NaN]],
  erf: [[0, 0], [-0, -0], [5, 1], [Infinity, 1], [-Infinity, -1]],
  erfc: [[0, 1], [-5, 2], [Infinity, 0], [-Infinity, 2]],
  erfInv: [[0, 0], [-0, -0], [1, Infinity], [-1, -Infinity], [1.0000001, NaN], [-Infinity, NaN]],
  sigmoid: [[0, 0.5], [-0, 0.5], [Infinity, 1], [-Infinity, 0]],
  silu: [[0, 0], [-0, -0], [-200, -0], [Infinity, Infinity], [-Infinity, NaN]],
  softplus: [[-200, 0], [200, 200], [Infinity, Infinity], [-Infinity, 0]],
  geluTanh: [[0, 0], [-0, -0], [-30, -0], [1e30, Math.fround(1e30)], [Infinity, Infinity], [
    -Infinity,
    NaN,
  ]],
  geluErf: [[0, 0], [-0, -0], [-30, -0], [1e30, Math.fround(1e30)], [Infinity, Infinity], [
    -Infinity,
    NaN,
  ]],
};

webgpuTest(
  "elementary functions give JAX's values at zeros, ends of domains and infinities",
  async () => {
    assertEquals(Object.keys(specialValues), Object.keys(unaryOracles));
    for (const [key, pairs] of Object.entries(specialValues)) {
      const values = await evaluate(key, Float32Array.from(pairs, ([x]) => x));
      const got = pairs.map(([x], i) => [x, values[i]]);
      assert(
        pairs.every(([, want], i) => Object.is(values[i], want)),
        `${key}: ${Deno.inspect(got)}`,
      );
    }
  },
);

webgpuTest("elementary functions keep every kind of NaN", async () => {
  const patterns = [0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff];
  const nans = new Float32Array(Uint32Array.from(patterns).buffer);
  for (const key of Object.keys(unaryOracles)) {
    const values = Array.from(await evaluate(key, nans));
    assert(values.every(Number.isNaN), `${key} gave ${values}`);
  }
});
