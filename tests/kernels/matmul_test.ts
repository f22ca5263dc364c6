// Matrix products: every way to compute a tile, against sums in float64, over odd and even shapes, every
// format, transposed and batched operands, with NaN behind the ends of all arrays.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  candidateTiles,
  defaultTile,
  type MatmulDescription,
  matmulKernel,
  type MatmulOperand,
  type MatmulTile,
} from "../../kernels/matmul/matmul.ts";
import type { StorageFormat } from "../../kernels/storage.ts";
import { baselineTarget } from "../../kernels/target.ts";
import { roundToBfloat16, roundToFloat16 } from "../../src/core/half.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { decode, encode, type KernelDevice, openKernelDevice } from "./run_kernel.ts";

interface Problem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch?: number;
  readonly a?: Partial<MatmulOperand>;
  readonly b?: Partial<MatmulOperand>;
  readonly output?: StorageFormat;
}

/** Numbers that are neither small integers nor all of one sign. */
function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(seed + i * 12.9898) * 1.5);
}

/** Lines of `length` elements, `stride` apart, with NaN between them. */
function laid(values: readonly number[], length: number, stride: number): number[] {
  const lines = values.length / length;
  return Array.from(
    { length: lines * stride },
    (_, i) => i % stride < length ? values[Math.floor(i / stride) * length + i % stride]! : NaN,
  );
}

function describe({ m, n, k, batch = 1, a, b, output = "float32" }: Problem): MatmulDescription {
  const operand = (
    rows: number,
    columns: number,
    given: Partial<MatmulOperand> = {},
  ): MatmulOperand => {
    const { format = "float32", layout = "rows" } = given;
    return { format, layout, stride: layout === "rows" ? columns : rows, offset: 0, ...given };
  };
  const left = operand(m, k, a);
  const right = operand(k, n, b);
  const lines = (o: MatmulOperand, rows: number, columns: number) =>
    o.stride * (o.layout === "rows" ? rows : columns);
  return {
    m,
    n,
    k,
    batch: batch === 1
      ? []
      : [{ extent: batch, aStride: lines(left, m, k), bStride: lines(right, k, n) }],
    a: left,
    b: right,
    outputs: [output],
  };
}

/** The operand's numbers as they are once stored, and its bytes. */
function store(o: MatmulOperand, rows: number, columns: number, batch: number, seed: number) {
  const [lines, length] = o.layout === "rows" ? [rows, columns] : [columns, rows];
  const given = numbers(batch * lines * length, seed).map((x) =>
    o.format === "int32" ? Math.trunc(x * 9) : x
  );
  const bytes = encode(o.format, laid(given, length, o.stride));
  const stored = [...decode(o.format, bytes)];
  const round = (x: number) =>
    o.roundTo === "float16" ? roundToFloat16(x) : o.roundTo ? roundToBfloat16(x) : x;
  const at = (matrix: number, row: number, column: number) => {
    const [line, position] = o.layout === "rows" ? [row, column] : [column, row];
    return round(stored[(matrix * lines + line) * o.stride + position]!);
  };
  return { bytes, at };
}

async function check(
  device: KernelDevice,
  problem: Problem,
  tile: MatmulTile,
  target = device.target,
): Promise<void> {
  const { m, n, k, batch = 1, output = "float32" } = problem;
  const description = describe(problem);
  const a = store(description.a, m, k, batch, 1);
  const b = store(description.b, k, n, batch, 2);
  const kernel = matmulKernel(description, tile, target);
  const [got] = await device.run(kernel, [a.bytes, b.bytes], [{
    format: output,
    size: batch * m * n,
  }]);
  for (let matrix = 0, i = 0; matrix < batch; matrix++) {
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++, i++) {
        let exact = 0;
        let magnitude = 0;
        for (let c = 0; c < k; c++) {
          const product = a.at(matrix, row, c) * b.at(matrix, c, column);
          exact += product;
          magnitude += Math.abs(product);
        }
        const rounding = output === "float32" ? 0 : output === "bfloat16" ? 2 ** -8 : 2 ** -11;
        const allowed = magnitude * 2 ** -24 * (k + 2) + Math.abs(exact) * rounding + 2 ** -24;
        if (Math.abs(got![i]! - exact) <= allowed) continue;
        assertEquals(got![i], exact, JSON.stringify({ problem, tile, matrix, row, column }));
      }
    }
  }
}

const shapes: readonly Problem[] = [
  { m: 1, n: 1, k: 1 },
  { m: 3, n: 5, k: 7 },
  { m: 33, n: 17, k: 9 },
  { m: 40, n: 36, k: 20 },
  { m: 70, n: 130, k: 35 },
  { m: 1, n: 100, k: 64 },
  { m: 100, n: 1, k: 64 },
  { m: 65, n: 68, k: 2, batch: 3 },
  { m: 5, n: 8, k: 0 },
];

/** One tile of every mode, small enough for the driver to compile at once. */
function fewTiles({ target }: KernelDevice): MatmulTile[] {
  const lanes = target.subgroupSize;
  return [
    { mode: "register", rows: 2 },
    { mode: "shared", rows: 32, columns: 64, depth: 16 },
    ...(lanes > 0 ? [{ mode: "broadcast", rows: lanes, vectors: 1 } as const] : []),
  ];
}

webgpuTest("a tile of every mode multiplies every shape", async () => {
  const device = await openKernelDevice();
  for (const shape of shapes) {
    for (const tile of fewTiles(device)) await check(device, shape, tile);
  }
});

webgpuTest("every candidate for tuning is right", async () => {
  const device = await openKernelDevice();
  const shape: Problem = { m: 130, n: 132, k: 36 };
  for (const tile of candidateTiles(describe(shape), device.target)) {
    await check(device, shape, tile);
  }
});

webgpuTest("transposed operands, strided lines and offsets are read where they lie", async () => {
  const device = await openKernelDevice();
  const layouts: readonly Partial<Problem>[] = [
    { a: { layout: "columns" } },
    { b: { layout: "columns" } },
    { a: { layout: "columns" }, b: { layout: "columns" } },
    { a: { stride: 44 }, b: { stride: 80 } },
    { a: { layout: "columns", stride: 45 }, b: { layout: "columns", stride: 43 } },
  ];
  for (const layout of layouts) {
    for (
      const shape of [{ m: 40, n: 36, k: 20 }, { m: 37, n: 41, k: 23 }, {
        m: 9,
        n: 12,
        k: 7,
        batch: 2,
      }]
    ) {
      const problem = { ...shape, ...layout };
      for (const tile of fewTiles(device)) await check(device, problem, tile);
    }
  }
});

webgpuTest("every format multiplies every other, rounding once", async () => {
  const device = await openKernelDevice();
  const formats = ["float32", "float16_packed", "float16_native", "bfloat16"] as const;
  for (const [i, a] of formats.entries()) {
    for (const b of formats) {
      const output = formats[(i + formats.indexOf(b)) % 4]!;
      const problem: Problem = { m: 9, n: 12, k: 13, a: { format: a }, b: { format: b }, output };
      await check(device, problem, defaultTile(describe(problem), device.target));
    }
  }
});

webgpuTest(
  "float32 operands are rounded to a half type on the way where a cast is fused",
  async () => {
    const device = await openKernelDevice();
    for (const roundTo of ["float16", "bfloat16"] as const) {
      for (const layout of ["rows", "columns"] as const) {
        const problem: Problem = {
          m: 33,
          n: 20,
          k: 11,
          a: { roundTo, layout },
          b: { roundTo, layout },
        };
        for (const tile of fewTiles(device)) {
          await check(
            device,
            problem,
            tile,
          );
        }
      }
    }
  },
);

webgpuTest("integers are summed as integers", async () => {
  const device = await openKernelDevice();
  const problem: Problem = {
    m: 10,
    n: 6,
    k: 5,
    a: { format: "int32" },
    b: { format: "int32" },
    output: "int32",
  };
  for (const tile of fewTiles(device)) await check(device, problem, tile);
});

webgpuTest("a device with neither subgroups nor float16 multiplies all the same", async () => {
  const device = await openKernelDevice();
  for (const shape of shapes) {
    const problem = { ...shape, a: { format: "float16_packed" as const } };
    await check(device, problem, defaultTile(describe(problem), baselineTarget), baselineTarget);
  }
});

webgpuTest("all tiles give the same bits", async () => {
  const device = await openKernelDevice();
  const description = { ...describe({ m: 65, n: 68, k: 103 }), outputs: ["bfloat16"] as const };
  const a = encode("float32", numbers(65 * 103, 1));
  const b = encode("float32", numbers(103 * 68, 2));
  let first: number[] | undefined;
  for (const tile of fewTiles(device)) {
    const kernel = matmulKernel(description, tile, device.target);
    const [got] = await device.run(kernel, [a, b], [{ format: "bfloat16", size: 65 * 68 }]);
    first ??= [...got!];
    assertEquals([...got!], first, JSON.stringify(tile));
  }
});

webgpuTest("the error of a half product is that of one final rounding", async () => {
  const device = await openKernelDevice();
  const [m, n, k] = [64, 64, 256];
  for (const format of ["float16_packed", "bfloat16"] as const) {
    const round = format === "bfloat16" ? roundToBfloat16 : roundToFloat16;
    const description = describe({ m, n, k, a: { format }, b: { format }, output: format });
    const a = store(description.a, m, k, 1, 3);
    const b = store(description.b, k, n, 1, 4);
    const kernel = matmulKernel(
      description,
      defaultTile(description, device.target),
      device.target,
    );
    const [got] = await device.run(kernel, [a.bytes, b.bytes], [{ format, size: m * n }]);
    let ours = 0;
    let best = 0;
    for (let i = 0; i < m * n; i++) {
      let exact = 0;
      for (let c = 0; c < k; c++) exact += a.at(0, Math.floor(i / n), c) * b.at(0, c, i % n);
      ours += (got![i]! - exact) ** 2;
      best += (round(exact) - exact) ** 2;
    }
    assert(Math.sqrt(ours) <= 1.05 * Math.sqrt(best), `${format}: ${Math.sqrt(ours / best)}`);
  }
});

Deno.test("rows of odd length are refused in 16 bits, which would share words", () => {
  const description = describe({ m: 4, n: 3, k: 4, output: "bfloat16" });
  assertThrows(
    () => matmulKernel(description, { mode: "register", rows: 1 }, baselineTarget),
    Error,
    "32 bits",
  );
});
