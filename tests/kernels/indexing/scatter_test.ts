// Scatters fold the updates of a row in the order of their positions, in float32, and round once.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type ScatterDescription, scatterSteps } from "../../../kernels/indexing/scatter.ts";
import type { ScatterMode } from "../../../kernels/indexing/scatter_access.ts";
import type { StorageFormat } from "../../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../../kernels/target.ts";
import { webgpuTest } from "../../webgpu_test.ts";
import {
  type BitArray,
  bytesOf,
  firstDifference,
  randomIndices,
  randomSource,
  tiedBits,
  toBits,
  toNumbers,
} from "../random_elements.ts";
import { openKernelDevice } from "../run_kernel.ts";
import { encode, formatsOf, runSequence } from "../run_sequence.ts";

const modes: readonly ScatterMode[] = ["set", "add", "mul", "min", "max"];

/** The operation on two accumulators as JavaScript has it: `Math.min` and `Math.max` order -0 and NaN. */
function combine(format: StorageFormat, mode: ScatterMode, a: number, b: number): number {
  if (mode === "set") return b;
  if (mode === "min") return Math.min(a, b);
  if (mode === "max") return Math.max(a, b);
  if (format === "bool") return mode === "add" ? a | b : a & b;
  if (format === "int32") return mode === "add" ? (a + b) | 0 : Math.imul(a, b);
  if (format === "uint32") return (mode === "add" ? a + b : Math.imul(a, b)) >>> 0;
  return Math.fround(mode === "add" ? a + b : a * b);
}

function reference(
  description: ScatterDescription,
  operand: BitArray,
  indices: ArrayLike<number>,
  updates: BitArray,
): number[] {
  const { format, mode, n, count, inner } = description;
  const result = toNumbers(format, operand);
  const added = toNumbers(format, updates);
  for (let c = 0; c < count; c++) {
    if (indices[c] < 0 || indices[c] >= n) continue;
    for (let i = 0; i < inner; i++) {
      const at = indices[c] * inner + i;
      result[at] = combine(format, mode, result[at], added[c * inner + i]);
    }
  }
  return toNumbers(format, toBits(format, encode(format, result)));
}

async function scatter(
  description: ScatterDescription,
  operand: BitArray,
  indices: Int32Array | Uint32Array,
  updates: BitArray,
  target?: Target,
): Promise<BitArray> {
  const { format, n, inner } = description;
  const [bytes] = await runSequence(
    scatterSteps(description, target ?? (await openKernelDevice()).target),
    [bytesOf(operand), bytesOf(indices), bytesOf(updates)],
    [{ format, size: n * inner }],
  );
  return toBits(format, bytes);
}

/** Numbers whose float32 sums depend on their order; for products, close to 1. */
function orderedBits(format: StorageFormat, mode: ScatterMode, size: number, seed: number) {
  if (mode !== "add" && mode !== "mul") return tiedBits(format, size, seed);
  if (format === "bool" || format === "int32" || format === "uint32") {
    return tiedBits(format, size, seed);
  }
  const next = randomSource(seed);
  const values = Array.from({ length: size }, () => {
    const uniform = next() / 2 ** 32;
    return mode === "mul" ? 0.8 + 0.4 * uniform : (uniform - 0.4) * 2 ** (next() % 8);
  });
  return toBits(format, encode(format, values));
}

/** [n, count, inner]: the direct loop and the sort, rows of whole vectors and not, in every format. */
const shapes = [[5, 3, 8], [33, 1300, 7]];

/** More of them, for a format of either width: a few updates of many rows, single elements. */
const moreShapes = [[3, 200, 5], [40, 1, 1], [60, 1500, 12], [900, 700, 1], [3000, 200, 4]];

for (const mode of modes) {
  webgpuTest(
    `scatter ${mode} folds repeated indices by position, in every kind of format`,
    async () => {
      const { target } = await openKernelDevice();
      const some = ["float32", "bfloat16", "int32", "bool"] as const;
      // The formats differ in how they are loaded and stored, which "set" and "add" try on all of them.
      for (const format of mode === "set" || mode === "add" ? formatsOf(target) : some) {
        const thorough = (mode === "set" || mode === "add") &&
          (format === "float32" || format === "bfloat16");
        const tried = thorough ? [...shapes, ...moreShapes] : shapes;
        for (const [s, [n, count, inner]] of tried.entries()) {
          const description = { format, indexType: "int32", mode, n, count, inner } as const;
          const operand = orderedBits(format, mode, n * inner, s);
          const updates = orderedBits(format, mode, count * inner, s + 50);
          const indices = randomIndices(count, -2, n + 2, s + 100);
          const got = await scatter(description, operand, indices, updates);
          const wanted = reference(description, operand, indices, updates);
          const what = `${format} ${n} ${count} ${inner}`;
          assertEquals(firstDifference(toNumbers(format, got), wanted), null, what);
        }
      }
    },
  );
}

webgpuTest("scatter set moves the bits of the last update", async () => {
  const operand = Uint16Array.of(1, 2, 3, 4, 5);
  const updates = Uint16Array.of(0x7e01, 0xfe02, 0x7d03, 0x8000);
  const indices = Int32Array.of(3, 1, 3, -1);
  for (const format of ["bfloat16", "float16_packed"] as const) {
    const got = await scatter(
      { format, indexType: "int32", mode: "set", n: 5, count: 4, inner: 1 },
      operand,
      indices,
      updates,
    );
    assertEquals([...got], [1, 0xfe02, 3, 0x7d03, 5]);
  }
});

webgpuTest("scatter drops indices out of range and lets NaN win, as JAX does", async () => {
  const indexType = "int32";
  const zeros = new Uint32Array(3);
  const ones = new Uint32Array(new Float32Array(4).fill(1).buffer);
  const added = await scatter(
    { format: "float32", indexType, mode: "add", n: 3, count: 4, inner: 1 },
    zeros,
    Int32Array.of(2, 5, -4, 1),
    ones,
  );
  assertEquals(toNumbers("float32", added), [0, 1, 1]);
  const largest = await scatter(
    { format: "float32", indexType, mode: "max", n: 3, count: 3, inner: 1 },
    zeros,
    Int32Array.of(0, 0, 1),
    new Uint32Array(Float32Array.of(NaN, 1, -1).buffer),
  );
  assertEquals(toNumbers("float32", largest), [NaN, 0, 0]);
});

webgpuTest("uint32 indices from 2**31 on are dropped", async () => {
  const indices = Uint32Array.of(0x80000000, 0xffffffff, 1, 1, 4, 0xfffffffe);
  for (const count of [6, 3]) {
    const got = await scatter(
      { format: "int32", indexType: "uint32", mode: "add", n: 2, count, inner: 1 },
      Uint32Array.of(10, 20),
      indices.subarray(0, count),
      Uint32Array.of(1, 2, 3, 4, 5, 6).subarray(0, count),
    );
    assertEquals([...got], count === 6 ? [10, 27] : [10, 23]);
  }
});

webgpuTest("a half scatter-add sums in float32: small updates are not absorbed", async () => {
  for (const format of ["float16_packed", "bfloat16"] as const) {
    const count = 2000;
    const operand = toBits(format, encode(format, [2048, 0]));
    const updates = toBits(format, encode(format, new Array(count).fill(0.5)));
    const indices = new Int32Array(count);
    const got = await scatter(
      { format, indexType: "int32", mode: "add", n: 2, count, inner: 1 },
      operand,
      indices,
      updates,
    );
    const rounded = toNumbers(format, toBits(format, encode(format, [3048])));
    assertEquals(toNumbers(format, got), [...rounded, 0]);
  }
});

webgpuTest("rows with very many updates are folded in pieces that add up", async () => {
  const small: Target = { ...(await openKernelDevice()).target, maxInvocations: 64 };
  // Rows of 1 to many times a chunk, the first and the last one among the long ones.
  for (const [n, count, inner] of [[3, 20000, 1], [7, 3000, 8], [1, 1025, 3], [2, 257, 4]]) {
    for (const mode of ["add", "max"] as const) {
      const description = { format: "float32", indexType: "int32", mode, n, count, inner } as const;
      const next = randomSource(n);
      const whole = (size: number) =>
        new Uint32Array(Float32Array.from({ length: size }, () => next() % 17 - 8).buffer);
      const [operand, updates] = [whole(n * inner), whole(count * inner)];
      const skewed = randomIndices(count, 0, n * n, 5).map((i) => Math.floor(Math.sqrt(i)));
      const wanted = reference(description, operand, skewed, updates);
      const got = await scatter(description, operand, skewed, updates, small);
      const what = `${mode} ${n} ${count} ${inner}`;
      assertEquals(firstDifference(toNumbers("float32", got), wanted), null, what);
    }
  }
});

webgpuTest("a row's sum does not depend on what goes to other rows", async () => {
  const count = 6000;
  const next = randomSource(3);
  const updates = new Uint32Array(
    Float32Array.from({ length: count }, () => next() / 2 ** 32 - 0.3).buffer,
  );
  const description = (n: number): ScatterDescription => ({
    format: "float32",
    indexType: "int32",
    mode: "add",
    n,
    count,
    inner: 1,
  });
  // Every third update goes to the row in the middle; the rest to others, or nowhere.
  const among = randomIndices(count, 0, 9, 4).map((row, c) => c % 3 === 0 ? 9 : row);
  const alone = among.map((row) => row === 9 ? 0 : -1);
  const together = await scatter(description(20), new Uint32Array(20), among, updates);
  const apart = await scatter(description(1), new Uint32Array(1), alone, updates);
  assertEquals(together[9], apart[0]);
});

webgpuTest("scatter-add gives the same bits in every run", async () => {
  const [n, count, inner] = [10, 30000, 3];
  const next = randomSource(8);
  const random = (size: number) =>
    toBits("float32", encode("float32", Array.from({ length: size }, () => next() / 2 ** 31 - 1)));
  const description = {
    format: "float32",
    indexType: "int32",
    mode: "add",
    n,
    count,
    inner,
  } as const;
  const [operand, updates] = [random(n * inner), random(count * inner)];
  const indices = randomIndices(count, 0, n, 7);
  const first = await scatter(description, operand, indices, updates);
  assertNotEquals([...first], [...operand]);
  for (let run = 0; run < 4; run++) {
    const again = await scatter(description, operand, indices, updates);
    assertEquals(firstDifference(again, first), null);
  }
});

webgpuTest("an embedding's gradient of 50,000 rows lands where it belongs", async () => {
  const [n, count, inner] = [50000, 4096, 64];
  const description = {
    format: "bfloat16",
    indexType: "int32",
    mode: "add",
    n,
    count,
    inner,
  } as const;
  const operand = new Uint16Array(n * inner);
  const next = randomSource(9);
  const updates = toBits(
    "bfloat16",
    encode("bfloat16", Array.from({ length: count * inner }, () => next() % 16)),
  );
  const indices = randomIndices(count, 0, n, 7);
  const got = await scatter(description, operand, indices, updates);
  const wanted = reference(description, operand, indices, updates);
  assertEquals(firstDifference(toNumbers("bfloat16", got), wanted), null);
});

webgpuTest("a scatter without updates copies, bit for bit", async () => {
  const operand = tiedBits("bfloat16", 21, 1);
  for (const mode of modes) {
    const sequence = scatterSteps(
      { format: "bfloat16", indexType: "int32", mode, n: 7, count: 0, inner: 3 },
      (await openKernelDevice()).target,
    );
    const [bytes] = await runSequence(sequence, [bytesOf(operand)], [
      { format: "bfloat16", size: 21 },
    ]);
    assertEquals([...toNumbers("bfloat16", toBits("bfloat16", bytes))], [
      ...toNumbers("bfloat16", operand),
    ]);
  }
});

Deno.test("a scatter into an empty array takes no steps", () => {
  const empty = { format: "float32", indexType: "int32", mode: "add", count: 3 } as const;
  assertEquals(scatterSteps({ ...empty, n: 0, inner: 4 }, baselineTarget).steps, []);
  assertEquals(scatterSteps({ ...empty, n: 4, inner: 0 }, baselineTarget).steps, []);
});

Deno.test("a scatter's texts do not depend on its extents", () => {
  const texts = (n: number, count: number, inner: number) =>
    new Set(
      scatterSteps(
        { format: "float32", indexType: "int32", mode: "add", n, count, inner },
        baselineTarget,
      ).steps.map(({ kernel }) => kernel.code),
    );
  assertEquals(texts(5000, 20000, 64), texts(70, 9000, 512));
});

Deno.test("a scatter's temporaries stay small beside its updates", () => {
  const { temporaries } = scatterSteps(
    { format: "float32", indexType: "int32", mode: "add", n: 50000, count: 4096, inner: 512 },
    baselineTarget,
  );
  const bytes = temporaries.reduce((sum, temporary) => sum + temporary.bytes, 0);
  assert(bytes < 4096 * 512 * 4 / 10, `${bytes} bytes`);
});
