// atan2, pow and the remainders against float64, over all of float32.

import { assert } from "@std/assert";
import { webgpuTest } from "../webgpu_test.ts";
import { describeError, evaluate, largestError, ulpError } from "./elementary_harness.ts";
import { binaryOracles } from "./elementary_oracle.ts";
import { binarySamples } from "./elementary_samples.ts";

const count = 300_000;
const allowedUlp = 8;

type Related = (x: number, fraction: number) => readonly [number, number];

/** Arguments at which each function is hard, from a random float32 and a random fraction. */
const relations: Record<string, Related> = {
  // The quotient within 2^20 of 1.
  atan2: (y, fraction) => [y, Math.fround(y * 2 ** (fraction * 40 - 20))],
  // All finite results, from bases over the whole range and from bases close to 1; integral exponents.
  pow: (x, fraction) => {
    const kind = Math.floor(fraction * 3);
    if (kind === 0) return [x, Math.round(fraction * 120 - 20)];
    const base = kind === 1
      ? Math.abs(x)
      : 1 + (fraction - 0.5) * 2 ** -Math.floor(fraction * 1e6 % 22);
    const power = (fraction * 1e4 % 1) * 300 - 160;
    return [base, power / Math.log2(Math.fround(base))];
  },
  rem: (x, fraction) => [x, x * 2 ** (fraction * 30 - 25)],
  mod: (x, fraction) => [x, -x * 2 ** (fraction * 30 - 25)],
};

const specials = [
  0,
  0.5,
  1,
  1.5,
  2,
  3,
  4,
  2 ** -149,
  2 ** -126,
  8388609,
  16777215,
  16777216,
  3.4028234663852886e38,
  Infinity,
].flatMap((x) => [x, -x]).concat(NaN);

for (const [key, oracle] of Object.entries(binaryOracles)) {
  webgpuTest(`${key}() is within ${allowedUlp} ulp of float64 over pairs of float32`, async () => {
    const [x, y] = binarySamples(count, relations[key]);
    const error = largestError(await evaluate(key, x, y), oracle, x, y);
    assert(error.ulp <= allowedUlp, describeError(key, error));
  });

  webgpuTest(`${key}() has IEEE's values, signs of zero included, at special pairs`, async () => {
    const pairs = specials.flatMap((x) => specials.map((y) => [x, y] as const));
    const x = Float32Array.from(pairs, ([first]) => first);
    const y = Float32Array.from(pairs, ([, second]) => second);
    const values = await evaluate(key, x, y);
    for (const [i, [a, b]] of pairs.entries()) {
      const want = oracle(a, b);
      const near = ulpError(values[i], want) <= allowedUlp;
      // A result that only rounds to 0, infinity or a subnormal keeps its sign; an exact one is met.
      const exact = want === 0 || !Number.isFinite(want);
      const same = exact ? Object.is(values[i], want) : near && want < 0 === isNegative(values[i]);
      assert(same, `${key}(${a}, ${b}): got ${values[i]}, want ${want}`);
    }
  });
}

function isNegative(x: number): boolean {
  return x < 0 || Object.is(x, -0);
}

webgpuTest("rem() and mod() are exact for every quotient", async () => {
  const [x, y] = binarySamples(count, relations.rem);
  const remainders = await evaluate("rem", x, y);
  const moduli = await evaluate("mod", x, y);
  for (let i = 0; i < count; i++) {
    const rem = x[i] % y[i];
    assert(Object.is(remainders[i], rem), `rem(${x[i]}, ${y[i]}): ${remainders[i]}, want ${rem}`);
    const mod = Math.fround(binaryOracles.mod(x[i], y[i]));
    assert(Object.is(moduli[i], mod), `mod(${x[i]}, ${y[i]}): ${moduli[i]}, want ${mod}`);
  }
});
