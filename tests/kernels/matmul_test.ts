// Matrix products by every tile, against sums in float64: odd and even shapes, transposed and strided
// operands, batches, with NaN around all arrays.

import { assert, assertEquals } from "@std/assert";
import {
  candidateTiles,
  defaultTile,
  matmulKernel,
  type MatmulTile,
} from "../../kernels/matmul/matmul.ts";
import { baselineTarget, type Target } from "../../kernels/target.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { checkProduct, describe, numbers, type Problem } from "./matmul_problem.ts";
import { encode, type KernelDevice, openKernelDevice } from "./run_kernel.ts";

/** Tiles of every mode that are small, so that the driver compiles them at once. */
function fewTiles({ target }: KernelDevice): MatmulTile[] {
  const tiles: MatmulTile[] = [
    { mode: "register", axis: "columns", rows: 4, vectors: 1, slices: 1 },
    { mode: "shared", rows: 32, columns: 32, depth: 16, threadRows: 4, threadColumns: 4 },
  ];
  if (target.subgroupSize === 0) return tiles;
  return [
    ...tiles,
    { mode: "broadcast", axis: "columns", rows: 8, vectors: 1, unroll: 1 },
    { mode: "broadcast", axis: "rows", rows: 4, vectors: 1, unroll: 2 },
  ];
}

const shapes: readonly Problem[] = [
  { m: 1, n: 1, k: 1 },
  { m: 40, n: 36, k: 20 },
  { m: 70, n: 131, k: 35 },
  { m: 65, n: 68, k: 2, batch: [{ extent: 3 }] },
  { m: 5, n: 8, k: 0 },
];

webgpuTest("a tile of every mode multiplies every shape", async () => {
  const device = await openKernelDevice();
  for (const shape of shapes) {
    for (const tile of fewTiles(device)) await checkProduct(device, shape, tile);
  }
});

webgpuTest("the default tile multiplies every shape", async () => {
  const device = await openKernelDevice();
  const more: readonly Problem[] = [
    { m: 3, n: 5, k: 7 },
    { m: 100, n: 1, k: 64 },
    { m: 1, n: 100, k: 64 },
    { m: 2, n: 64, k: 31 },
    { m: 64, n: 10, k: 128 },
    { m: 90, n: 7, k: 33 },
    { m: 50, n: 2, k: 16 },
  ];
  for (const shape of [...shapes, ...more]) {
    await checkProduct(device, shape, defaultTile(describe(shape), device.target));
  }
});

webgpuTest("every candidate for tuning is right", async () => {
  const device = await openKernelDevice();
  const shape: Problem = { m: 5, n: 20, k: 300 };
  for (const tile of candidateTiles(describe(shape), device.target)) {
    await checkProduct(device, shape, tile);
  }
  const dealt: MatmulTile = { mode: "register", axis: "rows", rows: 6, vectors: 1, slices: 32 };
  await checkProduct(device, { m: 22, n: 6, k: 37 }, dealt);
});

webgpuTest("threads that hold several vectors and rows are right on both sides", async () => {
  const device = await openKernelDevice();
  const tiles: MatmulTile[] = [
    { mode: "register", axis: "columns", rows: 8, vectors: 2, slices: 1 },
    { mode: "register", axis: "rows", rows: 8, vectors: 2, slices: 1 },
    { mode: "shared", rows: 32, columns: 64, depth: 8, threadRows: 4, threadColumns: 8 },
    { mode: "shared", rows: 64, columns: 32, depth: 8, threadRows: 8, threadColumns: 8 },
  ];
  if (device.target.subgroupSize > 0) {
    tiles.push(
      { mode: "broadcast", axis: "columns", rows: 12, vectors: 2, unroll: 1 },
      { mode: "broadcast", axis: "rows", rows: 20, vectors: 2, unroll: 1 },
    );
  }
  for (const [i, tile] of tiles.entries()) {
    // Tiles go in pairs: each form meets operands along rows and along columns.
    const layout = i % 2 === 0 ? "rows" : "columns";
    const problem: Problem = { m: 77, n: 76, k: 21, a: { layout }, b: { layout } };
    await checkProduct(device, problem, tile);
  }
});

webgpuTest("transposed operands, strided lines and offsets are read where they lie", async () => {
  const device = await openKernelDevice();
  const layouts: readonly Partial<Problem>[] = [
    { a: { layout: "columns" } },
    { b: { layout: "columns" } },
    { a: { layout: "columns" }, b: { layout: "columns" } },
    { a: { stride: 44, offset: 4 }, b: { stride: 80 } },
    { a: { layout: "columns", stride: 45, offset: 3 }, b: { layout: "columns", stride: 46 } },
  ];
  for (const [i, layout] of layouts.entries()) {
    const whole = { m: 40, n: 36, k: 20, ...layout };
    await checkProduct(device, whole, defaultTile(describe(whole), device.target));
    const odd = { m: 37, n: 41, k: 23, ...layout };
    const tiles = i % 2 === 0 ? fewTiles(device) : [defaultTile(describe(odd), device.target)];
    for (const tile of tiles) await checkProduct(device, odd, tile);
  }
});

webgpuTest("batches step through operands on any axes and repeat them on others", async () => {
  const device = await openKernelDevice();
  const batches: readonly Problem["batch"][] = [
    [{ extent: 2 }, { extent: 3 }],
    [{ extent: 2, repeats: "a" }, { extent: 3 }],
    [{ extent: 3 }, { extent: 2, repeats: "b" }],
    [{ extent: 2, repeats: "b" }, { extent: 1 }, { extent: 2, repeats: "a" }],
  ];
  for (const batch of batches) {
    for (const shape of [{ m: 9, n: 12, k: 8 }, { m: 1, n: 6, k: 5 }]) {
      const problem = { ...shape, batch };
      await checkProduct(device, problem, defaultTile(describe(problem), device.target));
    }
  }
});

webgpuTest("more than 65,535 workgroups multiply", async () => {
  const device = await openKernelDevice();
  const tile = { mode: "register", axis: "columns", rows: 4, vectors: 1, slices: 1 } as const;
  // 64 threads of four rows each.
  await checkProduct(device, { m: 1, n: 1, k: 1, batch: [{ extent: 65_540 }] }, tile);
});

const lesserTargets: Record<string, Partial<Target>> = {
  "without 64-bit integers": { shaderInt64: false },
  "without subgroups, float16 or 64-bit integers": baselineTarget,
  "without subgroups on a CPU": { ...baselineTarget, kind: "software" },
};

for (const [name, lesser] of Object.entries(lesserTargets)) {
  webgpuTest(`a device ${name} multiplies all the same`, async () => {
    const device = await openKernelDevice();
    const target = { ...device.target, ...lesser };
    for (const shape of [shapes[1]!, shapes[2]!]) {
      const tile = defaultTile(describe(shape), target);
      await checkProduct(device, shape, tile, target);
      const halves = {
        ...shape,
        a: { format: "float16_packed" },
        b: { format: "bfloat16" },
      } as const;
      await checkProduct(device, halves, tile, target);
    }
  });
}

webgpuTest("all tiles that keep k whole give the same bits", async () => {
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

webgpuTest("a new batch size compiles no new text", async () => {
  const { target } = await openKernelDevice();
  const texts = [64, 101, 360].map((m) => {
    const description = describe({ m, n: 128, k: 256 });
    return matmulKernel(description, defaultTile(description, target), target).code;
  });
  assert(new Set(texts).size === 1);
});
