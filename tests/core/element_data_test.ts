// Elements to device bytes and back.
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import type { DType } from "../../src/core/dtype.ts";
import {
  decodeBytes,
  dtypeOfTypedArray,
  encodeValues,
  typedArrayFor,
} from "../../src/core/element_data.ts";
import { Float16ArrayClass } from "../../src/core/half.ts";

const cases: readonly [DType, number[], number[]][] = [
  ["float32", [1, -2.5, 0.1], [1, -2.5, Math.fround(0.1)]],
  ["float16", [1, 0.1, 1e6], [1, 0.0999755859375, Infinity]],
  ["bfloat16", [1, 0.1, 1e39], [1, 0.10009765625, Infinity]],
  ["int32", [1, -7.9, 2 ** 31], [1, -7, -(2 ** 31)]],
  ["uint32", [1, -1, 3.9], [1, 2 ** 32 - 1, 3]],
  ["bool", [0, NaN, -3], [0, 1, 1]],
];

Deno.test("elements come back from the device's bytes as the dtype stores them", () => {
  for (const [dtype, values, stored] of cases) {
    for (const source of [values, Float64Array.from(values)]) {
      const data = decodeBytes(dtype, encodeValues(dtype, source), 3);
      assertInstanceOf(data, typedArrayFor(dtype));
      assertEquals(Array.from(data), stored, dtype);
    }
  }
});

Deno.test("the device's layout is little-endian words, 16-bit halves and u32 booleans", () => {
  assertEquals(encodeValues("float32", [1]), Uint8Array.of(0, 0, 0x80, 0x3f));
  assertEquals(encodeValues("float16", [1, -2, 3]), Uint8Array.of(0, 0x3c, 0, 0xc0, 0, 0x42));
  assertEquals(encodeValues("bfloat16", [1, -2]), Uint8Array.of(0x80, 0x3f, 0, 0xc0));
  assertEquals(encodeValues("int32", [-2]), Uint8Array.of(0xfe, 0xff, 0xff, 0xff));
  assertEquals(encodeValues("bool", [1, 0]), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
});

Deno.test("decoding takes any alignment, leaves padding out, and copies", () => {
  for (const [dtype, values, stored] of cases) {
    const bytes = encodeValues(dtype, values);
    const shifted = new Uint8Array(bytes.length + 9);
    shifted.set(bytes, 1);
    const data = decodeBytes(dtype, shifted.subarray(1), 3);
    shifted.fill(0);
    assertEquals(Array.from(data), stored, dtype);
  }
  assertEquals(decodeBytes("float16", new Uint8Array(4), 1).length, 1);
  assertEquals(decodeBytes("bool", new Uint8Array(0), 0).length, 0);
});

Deno.test("encoding a typed array of the dtype itself still copies", () => {
  const values = Float32Array.of(1, 2);
  const bytes = encodeValues("float32", values);
  values[0] = 9;
  assertEquals(Array.from(decodeBytes("float32", bytes, 2)), [1, 2]);
});

Deno.test("too few bytes are a RangeError", () => {
  assertThrows(() => decodeBytes("float32", new Uint8Array(7), 2), RangeError, "8 bytes");
});

Deno.test("a typed array of a dtype's own class has that dtype and no other has", () => {
  assertEquals(dtypeOfTypedArray(new Float16ArrayClass(1)), "float16");
  assertEquals(dtypeOfTypedArray(new Float32Array(1)), "float32");
  assertEquals(dtypeOfTypedArray(new Int32Array(1)), "int32");
  assertEquals(dtypeOfTypedArray(new Uint32Array(1)), "uint32");
  for (const other of [new Float64Array(1), new Uint8Array(1), [1], null, "x"]) {
    assertEquals(dtypeOfTypedArray(other), undefined);
  }
  assert(typedArrayFor("bool") === Uint8Array);
});
