// Reading and writing by index: against NumPy's and JAX's tables, against indexing written down plainly over
// random indices, and what is promised besides.

import { assertEquals, assertThrows } from "@std/assert";
import {
  type DType,
  type IndexPart,
  type IndexUpdate,
  init,
  jit,
  lax,
  memoryStats,
  type NDArray,
  numpy as jnp,
} from "../../mod.ts";
import { hasWebGpu, webgpuTest } from "../webgpu_test.ts";
import { testGroup } from "./array_tables.ts";
import {
  isIndexArray,
  pick,
  randomParts,
  randomShape,
  type ReferencePart,
  seededRandom,
} from "./index_reference.ts";

testGroup("indexing", 3);

const sizeOf = (shape: readonly number[]) => shape.reduce((n, extent) => n * extent, 1);

function toPart(part: ReferencePart, dtype: "int32" | "uint32"): IndexPart<NDArray> {
  if (!isIndexArray(part)) return part as IndexPart<NDArray>;
  const unsigned = dtype === "uint32" && part.values.every((v) => v >= 0);
  return jnp.array(new Int32Array(part.values), { dtype: unsigned ? "uint32" : "int32" })
    .reshape([...part.shape]);
}

const dtypes: readonly DType[] = ["float32", "float16", "bfloat16", "int32", "uint32"];
const modes = ["set", "add", "mul", "min", "max"] as const;

function join(mode: typeof modes[number], old: number, value: number): number {
  switch (mode) {
    case "set":
      return value;
    case "add":
      return old + value;
    case "mul":
      return old * value;
    case "min":
      return Math.min(old, value);
    case "max":
      return Math.max(old, value);
  }
}

async function numbers(x: NDArray): Promise<number[]> {
  return Array.from(await x.data(), Number);
}

/** Random indices, read and written, in eager execution and under jit in turn. */
async function compareRandom(seed: number, count: number): Promise<void> {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    const shape = randomShape(random);
    const parts = randomParts(random, shape);
    const expected = pick(shape, parts);
    const dtype = dtypes[random(dtypes.length)]!;
    const mode = modes[random(modes.length)]!;
    const given = parts.map((part) => toPart(part, random(2) === 0 ? "int32" : "uint32"));
    const what = `${dtype}[${shape}] ${JSON.stringify(parts)} ${mode}`;
    const wrap: <F extends (x: NDArray) => NDArray>(fn: F) => F = random(2) === 0
      ? (fn) => fn
      : (fn) => jit(fn) as unknown as typeof fn;

    const elements = Array.from({ length: sizeOf(shape) }, () => random(5));
    const x = jnp.array(new Float32Array(elements), { dtype }).reshape(shape);
    const read = wrap((v: NDArray) => v.slice(...given))(x);
    assertEquals(read.shape, expected.shape, what);
    assertEquals(await numbers(read), expected.clamped.map((at) => elements[at]!), what);

    const values = Array.from({ length: expected.dropped.length }, () => random(3));
    const update = jnp.array(new Float32Array(values), { dtype }).reshape([...expected.shape]);
    const written = wrap((v: NDArray) => v.at(...given)[mode](update))(x);
    const wanted = [...elements];
    expected.dropped.forEach((at, k) => {
      if (at >= 0) wanted[at] = join(mode, wanted[at]!, values[k]!);
    });
    assertEquals([written.shape, written.dtype], [shape, dtype], what);
    // A product of many may leave the whole numbers that a half type holds.
    if (Math.max(...wanted) <= 256) assertEquals(await numbers(written), wanted, what);
  }
}

Deno.test("slice() and at() follow NumPy's rules over random indices, on the CPU", async () => {
  await init({ backend: "cpu" });
  await compareRandom(1, 400);
});

webgpuTest("slice() and at() follow NumPy's rules over random indices, on WebGPU", async () => {
  await init({ backend: "webgpu" });
  await compareRandom(2, 20);
});

const backends = hasWebGpu ? ["cpu", "webgpu"] as const : ["cpu"] as const;

for (const backend of backends) {
  const test = backend === "webgpu" ? webgpuTest : Deno.test;

  test(`an update leaves the bits of all else as they are, on ${backend}`, async () => {
    await init({ backend });
    const special = [-0, NaN, Infinity, 1, -0, 2 ** -130];
    const x = jnp.array(special);
    const expected = (at: number, value: number) => special.with(at, value);
    assertEquals(await numbers(x.at(3).add(1)), expected(3, 2));
    assertEquals(await numbers(x.at([3, 4]).mul(0)), expected(3, 0));
    const i = jnp.array([3], { dtype: "int32" });
    assertEquals(await numbers(x.at(i).set(5)), expected(3, 5));
    assertEquals(await numbers(x.slice([null, null, -1])), special.toReversed());
  });

  test(`booleans are picked and updated, on ${backend}`, async () => {
    await init({ backend });
    const x = jnp.array([[true, false], [false, true]]);
    const i = jnp.array([1, 0], { dtype: "int32" });
    assertEquals(await x.slice(i).toList(), [[false, true], [true, false]]);
    assertEquals(await x.at(0).set(false).toList(), [[false, false], [false, true]]);
    assertEquals(await x.at(i, i).set(false).toList(), [[false, false], [false, false]]);
    assertEquals(await x.at(i, 0).add(true).toList(), [[true, false], [true, true]]);
    assertEquals(await jnp.take(x, i, { axis: 1 }).toList(), [[false, true], [true, false]]);
  });

  test(`many updates of one float16 place are summed in float32, on ${backend}`, async () => {
    await init({ backend });
    // In float16 each of these sums would stop at 2048, where 1 is half the distance to the next number.
    const places = jnp.zeros([5000], { dtype: "int32" });
    const x = jnp.zeros([3], { dtype: "float16" });
    assertEquals(await numbers(x.at(places).add(1)), [5000, 0, 0]);
    assertEquals(await numbers(lax.scatterAdd(x, places, 1)), [5000, 0, 0]);
  });
}

Deno.test("indices found while the program runs clamp in reads and are left out of writes", async () => {
  await init({ backend: "cpu" });
  const x = jnp.arange(5);
  const read = jit((v: NDArray, i: NDArray) => v.slice(i));
  const write = jit((v: NDArray, i: NDArray) => v.at(i).set(9));
  const at = (i: number) => jnp.array(i, { dtype: "int32" });
  const reads = await Promise.all([-9, -1, 2, 7].map((i) => read(x, at(i)).item()));
  assertEquals(reads, [0, 4, 2, 4]);
  assertEquals(await numbers(write(x, at(-1))), [0, 1, 2, 3, 9]);
  assertEquals(await numbers(write(x, at(5))), [0, 1, 2, 3, 4]);
  assertEquals(await numbers(write(x, at(-6))), [0, 1, 2, 3, 4]);
});

Deno.test("a traced JavaScript integer is an index, and a fraction is none", async () => {
  await init({ backend: "cpu" });
  const x = jnp.arange(5);
  const read = jit((v: NDArray, i: number) => [
    jnp.take(v, i),
    jnp.takeAlongAxis(v, jnp.reshape(i, [1])),
    v.slice(i),
    lax.dynamicSlice(v, [i], [1]),
  ]);
  for (const part of read(x, 3)) assertEquals(Number(await part.item()), 3);
  const write = jit((v: NDArray, i: number) => v.at(i).set(9));
  assertEquals(await numbers(write(x, 1)), [0, 9, 2, 3, 4]);
  assertThrows(
    () => read(x, 0.5),
    TypeError,
    "an index array must be int32 or uint32, got float32",
  );
});

webgpuTest(
  "windows at starts found while the program runs are moved inside the array",
  async () => {
    await init({ backend: "webgpu" });
    const x = jnp.arange(12).reshape([3, 4]);
    const read = jit((v: NDArray, i: NDArray, j: NDArray) => lax.dynamicSlice(v, [i, j], [2, 3]));
    const write = jit((v: NDArray, i: NDArray) => lax.dynamicUpdateSlice(v, [[-1, -2]], [i, 1]));
    const int = (i: number) => jnp.array(i, { dtype: "int32" });
    assertEquals(await read(x, int(1), int(0)).toList(), [[4, 5, 6], [8, 9, 10]]);
    assertEquals(await read(x, int(9), int(-1)).toList(), [[5, 6, 7], [9, 10, 11]]);
    assertEquals(await read(x, int(-9), int(0)).toList(), [[0, 1, 2], [4, 5, 6]]);
    assertEquals(await write(x, int(-1)).slice(2).toList(), [8, -1, -2, 11]);
    const unsigned = jnp.array(4_000_000_000, { dtype: "uint32" });
    assertEquals(await write(x, unsigned).slice(2).toList(), [8, -1, -2, 11]);
    const both = jnp.array([1, 1], { dtype: "int32" });
    assertEquals(await lax.dynamicSlice(x, both, [1, 2]).toList(), [[5, 6]]);
  },
);

webgpuTest("a window known beforehand is updated by one kernel that leaves nothing", async () => {
  await init({ backend: "webgpu" });
  const x = jnp.ones([64, 64], { dtype: "float16" });
  const ones = jnp.ones([20]);
  const update = (v: NDArray, w: NDArray) => v.at([2, 60, 3], 5).add(w);
  update(x, ones).dispose();
  const before = memoryStats().liveArrays;
  update(x, ones).dispose();
  assertEquals(memoryStats().liveArrays, before);
  assertEquals(jit(update).lower(x, ones).dispatches, 1);
});

Deno.test("at() takes what numpy takes and gives what slice() reads", async () => {
  await init({ backend: "cpu" });
  const x = jnp.arange(6).reshape([2, 3]);
  const update: IndexUpdate<NDArray> = x.at(1);
  assertEquals(await update.get().toList(), [3, 4, 5]);
  assertEquals(await jnp.at(x, 1).set([7, 8, 9]).toList(), [[0, 1, 2], [7, 8, 9]]);
  assertEquals(x.at(1).add(1).dtype, "int32");
  assertEquals(x.astype("bfloat16").at(1).add(jnp.ones([3])).dtype, "bfloat16");
});

const x34 = (): NDArray => jnp.zeros([3, 4]);
const ints = (values: number[]): NDArray => jnp.array(values, { dtype: "int32" });
const wrong: readonly [string, () => unknown, typeof Error, string][] = [
  [
    "a number out of range",
    () => x34().slice(0, 4),
    RangeError,
    "Cannot slice: index 4 is out of range for axis 1 of shape [3, 4]",
  ],
  [
    "a negative one",
    () => x34().at(-4),
    RangeError,
    "Cannot at: index -4 is out of range for axis 0 of shape [3, 4]",
  ],
  [
    "a fraction",
    () => x34().slice(0.5),
    TypeError,
    "Cannot slice: an index must be an integer, got 0.5",
  ],
  [
    "too many parts",
    () => x34().slice(0, null, 0, []),
    RangeError,
    "Cannot slice: at most 2 parts besides new axes are allowed for shape [3, 4], got 3",
  ],
  [
    "a step of 0",
    () => x34().slice([0, 1, 0]),
    RangeError,
    "Cannot slice: a step must not be 0, got [0, 1, 0]",
  ],
  [
    "a list for an array",
    () => x34().slice([1] as unknown as []),
    TypeError,
    "Cannot slice: a range must be [], [start, stop] or [start, stop, step] of integers, got [1]; to gather, pass an integer array",
  ],
  [
    "text",
    () => x34().slice("1" as unknown as number),
    TypeError,
    'Cannot slice: a part must be a number, a range [start, stop, step?], null or an integer array, got "1"',
  ],
  ["a mask", () => x34().slice(x34().greater(1)), TypeError, "numpy.where(mask, x, y)"],
  [
    "a float array",
    () => x34().slice(jnp.array([1])),
    TypeError,
    'Cannot slice: an index array must be int32 or uint32, got float32; convert it with astype("int32")',
  ],
  [
    "arrays that do not broadcast",
    () => x34().slice(ints([0, 1]), ints([0, 1, 2])),
    RangeError,
    "Cannot slice: shapes do not broadcast, got [2] and [3]",
  ],
  [
    "an empty axis",
    () => jnp.zeros([0, 2]).slice(ints([0])),
    RangeError,
    "Cannot slice: an axis that an array indexes must not be empty, got axis 0 of shape [0, 2]",
  ],
  [
    "values that do not fit",
    () => x34().at(0).set([1, 2, 3]),
    RangeError,
    "Cannot at().set: every extent must be 1 or match the one it is stretched to, got [3] and [4]",
  ],
  [
    "values beside arrays",
    () => x34().at(ints([0, 1])).add(jnp.ones([3, 4])),
    RangeError,
    "Cannot at().add: every extent must be 1",
  ],
  [
    "fractions for integers",
    () => ints([1, 2]).at(0).set(0.5),
    TypeError,
    'Cannot at().set: values of float32 do not fit an array of int32; convert them with astype("int32")',
  ],
  [
    "numbers for booleans",
    () => jnp.array([true]).at(0).set(1),
    TypeError,
    "Cannot at().set: values of float32 do not fit an array of bool",
  ],
  [
    "a number to take",
    () => jnp.take(x34(), [0, 3], { axis: 0 }),
    RangeError,
    "Cannot take: index 3 is out of range for axis 0 of shape [3, 4]",
  ],
  [
    "a fraction to take",
    () => jnp.take(x34(), [0.5]),
    TypeError,
    "Cannot take: an index must be an integer, got 0.5",
  ],
  [
    "floats to take",
    () => jnp.take(x34(), x34()),
    TypeError,
    "Cannot take: an index array must be int32 or uint32, got float32",
  ],
  [
    "an empty axis to take from",
    () => jnp.take(jnp.zeros([0, 2]), ints([0]), { axis: 0 }),
    RangeError,
    "Cannot take: axis 0 must not be empty where indices are given, got shape [0, 2]",
  ],
  [
    "other axes",
    () => jnp.takeAlongAxis(x34(), ints([0])),
    RangeError,
    "Cannot takeAlongAxis: the array and the indices must have the same number of axes, got [3, 4] and [1]",
  ],
  [
    "shapes of other axes",
    () => jnp.takeAlongAxis(x34(), jnp.zeros([2, 1], { dtype: "int32" })),
    RangeError,
    "Cannot takeAlongAxis: shapes do not broadcast, got [3, 1] and [2, 1]",
  ],
  [
    "a large window",
    () => lax.dynamicSlice(x34(), [0, 0], [3, 5]),
    RangeError,
    "Cannot dynamicSlice: the window must fit inside the array, got [3, 5] for shape [3, 4]",
  ],
  [
    "starts too few",
    () => lax.dynamicSlice(x34(), [0], [1, 1]),
    RangeError,
    "Cannot dynamicSlice: one start for each axis of shape [3, 4] is required, got [0]",
  ],
  [
    "a float start",
    () => lax.dynamicSlice(x34(), [jnp.array(0.5), 0], [1, 1]),
    TypeError,
    "Cannot dynamicSlice: starts must be integers, scalars for shape [3, 4], got float32[]",
  ],
  [
    "a large update",
    () => lax.dynamicUpdateSlice(x34(), jnp.ones([4, 1]), [0, 0]),
    RangeError,
    "Cannot dynamicUpdateSlice: the update must fit inside the array, got [4, 1] for shape [3, 4]",
  ],
  [
    "limits outside",
    () => lax.slice(x34(), [0, 0], [3, 5]),
    RangeError,
    "Cannot slice: 0 <= start <= limit <= 4 and a positive stride are required along axis 1, got 0, 5 and 1",
  ],
  [
    "other widths",
    () => lax.bitcastConvertType(x34(), "float16"),
    TypeError,
    "Cannot bitcastConvertType: both types must be float32, int32 or uint32, got float32 and float16",
  ],
  [
    "dimensions",
    () => lax.broadcastInDim(x34(), [4, 3], [1, 0]),
    RangeError,
    "Cannot broadcastInDim: one dimension for each axis of shape [3, 4] is required, in rising order, got [1, 0]",
  ],
  [
    "select",
    () => lax.select(x34(), x34(), x34()),
    TypeError,
    "Cannot select: a boolean predicate and two arrays of one type are required, got float32, float32, float32; numpy.where converts",
  ],
];

Deno.test("indices that cannot be say what is allowed", async () => {
  await init({ backend: "cpu" });
  for (const [name, call, type, text] of wrong) assertThrows(call, type, text, name);
});
