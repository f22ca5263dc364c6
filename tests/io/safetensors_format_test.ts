// The format of safetensors, and what is done with files that break it.

import { assertEquals, assertRejects } from "@std/assert";
import { type ByteSource, memorySource } from "../../src/io/byte_source.ts";
import { readStoredFile, type StoredTensor } from "../../src/io/safetensors_format.ts";
import { deviceElements } from "../../src/io/stored_elements.ts";
import { decodeBytes } from "../../src/core/element_data.ts";

/** A file with this header and these bytes of data. */
function fileOf(header: unknown, data: ArrayLike<number> = []): Uint8Array {
  const text = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(Array.from(data), 8 + text.length);
  return file;
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

async function tensorsOf(file: Uint8Array): Promise<readonly StoredTensor[]> {
  return (await readStoredFile(memorySource(file))).tensors;
}

async function valuesOf(file: Uint8Array): Promise<Record<string, number[]>> {
  const values = (await tensorsOf(file)).map((tensor) => {
    const { bytes } = deviceElements(tensor, file.subarray(tensor.begin, tensor.end));
    return [tensor.name, Array.from(decodeBytes(tensor.dtype, bytes, tensor.size))];
  });
  return Object.fromEntries(values);
}

Deno.test("every stored type is read, at odd offsets too", async () => {
  const parts: [string, string, Uint8Array][] = [
    ["flag", "BOOL", Uint8Array.of(1, 0, 1)],
    ["half", "F16", bytesOf(new Float16Array([1.5, -2, 65504]))],
    ["brain", "BF16", bytesOf(Uint16Array.of(0x3f80, 0xc000, 0x7f80))],
    ["single", "F32", bytesOf(new Float32Array([0.1, -0, 3e38]))],
    ["signed", "I32", bytesOf(new Int32Array([-1, 2 ** 31 - 1, 0]))],
    ["unsigned", "U32", bytesOf(new Uint32Array([2 ** 32 - 1, 1, 0]))],
    ["double", "F64", bytesOf(new Float64Array([0.5, 0.1, NaN]))],
    ["long", "I64", bytesOf(new BigInt64Array([-5n, 2n ** 31n - 1n, 0n]))],
    ["byte", "U8", Uint8Array.of(255, 1, 0)],
    ["signed byte", "I8", Uint8Array.of(255, 127, 128)],
    ["short", "U16", bytesOf(Uint16Array.of(65535, 1, 0))],
    ["signed short", "I16", bytesOf(Int16Array.of(-32768, 32767, -1))],
  ];
  const header: Record<string, unknown> = { __metadata__: { made: "here" } };
  const data: number[] = [];
  for (const [name, dtype, bytes] of parts) {
    header[name] = {
      dtype,
      shape: [3],
      data_offsets: [data.length, data.length + bytes.length],
    };
    data.push(...bytes);
  }
  assertEquals(await valuesOf(fileOf(header, data)), {
    flag: [1, 0, 1],
    half: [1.5, -2, 65504],
    brain: [1, -2, Infinity],
    single: [Math.fround(0.1), -0, Math.fround(3e38)],
    signed: [-1, 2 ** 31 - 1, 0],
    unsigned: [2 ** 32 - 1, 1, 0],
    double: [0.5, Math.fround(0.1), NaN],
    long: [-5, 2 ** 31 - 1, 0],
    byte: [255, 1, 0],
    "signed byte": [-1, 127, -128],
    short: [65535, 1, 0],
    "signed short": [-32768, 32767, -1],
  });
});

Deno.test("a float64 that float32 cannot hold is counted as changed", async () => {
  const data = bytesOf(new Float64Array([0.5, 0.1, 1e300, NaN]));
  const file = fileOf({ x: { dtype: "F64", shape: [4], data_offsets: [0, 32] } }, data);
  const [tensor] = await tensorsOf(file);
  assertEquals(deviceElements(tensor, data).changed, 2);
});

Deno.test("scalars, empty tensors and a header padded with spaces are read", async () => {
  const header = JSON.stringify({
    scalar: { dtype: "I32", shape: [], data_offsets: [0, 4] },
    empty: { dtype: "F32", shape: [0, 7], data_offsets: [4, 4] },
  });
  assertEquals(await valuesOf(fileOf(header + "     ", [7, 0, 0, 0])), { scalar: [7], empty: [] });
  assertEquals(await tensorsOf(fileOf({})), []);
});

Deno.test("a name that JavaScript gives a meaning to is a name like any other", async () => {
  const file = fileOf('{"__proto__":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}', [1]);
  assertEquals((await tensorsOf(file)).map(({ name }) => name), ["__proto__"]);
  assertEquals(Object.hasOwn(await valuesOf(file), "__proto__"), true);
});

Deno.test("a file in a larger buffer is read from its own start", async () => {
  const file = fileOf({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, [0, 0, 128, 63]);
  const larger = new Uint8Array(file.length + 3);
  larger.set(file, 3);
  assertEquals(await valuesOf(larger.subarray(3)), { x: [1] });
});

const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };

const hostile: [string, Uint8Array, typeof TypeError | typeof RangeError, string][] = [
  ["no bytes at all", new Uint8Array(), RangeError, "got 0 bytes"],
  ["a header longer than the file", new Uint8Array(16).fill(255), RangeError, "header length"],
  ["a header that is no JSON", fileOf("{]"), TypeError, "must be JSON"],
  ["a header that is a list", fileOf([]), TypeError, "must be a JSON object"],
  [
    "two tensors of one name",
    fileOf(
      '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
        '"\\u0078":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      [0],
    ),
    TypeError,
    'must have every key once, got "x" twice',
  ],
  [
    "a shape that comes twice",
    fileOf('{"x":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', [0]),
    TypeError,
    'must have every key once, got "shape" twice',
  ],
  [
    "metadata that is no text",
    fileOf({ __metadata__: { step: 1 } }),
    TypeError,
    "__metadata__ must be an object of strings",
  ],
  ["an entry that is null", fileOf({ x: null }), TypeError, 'tensor "x" must be an object'],
  [
    "an unknown type",
    fileOf({ x: { ...entry, dtype: "F8_E4M3" } }),
    TypeError,
    "dtype must be one of F32, F16",
  ],
  [
    "a type named after a method",
    fileOf({ x: { ...entry, dtype: "toString" } }),
    TypeError,
    "dtype must be one of",
  ],
  ["a negative extent", fileOf({ x: { ...entry, shape: [-1] } }), TypeError, "at least 0"],
  ["a fractional extent", fileOf({ x: { ...entry, shape: [0.5] } }), TypeError, "at least 0"],
  ["a shape that is text", fileOf({ x: { ...entry, shape: "1" } }), TypeError, "shape must be"],
  [
    "more elements than can be counted",
    fileOf({ x: { ...entry, shape: [2 ** 52, 2 ** 52, 0] } }),
    RangeError,
    "more elements than can be counted",
  ],
  [
    "offsets past the end",
    fileOf({ x: entry }, [0, 0, 0]),
    RangeError,
    "must rise inside the file's 3 bytes",
  ],
  [
    "offsets that fall",
    fileOf({ x: { ...entry, data_offsets: [4, 0] } }, [0, 0, 0, 0]),
    RangeError,
    "must rise",
  ],
  [
    "offsets that are missing",
    fileOf({ x: { dtype: "F32", shape: [1] } }, [0, 0, 0, 0]),
    TypeError,
    "data_offsets must be two integers",
  ],
  [
    "offsets that do not fit the shape",
    fileOf({ x: { ...entry, shape: [2] } }, [0, 0, 0, 0]),
    RangeError,
    "[2] of F32 takes 8 bytes",
  ],
  [
    "tensors that overlap",
    fileOf({ x: entry, y: entry }, [0, 0, 0, 0]),
    RangeError,
    '"y" overlaps',
  ],
  [
    "a gap between tensors",
    fileOf({ x: { ...entry, data_offsets: [1, 5] } }, [0, 0, 0, 0, 0]),
    RangeError,
    '"x" leaves a gap',
  ],
  [
    "bytes that belong to no tensor",
    fileOf({ x: entry }, [0, 0, 0, 0, 9]),
    RangeError,
    "the tensors take 4 bytes, but the file holds 5",
  ],
];

for (const [what, file, errorClass, message] of hostile) {
  Deno.test(`a file with ${what} is refused`, async () => {
    const error = await assertRejects(() => tensorsOf(file), errorClass, message);
    assertEquals(error.message.startsWith("Cannot load safetensors: "), true);
  });
}

Deno.test("an int64 outside int32 and a bool that is neither 0 nor 1 are refused", async () => {
  const long = fileOf(
    { x: { dtype: "I64", shape: [1], data_offsets: [0, 8] } },
    bytesOf(new BigInt64Array([2n ** 31n])),
  );
  await assertRejects(() => valuesOf(long), RangeError, "must fit into int32, got 2147483648 at 0");
  const bool = fileOf({ x: { dtype: "BOOL", shape: [2], data_offsets: [0, 2] } }, [1, 2]);
  await assertRejects(() => valuesOf(bool), RangeError, "must hold bytes of 0 and 1, got 2 at 1");
});

Deno.test("a header length past 100 MB is refused before the header is read", async () => {
  const reads: [number, number][] = [];
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, 100_000_001n, true);
  const source: ByteSource = {
    size: 2 ** 40,
    read: (begin, end) => {
      reads.push([begin, end]);
      return Promise.resolve(length);
    },
    [Symbol.dispose]: () => {},
  };
  await assertRejects(() => readStoredFile(source), RangeError, "header length of 100000001");
  assertEquals(reads, [[0, 8]]);
});

Deno.test("names in nested objects, in arrays and in strings with braces are no repetitions", async () => {
  const x = { dtype: "BOOL", shape: [1], data_offsets: [0, 1] };
  const y = { dtype: "BOOL", shape: [1, 1], data_offsets: [1, 2] };
  const names = ['{"x":', '\\\\"'];
  const file = fileOf(
    { __metadata__: { x: '{"x": 1, "x": 2}' }, [names[0]]: x, [names[1]]: y },
    [0, 1],
  );
  assertEquals((await tensorsOf(file)).map(({ name }) => name), names);
});
