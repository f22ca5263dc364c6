// Scans give at every place what combining all elements up to it gives, rounded once.

import { assert, assertEquals } from "@std/assert";
import type { CombineOperation } from "../../../kernels/combine.ts";
import { type ScanDescription, scanSteps } from "../../../kernels/scan/scan.ts";
import type { StorageFormat } from "../../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../../kernels/target.ts";
import { webgpuTest } from "../../webgpu_test.ts";
import {
  type BitArray,
  bytesOf,
  firstDifference,
  randomSource,
  tiedBits,
  toBits,
  toNumbers,
} from "../random_elements.ts";
import { openKernelDevice } from "../run_kernel.ts";
import { encode, formatsOf, runSequence } from "../run_sequence.ts";

const isFloat = (format: StorageFormat) => !["int32", "uint32", "bool"].includes(format);

function combine(format: StorageFormat, operation: CombineOperation, a: number, b: number): number {
  if (operation === "min") return Math.min(a, b);
  if (operation === "max") return Math.max(a, b);
  if (format === "bool") return operation === "add" ? a | b : a & b;
  if (isFloat(format)) return operation === "add" ? a + b : a * b;
  const wrapped = operation === "add" ? a + b : Math.imul(a, b);
  return format === "int32" ? wrapped | 0 : wrapped >>> 0;
}

function reference(description: ScanDescription, operand: BitArray): number[] {
  const { format, operation, reverse, outer, length, inner } = description;
  const values = toNumbers(format, operand);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const place = (l: number) => (o * length + (reverse ? length - 1 - l : l)) * inner + i;
      for (let l = 1; l < length; l++) {
        values[place(l)] = combine(format, operation, values[place(l - 1)], values[place(l)]);
      }
    }
  }
  return toNumbers(format, toBits(format, encode(format, values)));
}

async function scan(
  description: ScanDescription,
  operand: BitArray,
  target?: Target,
): Promise<BitArray> {
  const { format, outer, length, inner } = description;
  const [bytes] = await runSequence(
    scanSteps(description, target ?? (await openKernelDevice()).target),
    [bytesOf(operand)],
    [{ format, size: outer * length * inner }],
  );
  return toBits(format, bytes);
}

/**
 * Elements whose sums and products are exact in float32 however they are grouped: small whole numbers, and
 * signs with now and then a 2 and a half that follow each other.
 */
function exactBits(description: ScanDescription, seed: number): BitArray {
  const { format, operation, outer, length, inner } = description;
  const size = outer * length * inner;
  if (!isFloat(format) || operation === "min" || operation === "max") {
    return tiedBits(format, size, seed);
  }
  const next = randomSource(seed);
  const values = Array.from({ length: size }, (_, at) => {
    const draw = next();
    if (operation === "add") return draw % 9 - 3;
    const sign = draw & 1 ? -1 : 1;
    const l = Math.floor(at / inner) % length;
    return l % 8 === 2 ? 2 * sign : l % 8 === 5 ? 0.5 * sign : sign;
  });
  return toBits(format, encode(format, values));
}

/** [outer, length, inner]: whole rows in tiles, rows over several tiles, columns of vectors and single. */
const shapes = [
  [1, 1, 1],
  [300, 3, 1],
  [7, 1001, 1],
  [1, 700, 4],
  [2, 40, 12],
  [3, 1537, 1],
  [3, 333, 3],
];

/** A target with small workgroups: rows reach over many tiles. */
async function smallTarget(): Promise<Target> {
  return { ...(await openKernelDevice()).target, maxInvocations: 32 };
}

/** Scans arrays of the given shapes in one format and direction and compares with the reference. */
async function checkScans(
  format: StorageFormat,
  operation: CombineOperation,
  reverse: boolean,
  tried: readonly (readonly number[])[],
  target: Target,
): Promise<void> {
  for (const [s, [outer, length, inner]] of tried.entries()) {
    const description = { format, operation, reverse, outer, length, inner };
    const operand = exactBits(description, s);
    const got = toNumbers(format, await scan(description, operand, target));
    const wanted = reference(description, operand);
    const what = `${format} ${reverse ? "reverse" : ""} ${outer} ${length} ${inner}`;
    assertEquals(firstDifference(got, wanted), null, what);
  }
}

webgpuTest("a cumulative sum is right along every axis, in every format", async () => {
  const target = await smallTarget();
  for (const [f, format] of formatsOf(target).entries()) {
    // Every shape for a format of either width, in both directions for one; a few for the others.
    const thorough = format === "float32" || format === "bfloat16";
    const tried = thorough ? shapes : shapes.slice(-2);
    await checkScans(format, "add", f % 2 === 0, tried, target);
    if (format === "float32") await checkScans(format, "add", f % 2 === 1, tried, target);
  }
});

for (const operation of ["mul", "min", "max"] as const) {
  webgpuTest(`a scan by ${operation} is right over tiles and over columns`, async () => {
    const target = await smallTarget();
    for (const format of ["float32", "bfloat16", "int32", "bool"] as const) {
      const tried = format === "float32" ? shapes.slice(-3) : shapes.slice(-3, -2);
      await checkScans(format, operation, operation === "max", tried, target);
    }
  });
}

webgpuTest("cumulative extrema order -0 below 0 and keep a NaN, as JAX does", async () => {
  const extremum = async (operation: "min" | "max", reverse: boolean, ...values: number[]) => {
    const description: ScanDescription = {
      format: "float32",
      operation,
      reverse,
      outer: 1,
      length: values.length,
      inner: 1,
    };
    const operand = toBits("float32", encode("float32", values));
    return toNumbers("float32", await scan(description, operand, await smallTarget()));
  };
  assertEquals(await extremum("max", false, 1, NaN, 0, 5), [1, NaN, NaN, NaN]);
  assertEquals(await extremum("min", true, 1, NaN, 0, 5), [NaN, NaN, 0, 5]);
  assertEquals(await extremum("max", false, -0, 0, -0), [-0, 0, 0]);
  assertEquals(await extremum("min", false, -0, 0, -0), [-0, -0, -0]);
});

webgpuTest("a half cumulative sum runs on in float32 between its stores", async () => {
  const target = await smallTarget();
  for (const format of ["float16_packed", "bfloat16"] as const) {
    const length = 5000;
    const description = { format, operation: "add", reverse: false, outer: 1, length } as const;
    // 5,000 elements reach over ten of the small tiles.
    for (const inner of [1, 3]) {
      const operand = toBits(format, encode(format, new Array(length * inner).fill(1)));
      const got = toNumbers(format, await scan({ ...description, inner }, operand, target));
      const [wanted] = toNumbers(format, toBits(format, encode(format, [length])));
      assertEquals(got.slice(-inner), new Array(inner).fill(wanted), `${format} ${inner}`);
    }
  }
});

webgpuTest("a long float32 cumulative sum stays within rounding error of float64", async () => {
  const target = await smallTarget();
  const next = randomSource(5);
  for (const [outer, length, inner] of [[1, 200003, 1], [1, 20001, 5]]) {
    const values = Float32Array.from({ length: outer * length * inner }, () => next() / 2 ** 32);
    const description = { format: "float32", operation: "add", outer, length, inner } as const;
    for (const reverse of [false, true]) {
      const operand = new Uint32Array(values.buffer);
      const got = toNumbers("float32", await scan({ ...description, reverse }, operand, target));
      const wanted = reference({ ...description, reverse }, operand);
      const worst = got.reduce((most, v, i) => Math.max(most, Math.abs(v / wanted[i] - 1)), 0);
      assert(worst < 2e-6 * Math.sqrt(length) / 10, `${worst} of ${length}`);
    }
  }
});

webgpuTest("a scan by full workgroups is right and gives the same bits in every run", async () => {
  const { target } = await openKernelDevice();
  const next = randomSource(6);
  const description: ScanDescription = {
    format: "float32",
    operation: "add",
    reverse: false,
    outer: 1,
    length: 100000,
    inner: 1,
  };
  const whole = exactBits(description, 1);
  const summed = toNumbers("float32", await scan(description, whole, target));
  assertEquals(firstDifference(summed, reference(description, whole)), null);
  const values = Float32Array.from({ length: 100000 }, () => next() / 2 ** 31 - 1);
  const operand = new Uint32Array(values.buffer);
  const first = await scan(description, operand, target);
  for (let run = 0; run < 3; run++) {
    assertEquals(firstDifference(await scan(description, operand, target), first), null);
  }
});

webgpuTest("a scan of more than 65,535 tiles is right", async () => {
  const tiny: Target = { ...(await openKernelDevice()).target, maxInvocations: 8 };
  const size = 66000 * 128 + 5;
  const description = {
    format: "int32",
    operation: "add",
    reverse: false,
    outer: 1,
    length: size,
    inner: 1,
  } as const;
  assert(scanSteps(description, tiny).steps[0].kernel.workgroups[1] > 1);
  const operand = new Uint32Array(size).map((_, i) => i % 5);
  const got = await scan(description, operand, tiny);
  let sum = 0;
  const wrong = got.findIndex((value, i) => value !== (sum += i % 5));
  assertEquals(wrong, -1);
});

Deno.test("no thread of a scan visits more than 32,768 elements", () => {
  // Columns enough to fill a device, so that only the length asks for chunks.
  const { steps } = scanSteps(
    {
      format: "float32",
      operation: "add",
      reverse: false,
      outer: 3000,
      length: 70000,
      inner: 12,
    },
    baselineTarget,
  );
  const chunks = steps.map(({ kernel }) => kernel.parameters.find(({ name }) => name === "chunk"));
  assertEquals(chunks.map((chunk) => chunk?.value), [32768, undefined, 32768]);
});

Deno.test("a scan of nothing takes no steps", () => {
  const empty = { format: "float32", operation: "add", reverse: false } as const;
  for (const [outer, length, inner] of [[0, 3, 4], [3, 0, 4], [3, 4, 0]]) {
    assertEquals(scanSteps({ ...empty, outer, length, inner }, baselineTarget).steps, []);
  }
});

Deno.test("a scan's texts do not depend on its extents", () => {
  const texts = (outer: number, length: number, inner: number) =>
    scanSteps(
      { format: "bfloat16", operation: "add", reverse: true, outer, length, inner },
      baselineTarget,
    ).steps.map(({ kernel }) => kernel.code);
  assertEquals(texts(3, 5001, 1), texts(64, 100001, 1));
  assertEquals(texts(8, 100, 1), texts(4096, 32, 1));
  assertEquals(texts(1, 1000, 8), texts(2, 5000, 512));
});

Deno.test("rows that fit into tiles are scanned in one step", () => {
  const steps = (length: number) =>
    scanSteps(
      { format: "float32", operation: "add", reverse: false, outer: 1000, length, inner: 1 },
      baselineTarget,
    ).steps.length;
  assertEquals([1, 3, 64, 1000, 1023, 4096].map(steps), [1, 1, 1, 1, 1, 1]);
  assertEquals(steps(4097), 3);
});
