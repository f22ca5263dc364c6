// Softmax and normalizations over rows on the adapter, against float64.

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Kernel } from "../../kernels/kernel.ts";
import { type StorageFormat, storageFormat } from "../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../kernels/target.ts";
import { layerNormKernel, rmsNormKernel } from "../../kernels/rows/normalize.ts";
import {
  rowsAreAligned,
  type RowsDescription,
  supportsRows,
} from "../../kernels/rows/row_kernel.ts";
import { logSoftmaxKernel, logSumExpKernel, softmaxKernel } from "../../kernels/rows/softmax.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { arrayFragment, epilogueFragment } from "./array_fragment.ts";
import { decode, encode, openKernelDevice } from "./run_kernel.ts";

type Numbers = ArrayLike<number> & Iterable<number>;

const eps = 1e-5;

const mean = (row: number[]) => row.reduce((a, v) => a + v, 0) / row.length;

function logSumExp(row: number[]): number {
  const peak = Math.max(...row);
  return peak + Math.log(row.reduce((a, v) => a + Math.exp(v - peak), 0));
}

/** One row in float64. */
const references = {
  softmax: (row: number[]) => {
    const total = logSumExp(row);
    return row.map((v) => Math.exp(v - total));
  },
  logSoftmax: (row: number[]) => {
    const total = logSumExp(row);
    return row.map((v) => v - total);
  },
  logSumExp: (row: number[]) => [logSumExp(row)],
  layerNorm: (row: number[], scale: Numbers, bias: Numbers) => {
    const center = mean(row);
    const deviation = Math.sqrt(mean(row.map((v) => (v - center) ** 2)) + eps);
    return row.map((v, i) => (v - center) / deviation * scale[i] + bias[i]);
  },
  rmsNorm: (row: number[], scale: Numbers) => {
    const root = Math.sqrt(mean(row.map((v) => v * v)) + eps);
    return row.map((v, i) => v / root * scale[i]);
  },
};

type Name = keyof typeof references;

const kernels: Record<Name, (d: RowsDescription, target: Target) => Kernel> = {
  softmax: softmaxKernel,
  logSoftmax: logSoftmaxKernel,
  logSumExp: logSumExpKernel,
  layerNorm: (d, target) =>
    layerNormKernel({ ...d, eps, scale: "float32", bias: "bfloat16" }, target),
  rmsNorm: (d, target) => rmsNormKernel({ ...d, eps, scale: "bfloat16" }, target),
};

/** Operands that follow the input. */
const operandFormats: Partial<Record<Name, StorageFormat[]>> = {
  layerNorm: ["float32", "bfloat16"],
  rmsNorm: ["bfloat16"],
};

interface Case {
  readonly rows: number;
  readonly length: number;
  readonly format?: StorageFormat;
  readonly output?: StorageFormat;
  readonly target?: Target;
  readonly values?: Numbers;
  /** The error allowed beside the formats' rounding, relative to the larger of the result and 1. */
  readonly tolerance?: number;
}

/** Numbers that look random and are the same in every run. */
function noise(size: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * 4;
  });
}

function descriptionOf({ rows, length, format = "float32", output = format }: Case) {
  const input = arrayFragment({ format, aligned: rowsAreAligned(length) });
  return { rows, length, input, outputs: [output] };
}

async function onDevice(name: Name, test: Case) {
  const { run, target } = await openKernelDevice();
  const { rows, length, format = "float32", output = format } = test;
  const stored = (f: StorageFormat, v: Numbers) => decode(f, encode(f, v));
  const values = stored(format, test.values ?? noise(rows * length, length));
  const operands = (operandFormats[name] ?? []).map((f, i) => stored(f, noise(length, i + 7)));
  const kernel = kernels[name](descriptionOf(test), test.target ?? target);
  const inputs = [
    encode(format, values),
    ...operands.map((v, i) => encode(operandFormats[name]![i], v)),
  ];
  const size = name === "logSumExp" ? rows : rows * length;
  const [result] = await run(kernel, inputs, [{ format: output, size }]);
  const expected = Array.from({ length: rows }, (_, r) =>
    references[name](
      Array.from(values).slice(r * length, (r + 1) * length),
      ...operands as [Numbers, Numbers],
    )).flat();
  return { result, expected };
}

/** Compares with float64, to float32's rounding errors and one rounding to the stored format. */
async function check(name: Name, test: Case): Promise<void> {
  const { result, expected } = await onDevice(name, test);
  const output = test.output ?? test.format ?? "float32";
  const ulp = { float32: 0, bfloat16: 2 ** -8 }[output as string] ?? 2 ** -11;
  for (const [i, wanted] of expected.entries()) {
    const error = Math.abs(result[i] - wanted);
    const allowed =
      (test.tolerance ?? 4e-6) * Math.max(Math.abs(wanted), name === "softmax" ? 0 : 1) +
      ulp * Math.abs(wanted) + (ulp === 2 ** -11 ? 2 ** -25 : 0);
    assert(
      error <= allowed,
      `${name} of ${JSON.stringify({ ...test, values: 0, target: 0 })}: element ${i} is ` +
        `${result[i]}, not ${wanted}`,
    );
  }
}

const names = Object.keys(references) as Name[];

webgpuTest(
  "row kernels agree with float64 on rows held by one thread, a subgroup or a workgroup",
  async () => {
    for (const name of names) {
      for (const [rows, length] of [[70, 16], [3, 60], [300, 64], [2, 1100]]) {
        await check(name, { rows, length });
      }
    }
  },
);

webgpuTest("row kernels agree with float64 on rows that are streamed", async () => {
  for (const name of names) {
    for (const [rows, length] of [[7, 3], [130, 10], [5, 77], [2, 9000]]) {
      await check(name, { rows, length });
    }
  }
});

webgpuTest("row kernels store halves, whose rows may share words", async () => {
  for (const name of names) {
    for (const format of ["float16_packed", "bfloat16"] as const) {
      for (const [rows, length] of [[3, 10], [7, 77], [5, 128]]) {
        await check(name, { rows, length, format });
      }
    }
    await check(name, { rows: 3, length: 36, format: "bfloat16", output: "float32" });
  }
});

webgpuTest("row kernels read and write native float16", async () => {
  const { target } = await openKernelDevice();
  if (!target.shaderF16) return;
  const native: Target = { ...target, nativeFloat16Storage: true };
  const format = storageFormat("float16", native);
  assertEquals(format, "float16_native");
  for (const name of names) {
    await check(name, { rows: 3, length: 7, format, target: native });
    await check(name, { rows: 3, length: 64, format, target: native });
  }
});

webgpuTest("row kernels need no subgroups, and suit GPUs", async () => {
  const { target } = await openKernelDevice();
  const others: Target[] = [
    { ...target, subgroupSize: 0 },
    { ...baselineTarget, kind: "discrete" },
    { ...target, kind: "discrete" },
  ];
  for (const other of others) {
    for (const name of ["softmax", "logSumExp", "layerNorm"] as const) {
      await check(name, { rows: 5, length: 300, target: other });
      await check(name, { rows: 5, length: 101, format: "bfloat16", target: other });
    }
  }
});

webgpuTest(
  "softmax of [1000, 1001, 1002] and layer norm of [-800, 800] are right in every format",
  async () => {
    const { target } = await openKernelDevice();
    for (const format of ["float32", "float16_packed", "bfloat16"] as const) {
      const output = "float32";
      for (const other of [target, { ...target, subgroupSize: 0 }]) {
        const large = { rows: 1, length: 3, format, output, target: other } as const;
        // bfloat16 holds 1000, but neither 1001 nor 1002: the reference rounds them as the device does.
        await check("softmax", { ...large, values: [1000, 1001, 1002] });
        await check("logSoftmax", { ...large, values: [1000, 1001, 1002] });
        await check("layerNorm", { ...large, length: 2, values: [-800, 800] });
        await check("layerNorm", { ...large, length: 4, values: [-800, 800, -800, 800] });
      }
    }
  },
);

webgpuTest(
  "layer norm keeps a small spread around a large mean, or beside one large element",
  async () => {
    for (const length of [1024, 1022, 9000]) {
      // The float32 mean itself is off by up to 2.4e-4 at 4096, 1e-4 of the spread.
      const far = noise(length, 5).map((v) => Math.fround(v + 4096));
      await check("layerNorm", { rows: 1, length, values: far, tolerance: 1e-3 });
      const outlier = noise(length, 6);
      outlier[0] = 30000;
      await check("layerNorm", { rows: 1, length, values: outlier, tolerance: 1e-5 });
    }
  },
);

webgpuTest("softmax and logSumExp treat infinity and NaN as JAX does", async () => {
  for (const length of [4, 5, 64, 65]) {
    const fill = (...head: number[]) => [...head, ...Array<number>(length - head.length).fill(0)];
    const rows = [
      Array<number>(length).fill(-Infinity),
      fill(-Infinity, 1),
      fill(Infinity, 1),
      fill(0, NaN),
    ];
    const test = { rows: rows.length, length, values: rows.flat() };
    const sums = (await onDevice("logSumExp", test)).result;
    assertEquals([sums[0], sums[2], sums[3]], [-Infinity, Infinity, NaN]);
    assert(Math.abs(sums[1] - Math.log(Math.E + length - 2)) < 1e-5);
    for (const name of ["softmax", "logSoftmax"] as const) {
      const result = Array.from((await onDevice(name, test)).result);
      const row = (r: number) => result.slice(r * length, (r + 1) * length);
      assert(row(0).every(Number.isNaN), `${name} of -infinity alone`);
      assert(row(3).every(Number.isNaN), `${name} of NaN`);
      assert(Number.isNaN(row(2)[0]), `${name} of infinity`);
      assertEquals(row(1)[0], name === "softmax" ? 0 : -Infinity);
      assert(row(1).slice(1).every(Number.isFinite));
    }
  }
});

webgpuTest("row kernels fuse an expression before and one after", async () => {
  const { run, target } = await openKernelDevice();
  for (const [rows, length] of [[3, 8], [3, 7]]) {
    const aligned = rowsAreAligned(length);
    const values = noise(rows * length, 1);
    const others = noise(rows * length, 2);
    const kernel = softmaxKernel({
      rows,
      length,
      input: arrayFragment({ format: "float32", aligned, expression: "x * 2.0" }),
      // Results leave in whole vectors, wherever the rows begin.
      epilogue: epilogueFragment({ format: "float32", aligned: true, expression: "a - x" }),
      outputs: ["float32"],
    }, target);
    const inputs = [encode("float32", values), encode("float32", others)];
    const [result] = await run(kernel, inputs, [{ format: "float32", size: rows * length }]);
    for (let r = 0; r < rows; r++) {
      const row = Array.from(values.subarray(r * length, (r + 1) * length), (v) => 2 * v);
      references.softmax(row).forEach((v, i) =>
        assert(Math.abs(result[r * length + i] - (v - others[r * length + i])) < 1e-5)
      );
    }
  }
});

webgpuTest("normalizations do without scale and bias", async () => {
  const { run, target } = await openKernelDevice();
  for (const length of [8, 6]) {
    const values = noise(length, 3);
    const description = { ...descriptionOf({ rows: 1, length }), eps };
    const ones = new Float32Array(length).fill(1);
    const zeros = new Float32Array(length);
    for (const name of ["layerNorm", "rmsNorm"] as const) {
      const make = name === "layerNorm" ? layerNormKernel : rmsNormKernel;
      const inputs = [encode("float32", values)];
      const [result] = await run(make(description, target), inputs, [
        { format: "float32", size: length },
      ]);
      references[name](Array.from(values), ones, zeros).forEach((v, i) =>
        assert(Math.abs(result[i] - v) < 1e-5)
      );
    }
  }
});

webgpuTest("row kernels take more than 65,535 workgroups", async () => {
  const { run, target } = await openKernelDevice();
  const [rows, length] = [66_000, 20];
  const kernel = softmaxKernel(descriptionOf({ rows, length, format: "bfloat16" }), target);
  assert(kernel.workgroups[1] > 1 && kernel.workgroups[0] <= 65535);
  const format = "bfloat16" as const;
  const [result] = await run(kernel, [new Uint8Array(rows * length * 2)], [
    { format, size: rows * length },
  ]);
  const [share] = decode(format, encode(format, [1 / 20]));
  assert(Array.from(result).every((v) => v === share));
});

Deno.test("row kernels write the same text for another number of rows", () => {
  const text = (rows: number, length: number) =>
    softmaxKernel(descriptionOf({ rows, length }), baselineTarget).code;
  assertEquals(text(32, 128), text(1000, 128));
  assertEquals(text(33, 10), text(999, 10));
});

Deno.test("row kernels refuse fragments and lengths that they cannot serve", () => {
  const input = arrayFragment({ format: "float32", aligned: true });
  assertThrows(
    () => softmaxKernel({ rows: 2, length: 10, input, outputs: ["float32"] }, baselineTarget),
    RangeError,
    "Cannot write softmax: rows of whole vectors are required for an aligned fragment, got [2, 10]",
  );
  const software: Target = { ...baselineTarget, kind: "software" };
  assert(supportsRows(1_000_001, software));
  assert(!supportsRows(100_000_001, software));
  assert(supportsRows(100_000_001, baselineTarget));
  const long = descriptionOf({ rows: 1, length: 100_000_001 });
  assertThrows(() => logSumExpKernel(long, software), RangeError, "Cannot write log_sum_exp");
});
