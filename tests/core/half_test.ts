// Half conversion against integer rounding, NumPy and ml_dtypes, and the portable package.
import { assert, assertEquals } from "@std/assert";
import { Float16Array as PortableFloat16Array } from "@petamoriken/float16";
import {
  Float16ArrayClass,
  fromBfloat16Bits,
  fromFloat16Bits,
  roundTo,
  roundToBfloat16,
  roundToFloat16,
  toBfloat16Bits,
  toFloat16Bits,
} from "../../src/core/half.ts";
import tables from "../data/core_tables.json" with { type: "json" };
import {
  bfloat16Format,
  float16Format,
  type HalfFormat,
  patternStream,
  roundFloat32Bits,
  roundFloat64,
  valueOfBits,
} from "./rounding_oracle.ts";

interface HalfType {
  readonly name: string;
  readonly format: HalfFormat;
  readonly quietBit: number;
  readonly encode: (values: ArrayLike<number>) => Uint16Array;
  readonly decode: (bits: Uint16Array) => Float32Array;
  readonly round: (x: number) => number;
}

const halfTypes: readonly HalfType[] = [
  {
    name: "float16",
    format: float16Format,
    quietBit: 0x200,
    encode: toFloat16Bits,
    decode: fromFloat16Bits,
    round: roundToFloat16,
  },
  {
    name: "bfloat16",
    format: bfloat16Format,
    quietBit: 0x40,
    encode: toBfloat16Bits,
    decode: fromBfloat16Bits,
    round: roundToBfloat16,
  },
];

function hex(bits: number): string {
  return `0x${bits.toString(16)}`;
}

/** Fails unless `got` is the pattern `wanted`, or any quiet NaN where that is "nan". */
function checkPattern(type: HalfType, got: number, wanted: number | "nan", input: string): void {
  const { infinity } = type.format;
  const isQuietNaN = (got & 0x7fff) > infinity && (got & type.quietBit) !== 0;
  if (wanted === "nan" ? isQuietNaN : got === wanted) return;
  throw new Error(`${type.name} of ${input} is ${hex(got)}, not ${wanted}`);
}

for (const type of halfTypes) {
  Deno.test(`all 65,536 ${type.name} patterns decode by the format's definition and round trip`, () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = type.decode(bits);
    const again = type.encode(values);
    for (let i = 0; i < bits.length; i++) {
      const wanted = valueOfBits(type.format, i);
      assert(Object.is(values[i], wanted), `${hex(i)} is ${values[i]}, not ${wanted}`);
      checkPattern(type, again[i], Number.isNaN(wanted) ? "nan" : i, hex(i));
      assert(Object.is(type.round(wanted), wanted), `${wanted} is a ${type.name} and stays`);
    }
  });

  Deno.test(`a million float32 patterns become ${type.name} as integer rounding says`, () => {
    const next = patternStream(2);
    const patterns = new Uint32Array(1 << 20);
    for (let i = 0; i < patterns.length; i++) {
      // A quarter each: any pattern, ties, one beside a tie, and magnitudes that float16 holds.
      let bits = next();
      const tie = type.format === float16Format ? 0x1000 : 0x8000;
      if (i % 4 === 1) bits = (bits & ~(2 * tie - 1)) | tie;
      if (i % 4 === 2) bits = ((bits & ~(2 * tie - 1)) | tie) + (i % 8 === 2 ? 1 : -1);
      if (i % 4 !== 0) bits = (bits & 0x87ffffff) | ((0x60 + i % 0x30) << 23);
      patterns[i] = bits;
    }
    const got = type.encode(new Float32Array(patterns.buffer));
    for (let i = 0; i < patterns.length; i++) {
      const wanted = roundFloat32Bits(type.format, patterns[i]);
      if (got[i] !== wanted) checkPattern(type, got[i], wanted, hex(patterns[i]));
    }
  });

  Deno.test(`float64 becomes ${type.name} in one rounding, in bulk and one by one`, () => {
    const next = patternStream(3);
    const values = Float64Array.from({ length: 40000 }, (_, i) => {
      const half = valueOfBits(type.format, next() & 0xffff);
      const above = valueOfBits(type.format, (next() & 0x7fff) % type.format.infinity);
      if (i % 4 === 0) return half * (1 + (next() % 3 - 1) * 2 ** -45);
      // Midway between neighbours and a hair beside it: too little for float32 to see.
      const up = valueOfBits(type.format, (next() % (type.format.infinity - 1)) + 1);
      const step = 2 **
        (Math.max(
          Math.floor(Math.log2(up)) - type.format.significandBits,
          type.format.leastExponent,
        ));
      if (i % 4 === 1) return above * (next() / 2 ** 32);
      return (i % 8 < 4 ? 1 : -1) * (up + step / 2) * (1 + (next() % 3 - 1) * 2 ** -48);
    });
    const bulk = type.encode(values);
    const list = type.encode(Array.from(values));
    assertEquals(list, bulk);
    for (let i = 0; i < values.length; i++) {
      const wanted = roundFloat64(type.format, values[i]);
      checkPattern(type, bulk[i], wanted, String(values[i]));
      const number = wanted === "nan" ? NaN : valueOfBits(type.format, wanted);
      assert(Object.is(type.round(values[i]), number), `${values[i]} rounds to ${number}`);
    }
  });
}

Deno.test("the two oracles agree with each other", () => {
  const next = patternStream(4);
  const pattern = new Uint32Array(1);
  const value = new Float32Array(pattern.buffer);
  for (let i = 0; i < 20000; i++) {
    pattern[0] = next();
    for (const { format } of halfTypes) {
      assertEquals(roundFloat64(format, value[0]), roundFloat32Bits(format, pattern[0]));
    }
  }
});

Deno.test("float32 becomes half as NumPy and ml_dtypes convert it", () => {
  const patterns = Uint32Array.from(tables.conversions, ([pattern]) => Number(pattern));
  const values = new Float32Array(patterns.buffer);
  for (const [column, type] of halfTypes.entries()) {
    const got = type.encode(values);
    tables.conversions.forEach((row, i) => {
      const wanted = row[column + 1] === "nan" ? "nan" : Number(row[column + 1]);
      checkPattern(type, got[i], wanted, hex(patterns[i]));
    });
  }
});

Deno.test("float64 becomes float16 as NumPy converts it", () => {
  for (const [value, bits] of tables.float64ToFloat16) {
    assertEquals(toFloat16Bits([value])[0], bits, String(value));
    assertEquals(roundToFloat16(value), valueOfBits(float16Format, bits), String(value));
  }
});

Deno.test("bulk float16 conversion agrees with the portable package", () => {
  const next = patternStream(5);
  const values = Float32Array.from({ length: 100000 }, () => (next() / 2 ** 31 - 1) * 70000);
  const portable = new Uint16Array(new PortableFloat16Array(values).buffer);
  assertEquals(toFloat16Bits(values), portable);
});

Deno.test("half conversion is the same where the runtime has no Float16Array", async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "Float16Array");
  Reflect.deleteProperty(globalThis, "Float16Array");
  let portable: typeof import("../../src/core/half.ts");
  try {
    portable = await import("../../src/core/half.ts?portable");
  } finally {
    if (own !== undefined) Object.defineProperty(globalThis, "Float16Array", own);
  }
  assert(portable.Float16ArrayClass !== Float16ArrayClass);
  const values = Float32Array.from(tables.conversions, ([pattern]) => {
    return new Float32Array(Uint32Array.of(Number(pattern)).buffer)[0];
  });
  const bits = portable.toFloat16Bits(values);
  assertEquals(bits.length, values.length);
  assertEquals(portable.fromFloat16Bits(bits), fromFloat16Bits(toFloat16Bits(values)));
});

Deno.test("bits of a part of a buffer convert without their neighbours", () => {
  const bits = Uint16Array.of(1, 0x3c00, 0xc000, 2).subarray(1, 3);
  assertEquals(fromFloat16Bits(bits), Float32Array.of(1, -2));
  assertEquals(
    toBfloat16Bits(Float32Array.of(9, 1, -2).subarray(1)),
    Uint16Array.of(0x3f80, 0xc000),
  );
});

Deno.test("roundTo() gives the value that each dtype stores", () => {
  assertEquals(roundTo("float32", 0.1), Math.fround(0.1));
  assertEquals(roundTo("float16", 0.1), 0.0999755859375);
  assertEquals(roundTo("bfloat16", 0.1), 0.10009765625);
  assertEquals(roundTo("int32", 2 ** 31 + 0.5), -(2 ** 31));
  assertEquals(roundTo("int32", -1.9), -1);
  assertEquals(roundTo("uint32", -1), 2 ** 32 - 1);
  assertEquals(roundTo("int32", NaN), 0);
  assertEquals([-0, 0.5, NaN].map((x) => roundTo("bool", x)), [0, 1, 1]);
});
