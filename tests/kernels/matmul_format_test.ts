// Matrix products of every storage format, read at every alignment, rounded on the way in and out, and what
// follows them in the same kernel.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { defaultTile, matmulKernel, type MatmulTile } from "../../kernels/matmul/matmul.ts";
import type { StorageFormat } from "../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../kernels/target.ts";
import { roundToBfloat16, roundToFloat16 } from "../../src/core/half.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { epilogueFragment } from "./array_fragment.ts";
import {
  checkProduct,
  describe,
  forEachSum,
  numbers,
  type Problem,
  storeOperands,
} from "./matmul_problem.ts";
import { encode, openKernelDevice } from "./run_kernel.ts";

const registerTile: MatmulTile = {
  mode: "register",
  axis: "columns",
  rows: 4,
  vectors: 1,
  slices: 1,
};

const floats = ["float32", "float16_packed", "float16_native", "bfloat16"] as const;

webgpuTest("every float format multiplies every other, rounding once", async () => {
  const device = await openKernelDevice();
  for (const [i, a] of floats.entries()) {
    for (const b of floats) {
      const output = floats[(i + floats.indexOf(b)) % 4]!;
      const problem: Problem = { m: 9, n: 12, k: 13, a: { format: a }, b: { format: b }, output };
      await checkProduct(device, problem, defaultTile(describe(problem), device.target));
    }
  }
});

webgpuTest("integers are summed as integers, and as floats beside a float", async () => {
  const device = await openKernelDevice();
  const pairs: readonly [StorageFormat, StorageFormat, StorageFormat][] = [
    ["int32", "int32", "int32"],
    ["uint32", "uint32", "uint32"],
    ["int32", "uint32", "int32"],
    ["bool", "uint32", "uint32"],
    ["bool", "float32", "float32"],
    ["float16_packed", "int32", "float32"],
    ["int32", "int32", "float32"],
  ];
  for (const [a, b, output] of pairs) {
    const problem: Problem = { m: 10, n: 6, k: 5, a: { format: a }, b: { format: b }, output };
    await checkProduct(device, problem, registerTile);
    await checkProduct(device, problem, defaultTile(describe(problem), device.target));
  }
});

webgpuTest("integer sums wrap at 32 bits", async () => {
  const device = await openKernelDevice();
  const description = describe({
    m: 1,
    n: 4,
    k: 2,
    a: { format: "int32" },
    b: { format: "int32" },
    output: "int32",
  });
  const kernel = matmulKernel(description, registerTile, device.target);
  const a = encode("int32", [2 ** 30, 3]);
  const b = encode("int32", [2, 4, -2, 1, 1, -1, 0, -(2 ** 31)]);
  const [got] = await device.run(kernel, [a, b], [{ format: "int32", size: 4 }]);
  assertEquals([...got!], [3 - 2 ** 31, -3, -(2 ** 31), 2 ** 30 - 2 ** 31]);
});

const wordTargets: readonly Partial<Target>[] = [{}, { shaderInt64: false }];

webgpuTest("halves are read at every alignment, by words of 32 and of 64 bits", async () => {
  const device = await openKernelDevice();
  // The strides and offsets of A and B make every remainder by four occur.
  const places = [
    { a: { stride: 15, offset: 1 }, b: { stride: 13, offset: 3 } },
    { a: { stride: 14, offset: 2 }, b: { stride: 14, offset: 0 } },
    { a: { stride: 16, offset: 4 }, b: { stride: 12, offset: 8 } },
  ];
  for (const format of ["float16_packed", "bfloat16", "float32"] as const) {
    for (const { a, b } of places) {
      for (const words of wordTargets) {
        const target = { ...device.target, ...words };
        const problem = { m: 6, n: 12, k: 12, a: { ...a, format }, b: { ...b, format } };
        await checkProduct(device, problem, registerTile, target);
      }
    }
  }
});

webgpuTest("float32 operands are rounded to a half type where a cast is fused", async () => {
  const device = await openKernelDevice();
  for (const roundTo of ["float16", "bfloat16"] as const) {
    for (const layout of ["rows", "columns"] as const) {
      const side = { roundTo, layout };
      const problem: Problem = { m: 33, n: 20, k: 11, a: side, b: side };
      await checkProduct(device, problem, defaultTile(describe(problem), device.target));
      await checkProduct(device, problem, registerTile, { ...device.target, shaderF16: false });
    }
  }
});

webgpuTest(
  "what lies past the end of k counts for nothing, infinite operands included",
  async () => {
    const device = await openKernelDevice();
    const description = describe({ m: 2, n: 4, k: 3 });
    const a = encode("float32", [1, 2, Infinity, 4, 5, -Infinity]);
    const b = encode("float32", [1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1, 1]);
    for (
      const tile of [
        registerTile,
        {
          mode: "shared",
          rows: 32,
          columns: 32,
          depth: 16,
          threadRows: 4,
          threadColumns: 4,
        } as const,
        defaultTile(description, device.target),
      ]
    ) {
      const kernel = matmulKernel(description, tile, device.target);
      const [got] = await device.run(kernel, [a, b], [{ format: "float32", size: 8 }]);
      const expected = Array.from({ length: 8 }, (_, i) => i < 4 ? Infinity : -Infinity);
      assertEquals([...got!], expected, JSON.stringify(tile));
    }
  },
);

webgpuTest("products of halves neither overflow nor vanish before they are summed", async () => {
  const device = await openKernelDevice();
  const format = "float16_packed";
  const half = { format } as const;
  for (
    const [k, a, b, expected] of [
      [2, [300, 300], [300, -300], 0],
      [1024, Array(1024).fill(1e-4), Array(1024).fill(1e-4), 1.02e-5],
    ] as const
  ) {
    const description = describe({ m: 1, n: 4, k, a: half, b: half, output: format });
    const kernel = matmulKernel(description, registerTile, device.target);
    const columns = b.flatMap((x: number) => [x, x, x, x]);
    const inputs = [encode(format, a), encode(format, columns)];
    const [got] = await device.run(kernel, inputs, [{ format, size: 4 }]);
    for (const x of got!) assert(Math.abs(x - expected) <= 1e-7, `${x}`);
  }
});

webgpuTest("the error of a half product is that of one final rounding", async () => {
  const device = await openKernelDevice();
  for (const format of ["float16_packed", "bfloat16"] as const) {
    const round = format === "bfloat16" ? roundToBfloat16 : roundToFloat16;
    const problem: Problem = { m: 64, n: 64, k: 256, a: { format }, b: { format }, output: format };
    const description = describe(problem);
    const operands = storeOperands(problem, description);
    const tile = defaultTile(description, device.target);
    const kernel = matmulKernel(description, tile, device.target);
    const bytes = operands.map((operand) => operand.bytes);
    const [got] = await device.run(kernel, bytes, [{ format, size: 64 * 64 }]);
    let [ours, best] = [0, 0];
    forEachSum(description, operands, (i, exact) => {
      ours += (got![i]! - exact) ** 2;
      best += (round(exact) - exact) ** 2;
    });
    assert(Math.sqrt(ours) <= 1.05 * Math.sqrt(best), `${format}: ${Math.sqrt(ours / best)}`);
  }
});

webgpuTest("an epilogue sees the sums and the elements beside them, in every mode", async () => {
  const device = await openKernelDevice();
  const [m, n, k] = [21, 36, 10];
  const batch = [{ extent: 2 }];
  const problem: Problem = { m, n, k, batch };
  const tiles: MatmulTile[] = [
    registerTile,
    { mode: "register", axis: "rows", rows: 4, vectors: 1, slices: 1 },
    { mode: "shared", rows: 32, columns: 32, depth: 16, threadRows: 4, threadColumns: 4 },
    defaultTile(describe(problem), device.target),
  ];
  if (device.target.subgroupSize > 0) {
    tiles.push({ mode: "broadcast", axis: "rows", rows: 12, vectors: 1, unroll: 1 });
  }
  const size = 2 * m * n;
  const other = numbers(size, 3);
  for (const output of ["float32", "float16_packed", "bfloat16"] as const) {
    const description = {
      ...describe({ ...problem, output }),
      epilogue: epilogueFragment({
        format: "float32",
        aligned: true,
        expression: "max(a * 2.0f + x, vec4f(0.0f))",
      }),
    };
    const operands = storeOperands(problem, description);
    const bytes = [...operands.map((operand) => operand.bytes), encode("float32", other)];
    for (const tile of output === "float32" ? tiles : tiles.slice(0, 2)) {
      const kernel = matmulKernel(description, tile, device.target);
      const [got] = await device.run(kernel, bytes, [{ format: output, size }]);
      forEachSum(description, operands, (i, exact, magnitude) => {
        const expected = Math.max(exact * 2 + other[i]!, 0);
        const unit = output === "float32" ? 2 ** -22 : output === "bfloat16" ? 2 ** -8 : 2 ** -11;
        const allowed = (magnitude + 1) * 2 ** -20 + expected * unit;
        assert(Math.abs(got![i]! - expected) <= allowed, JSON.stringify({ tile, output, i }));
      });
    }
  }
});

Deno.test("rows of odd length are refused in 16 bits, which would share words", () => {
  const description = describe({ m: 4, n: 3, k: 4, output: "bfloat16" });
  assertThrows(() => matmulKernel(description, registerTile, baselineTarget), Error, "32 bits");
});
