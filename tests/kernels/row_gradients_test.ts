// How cotangents go back through softmax and normalizations, on the adapter, against float64.

import { assert } from "@std/assert";
import type { Fragment } from "../../kernels/fragment.ts";
import type { Kernel } from "../../kernels/kernel.ts";
import {
  layerNormGradientKernel,
  rmsNormGradientKernel,
} from "../../kernels/rows/normalize_gradient.ts";
import { rowsAreAligned, type RowsDescription } from "../../kernels/rows/row_kernel.ts";
import {
  logSoftmaxGradientKernel,
  softmaxGradientKernel,
} from "../../kernels/rows/softmax_gradient.ts";
import type { StorageFormat } from "../../kernels/storage.ts";
import { baselineTarget, type Target } from "../../kernels/target.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { arrayFragment } from "./array_fragment.ts";
import { randomSource } from "./random_elements.ts";
import { decode, encode, openKernelDevice } from "./run_kernel.ts";

type Numbers = readonly number[];

const eps = 1e-5;

const sum = (row: Numbers) => row.reduce((a, v) => a + v, 0);
const mean = (row: Numbers) => sum(row) / row.length;
const products = (a: Numbers, b: Numbers) => a.map((v, i) => v * b[i]!);

/** Numbers from -4 to 4. */
function noise(size: number, seed: number): number[] {
  const next = randomSource(seed);
  return Array.from({ length: size }, () => (next() / 2 ** 31 - 1) * 4);
}

/** The gradient of rows normalized by r: what goes back, and r. */
function throughRoot(x: Numbers, g: Numbers): [back: number[], r: number] {
  const r = 1 / Math.sqrt(mean(products(x, x)) + eps);
  const share = mean(products(x, g)) * r * r;
  return [g.map((v, i) => r * (v - x[i]! * share)), r];
}

/** One row in float64: the elements, and then the statistics that are stored. */
const references = {
  softmax: (p: Numbers, g: Numbers): [number[], number[]] => {
    const along = sum(products(p, g));
    return [p.map((v, i) => v * (g[i]! - along)), []];
  },
  logSoftmax: (x: Numbers, g: Numbers): [number[], number[]] => {
    const weights = x.map((v) => Math.exp(v - Math.max(...x)));
    const share = sum(g) / sum(weights);
    return [g.map((v, i) => v - weights[i]! * share), []];
  },
  layerNorm: (x: Numbers, g: Numbers): [number[], number[]] => {
    const center = mean(x);
    const slope = mean(g);
    const [back, r] = throughRoot(x.map((v) => v - center), g.map((v) => v - slope));
    return [back, [center, r]];
  },
  rmsNorm: (x: Numbers, g: Numbers): [number[], number[]] => {
    const [back, r] = throughRoot(x, g);
    return [back, [r]];
  },
};

type Name = keyof typeof references;
const names = Object.keys(references) as Name[];

const kernels: Record<Name, (d: RowsDescription, target: Target) => Kernel> = {
  softmax: softmaxGradientKernel,
  logSoftmax: logSoftmaxGradientKernel,
  layerNorm: (d, target) => layerNormGradientKernel({ ...d, eps }, target),
  rmsNorm: (d, target) => rmsNormGradientKernel({ ...d, eps }, target),
};

/** Rows and their cotangents, two arrays of one format. */
function bothFragment(format: StorageFormat, aligned: boolean): Fragment {
  const [x, g] = ["rows_in", "cotangents_in"].map((name) =>
    arrayFragment({ format, aligned, name })
  ) as [Fragment, Fragment];
  return {
    ...x,
    bindings: [...x.bindings, ...g.bindings],
    emit: (index, anchors, suffix) => {
      const texts = [x, g].map((fragment) => fragment.emit(index, anchors, suffix));
      return {
        statements: texts.map(({ statements }) => statements).join("\n"),
        results: texts.flatMap(({ results }) => results),
      };
    },
  };
}

interface Case {
  readonly rows: number;
  readonly length: number;
  readonly format?: StorageFormat;
  readonly target?: Target;
  readonly x?: Numbers;
}

/** Compares with float64, to float32's rounding errors and one rounding to the stored format. */
async function check(name: Name, test: Case): Promise<void> {
  const { run, target } = await openKernelDevice();
  const { rows, length, format = "float32" } = test;
  const stored = (values: ArrayLike<number>) => [...decode(format, encode(format, values))];
  const x = stored(test.x ?? noise(rows * length, length));
  const g = stored(noise(rows * length, length + 1));
  const kernel = kernels[name]({
    rows,
    length,
    input: bothFragment(format, rowsAreAligned(length)),
    outputs: [format],
  }, test.target ?? target);
  const wanted = Array.from({ length: rows }, (_, r) => {
    const part = (values: Numbers) => values.slice(r * length, (r + 1) * length);
    return references[name](part(x), part(g));
  });
  const statistics = wanted[0]![1].length;
  const results = await run(kernel, [encode(format, x), encode(format, g)], [
    { format, size: rows * length },
    ...Array.from({ length: statistics }, () => ({ format: "float32" as const, size: rows })),
  ]);
  const expected = [
    wanted.flatMap(([elements]) => elements),
    ...Array.from({ length: statistics }, (_, i) => wanted.map(([, values]) => values[i]!)),
  ];
  expected.forEach((values, at) => {
    const ulp = at > 0 || format === "float32" ? 0 : format === "bfloat16" ? 2 ** -8 : 2 ** -11;
    const scale = Math.max(1, ...values.map(Math.abs));
    values.forEach((v, i) =>
      assert(
        Math.abs(results[at]![i]! - v) <= 4e-6 * scale + ulp * Math.abs(v),
        `${name} of ${JSON.stringify({ ...test, x: 0, target: 0 })}: result ${at}, element ${i} ` +
          `is ${results[at]![i]}, not ${v}`,
      )
    );
  });
}

webgpuTest("row gradients agree with float64 on rows that are held or streamed", async () => {
  for (const name of names) {
    for (
      const [rows, length] of [[70, 16], [3, 60], [300, 64], [2, 1100], [7, 3], [9, 10], [5, 77], [
        2,
        9000,
      ]]
    ) {
      await check(name, { rows: rows!, length: length! });
    }
  }
});

webgpuTest("row gradients store halves, whose rows may share words", async () => {
  for (const name of names) {
    for (const format of ["float16_packed", "bfloat16"] as const) {
      for (const [rows, length] of [[3, 10], [7, 77], [5, 128]]) {
        await check(name, { rows: rows!, length: length!, format });
      }
    }
  }
});

webgpuTest("row gradients need no subgroups, and suit GPUs", async () => {
  const { target } = await openKernelDevice();
  const others: Target[] = [
    { ...target, subgroupSize: 0 },
    { ...baselineTarget, kind: "discrete" },
    { ...target, kind: "discrete" },
  ];
  for (const other of others) {
    for (const name of names) {
      await check(name, { rows: 5, length: 300, target: other });
      await check(name, { rows: 5, length: 101, format: "bfloat16", target: other });
    }
  }
});

webgpuTest("the gradient of layer norm keeps a small spread around a large mean", async () => {
  // Numbers around 1024 are so coarse that their mean is exact enough.
  for (const length of [1024, 1021]) {
    const x = Array.from({ length }, (_, i) => 1024 + (i % 8) / 4);
    await check("layerNorm", { rows: 1, length, x });
  }
});
