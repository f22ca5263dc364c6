// Conversion between float32 and the half types, on the device and on the reference, against integer
// rounding written out here on bits: round to nearest, ties to even.

import { assert, assertEquals } from "@std/assert";
import { asNDArray, fromHost, type NDArray } from "../../src/array.ts";
import { init } from "../../src/device.ts";
import { astype } from "../../src/ops/cast.ts";
import { webgpuTest } from "../webgpu_test.ts";

type Half = "float16" | "bfloat16";

/** What a float32 pattern rounds to. Exponent and fraction are rounded as one integer: carries are right. */
function roundBits(u: number, type: Half): number {
  const sign = (u >>> 16) & 0x8000;
  const magnitude = u & 0x7fffffff;
  if (type === "bfloat16") {
    return magnitude > 0x7f800000 ? -1 : (u + 0x7fff + ((u >>> 16) & 1)) >>> 16;
  }
  if (magnitude > 0x7f800000) return -1;
  // 65520 is half way between the largest half and what would follow it.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const shifted = magnitude - (112 << 23);
    return sign | ((shifted + 0xfff + ((shifted >>> 13) & 1)) >>> 13);
  }
  // Subnormal halves count units of 2**-24: the significand is shifted and its lost bits decide.
  const exponent = magnitude >>> 23;
  const shift = 126 - exponent;
  if (shift > 24) return sign;
  const significand = (magnitude & 0x7fffff) | (exponent ? 0x800000 : 0);
  const kept = significand >>> shift;
  const lost = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (lost > half || (lost === half && (kept & 1)) ? 1 : 0));
}

function isNaNPattern(bits: number, type: Half): boolean {
  return (bits & 0x7fff) > (type === "float16" ? 0x7c00 : 0x7f80);
}

/** Patterns where rounding goes wrong if it goes wrong anywhere, and random ones. */
function patterns(count: number, seed: number): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(count);
  const around = [0, 0xfff, 0x1000, 0x1001, 0x1fff, 0x2000, 0x7fff, 0x8000, 0x8001, 0xffff];
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const random = state ^ (state >>> 15);
    switch (i % 4) {
      case 0:
        out[i] = random;
        break;
      case 1: // float16's subnormals and the edge of its range
        out[i] = (random & 0x80000000) + 0x32800000 + (random & 0x7ffffff);
        break;
      case 2: // ties and their neighbours
        out[i] = (random & 0xffffe000) + around[(i >>> 2) % around.length]!;
        break;
      default: // float16's own range, overflow included
        out[i] = (random & 0x80000000) + 0x38000000 + (random & 0x0fffffff);
    }
  }
  return out;
}

async function checkPatterns(bits: Uint32Array<ArrayBuffer>, type: Half): Promise<void> {
  const x = fromHost(new Float32Array(bits.buffer), [bits.length], "float32");
  const y = asNDArray(astype(x, type));
  const got = await y.bits();
  x.dispose();
  y.dispose();
  let wrong = 0;
  let example = "";
  for (let i = 0; i < bits.length; i++) {
    const expected = roundBits(bits[i]!, type);
    const right = expected < 0 ? isNaNPattern(got[i]!, type) : got[i] === expected;
    if (right) continue;
    wrong++;
    example ||= `${bits[i]!.toString(16)} gave ${got[i]!.toString(16)}, not ${
      expected.toString(16)
    }`;
  }
  assertEquals(wrong, 0, example);
}

async function checkAllHalves(type: Half): Promise<void> {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const floats = type === "float16"
    ? new Float32Array(new Float16Array(halves.buffer))
    : new Float32Array(Uint32Array.from(halves, (h) => (h << 16) >>> 0).buffer);
  const x: NDArray = fromHost(floats, [65536], type);
  assertEquals(await x.bits().then((b) => b.length), 65536);
  const back = new Uint32Array((await asNDArray(astype(x, "float32")).data()).buffer);
  const expected = new Uint32Array(floats.buffer);
  for (let i = 0; i < 65536; i++) {
    if (isNaNPattern(i, type)) assert((back[i]! & 0x7fffffff) > 0x7f800000, `NaN ${i} was lost`);
    else if (back[i] !== expected[i]) assertEquals(back[i], expected[i], `half ${i}`);
  }
}

for (const backend of ["webgpu", "cpu"] as const) {
  const test = backend === "webgpu" ? webgpuTest : Deno.test;
  for (const type of ["float16", "bfloat16"] as const) {
    test(`every ${type} widens to float32 exactly (${backend})`, async () => {
      await init({ backend });
      await checkAllHalves(type);
    });
    test(`10 million float32 patterns round to ${type} as integers say (${backend})`, async () => {
      await init({ backend });
      for (let chunk = 0; chunk < 5; chunk++) {
        await checkPatterns(patterns(2_000_000, chunk + 1), type);
      }
    });
  }
}
