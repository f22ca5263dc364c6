// The float64 reference elements against values known from elsewhere, and what is done with them.

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { makeArguments } from "../../bench/host_data.ts";
import {
  geluExact,
  geluTanh,
  largestError,
  layerNormElement,
  matmulElement,
  mlpElement,
  type ReferenceElement,
  samplePositions,
  softmaxElement,
} from "../../bench/reference.ts";

const host = (shape: number[], values: number[]) => ({ shape, values: new Float32Array(values) });

Deno.test("geluExact() is x times the normal distribution function", () => {
  // jax.nn.gelu(x, approximate=False) in float64.
  assertAlmostEquals(geluExact(1), 0.8413447460685429, 1e-15);
  assertAlmostEquals(geluExact(-2), -0.04550026389635841, 1e-15);
  assertAlmostEquals(geluExact(4), 3.9998733150326675, 1e-12);
  assertEquals(geluExact(0), 0);
});

Deno.test("geluTanh() is JAX's default gelu", () => {
  // jax.nn.gelu in float64.
  assertAlmostEquals(geluTanh(1), 0.8411919906082768, 1e-15);
  assertAlmostEquals(geluTanh(-0.5), -0.15428599017485609, 1e-15);
});

Deno.test("matmulElement() picks the row and the column of a position", () => {
  const a = host([2, 3], [1, 2, 3, 4, 5, 6]);
  const b = host([3, 2], [7, 8, 9, 10, 11, 12]);
  assertEquals([0, 1, 2, 3].map((at) => matmulElement([a, b], at)), [58, 64, 139, 154]);
});

Deno.test("softmaxElement() sums to 1 over a row, large numbers included", () => {
  const x = host([2, 3], [0, 0, 0, 1000, 1001, 1002]);
  assertAlmostEquals(softmaxElement([x], 1), 1 / 3, 1e-15);
  const row = [3, 4, 5].map((at) => softmaxElement([x], at));
  assertAlmostEquals(row[0] + row[1] + row[2], 1, 1e-15);
  assertAlmostEquals(row[2] / row[1], Math.E, 1e-12);
});

Deno.test("layerNormElement() has mean 0 and, but for epsilon, variance 1", () => {
  const x = host([2, 2], [5, 5, -800, 800]);
  assertEquals([0, 1].map((at) => layerNormElement([x], at)), [0, 0]);
  assertAlmostEquals(layerNormElement([x], 3), 1, 1e-9);
});

Deno.test("mlpElement() is the two layers one after the other", () => {
  const x = host([1, 2], [1, 2]);
  const w1 = host([2, 2], [1, 0, 0, 1]);
  const w2 = host([2, 2], [1, 10, 1, 100]);
  const inputs = [x, w1, host([2], [0, -1]), w2, host([2], [0.5, 0])];
  const hidden = geluTanh(1);
  assertAlmostEquals(mlpElement(inputs, 0), 2 * hidden + 0.5, 1e-14);
  assertAlmostEquals(mlpElement(inputs, 1), 110 * hidden, 1e-12);
});

Deno.test("largestError() is relative to the largest reference value, and infinite for NaN", () => {
  const inputs = [host([4], [1, 2, 3, 4])];
  const same: ReferenceElement = ([x], at) => x.values[at];
  assertEquals(largestError([1, 2, 3, 4], same, inputs, 64), 0);
  assertEquals(largestError([1, 2, 5, 4], same, inputs, 64), 0.5);
  assertEquals(largestError([1, NaN, 3, 4], same, inputs, 64), Infinity);
});

Deno.test("samplePositions() are scattered over the whole result", () => {
  const positions = samplePositions(1000, 64);
  assertEquals(new Set(positions).size, 64);
  assert(positions.every((at) => Number.isInteger(at) && at >= 0 && at < 1000));
  const tenths = new Set(positions.map((at) => Math.floor(at / 100)));
  assertEquals(tenths.size, 10);
});

Deno.test("makeArguments() gives the same bounded numbers every time", () => {
  const [first, second] = makeArguments([{ shape: [8, 8], bound: 3 }, { shape: [64], bound: 3 }]);
  assertEquals(makeArguments([{ shape: [8, 8], bound: 3 }])[0], first);
  assert(first.values.every((value) => Math.abs(value) <= 3));
  assert(first.values.some((value, at) => value !== second.values[at]));
});
