// Gradients through normalisation and softmax against their formulas in float64, and what they cost.

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type DType,
  finfo,
  grad,
  init,
  jit,
  jvp,
  type NDArray,
  nn,
  numpy as jnp,
  vjp,
  vmap,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";
import { webgpuTest } from "../webgpu_test.ts";

type Numbers = readonly number[];

const eps = 1e-3;
const sum = (row: Numbers) => row.reduce((a, v) => a + v, 0);
const mean = (row: Numbers) => sum(row) / row.length;
const product = (a: Numbers, b: Numbers) => a.map((v, i) => v * b[i]!);

/** One row normalized, and 1 over the root that it was divided by. */
function normalized(row: Numbers, isCentered: boolean): [row: number[], inverse: number] {
  const center = isCentered ? mean(row) : 0;
  const distances = row.map((v) => v - center);
  const inverse = 1 / Math.sqrt(mean(product(distances, distances)) + eps);
  return [distances.map((v) => v * inverse), inverse];
}

/** What goes back to a row from the cotangent of what it is normalized to. */
function throughNorm(row: Numbers, g: Numbers, isCentered: boolean): number[] {
  const [n, inverse] = normalized(row, isCentered);
  const share = mean(product(n, g));
  const slope = isCentered ? mean(g) : 0;
  return g.map((v, i) => inverse * (v - slope - n[i]! * share));
}

function softmax(row: Numbers): number[] {
  const weights = row.map((v) => Math.exp(v - Math.max(...row)));
  return weights.map((w) => w / sum(weights));
}

/** Numbers that an array rounds to. */
async function numbersOf(x: NDArray): Promise<number[]> {
  return Array.from(await x.data(), Number);
}

function rowsOf(values: Numbers, length: number): number[][] {
  return Array.from(
    { length: values.length / length },
    (_, i) => values.slice(i * length, (i + 1) * length),
  );
}

async function check(what: string, got: NDArray, like: NDArray, wanted: Numbers): Promise<void> {
  assertEquals([got.dtype, got.shape], [like.dtype, like.shape], what);
  const { eps } = finfo(like.dtype);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  (await numbersOf(got)).forEach((v, i) =>
    assert(
      Math.abs(v - wanted[i]!) <= 0.51 * eps * Math.abs(wanted[i]!) + 4e-6 * scale,
      `${what}: element ${i} is ${v}, wanted ${wanted[i]}`,
    )
  );
}

/** Rows, and the cotangents that a loss gives to what becomes of them. */
function problem(shape: readonly number[], dtype: DType): [x: NDArray, w: NDArray] {
  const size = shape.reduce((a, b) => a * b);
  const wave = (step: number) => jnp.arange(0, size, 1, { dtype: "float32" }).mul(step).sin();
  return [
    wave(1.7).mul(2).add(1).reshape(shape).astype(dtype),
    wave(0.9).reshape(shape).astype(dtype),
  ];
}

const floats: readonly DType[] = ["float32", "float16", "bfloat16"];
const shapes = [[2, 3, 12], [3, 7], [2, 1001], [1, 4100]];

/** The loss whose cotangent is `w`. */
const weighted = (y: NDArray, w: NDArray) => y.astype("float32").mul(w).sum();

onBothBackends("normalisations have the gradients of their formulas in every type", async () => {
  for (const dtype of floats) {
    for (const shape of shapes) {
      const length = shape[shape.length - 1]!;
      const [x, w] = problem(shape, dtype);
      const scale = jnp.linspace(0.5, 2, length);
      const bias = jnp.linspace(-1, 1, length).astype("bfloat16");
      const layer = (x: NDArray, scale: NDArray, bias: NDArray) =>
        weighted(nn.layerNorm(x, { scale, bias, eps }), w);
      const root = (x: NDArray, scale: NDArray) => weighted(nn.rmsNorm(x, { scale, eps }), w);
      const ofLayer = grad(layer, { argnums: [0, 1, 2] })(x, scale, bias);
      const ofRoot = grad(root, { argnums: [0, 1] })(x, scale);
      const [rows, cotangents] = [await numbersOf(x), await numbersOf(w)].map((v) =>
        rowsOf(v, length)
      ) as [number[][], number[][]];
      const factors = await numbersOf(scale);
      const column = (terms: number[][]) =>
        Array.from({ length }, (_, i) => sum(terms.map((row) => row[i]!)));
      for (const [name, gradients] of [["layerNorm", ofLayer], ["rmsNorm", ofRoot]] as const) {
        const isCentered = name === "layerNorm";
        const back = rows.map((row, i) =>
          throughNorm(row, product(cotangents[i]!, factors), isCentered)
        );
        const terms = rows.map((row, i) => product(cotangents[i]!, normalized(row, isCentered)[0]));
        const what = `${name} of ${dtype}[${shape}]`;
        await check(`${what} by x`, gradients[0], x, back.flat());
        await check(`${what} by its scale`, gradients[1], scale, column(terms));
        if (isCentered) await check(`${what} by its bias`, ofLayer[2], bias, column(cotangents));
      }
    }
  }
});

onBothBackends("softmax and its logarithm have the gradients of their formulas", async () => {
  for (const dtype of floats) {
    for (const shape of shapes) {
      const length = shape[shape.length - 1]!;
      const [x, w] = problem(shape, dtype);
      const [rows, cotangents] = [await numbersOf(x), await numbersOf(w)].map((v) =>
        rowsOf(v, length)
      ) as [number[][], number[][]];
      const back = rows.map((row, i) => {
        const share = sum(cotangents[i]!);
        return softmax(row).map((p, j) => cotangents[i]![j]! - p * share);
      });
      const logarithm = grad((x: NDArray) => weighted(nn.logSoftmax(x), w))(x);
      await check(`logSoftmax of ${dtype}[${shape}]`, logarithm, x, back.flat());
      // The half result that softmax gave is what its derivative is made of.
      const results = rowsOf(await numbersOf(nn.softmax(x)), length);
      const through = results.map((p, i) => {
        const along = sum(product(p, cotangents[i]!));
        return p.map((v, j) => v * (cotangents[i]![j]! - along));
      });
      const gradient = grad((x: NDArray) => weighted(nn.softmax(x), w))(x);
      await check(`softmax of ${dtype}[${shape}]`, gradient, x, through.flat());
    }
  }
});

onBothBackends("a row of equal elements has a finite gradient through its norm", async () => {
  for (const dtype of floats) {
    for (const value of [0, 3, 30000]) {
      const x = jnp.full([2, 12], value, { dtype });
      const w = jnp.linspace(-1, 1, 24).reshape([2, 12]).astype(dtype);
      for (const norm of [nn.layerNorm, nn.rmsNorm] as const) {
        const gradient = grad((x: NDArray) => weighted(norm(x), w))(x);
        assert((await numbersOf(gradient)).every(Number.isFinite), `${dtype} ${value}`);
      }
    }
  }
});

onBothBackends("forward mode agrees with reverse mode through row operations", async () => {
  const [x, t] = problem([3, 20], "float32");
  const [, w] = problem([3, 20], "float32");
  const scale = jnp.linspace(0.5, 2, 20);
  const functions: ((x: NDArray) => NDArray)[] = [
    (x) => weighted(nn.layerNorm(x, { scale, bias: scale }), w),
    (x) => weighted(nn.layerNorm(w, { scale: x.slice(0), bias: x.slice(1) }), w),
    (x) => weighted(nn.rmsNorm(x, { scale }), w),
    (x) => weighted(nn.softmax(x), w),
    (x) => weighted(nn.logSoftmax(x), w),
    (x) => nn.logsumexp(x, { axis: 1 }).sum(),
  ];
  for (const f of functions) {
    const [, forward] = jvp(f, [x], [t]);
    const reverse = jnp.sum(grad(f)(x).mul(t));
    assertAlmostEquals(Number(await forward.item()), Number(await reverse.item()), 2e-5);
    // And of the gradient itself, whose derivative is symmetric.
    const [, curvature] = jvp(grad(f), [x], [t]);
    const twice = grad((x: NDArray) => grad(f)(x).mul(t).sum())(x);
    await check(String(f), curvature, x, await numbersOf(twice));
  }
});

onBothBackends("vmap of a gradient through row operations is what a loop gives", async () => {
  const [x, w] = problem([4, 3, 12], "float32");
  const scales = jnp.linspace(0.5, 2, 48).reshape([4, 12]);
  const f = (x: NDArray, w: NDArray, scale: NDArray) =>
    weighted(nn.layerNorm(nn.softmax(x), { scale, bias: scale }), w);
  for (const inAxes of [[0, 0, null], [0, null, 0], [null, 0, null]] as const) {
    const pick = (a: NDArray, i: number, axis: 0 | null) => axis === null ? a.slice(0) : a.slice(i);
    const args = [x, w, scales].map((a, i) => inAxes[i] === null ? a.slice(0) : a);
    const both = grad(f, { argnums: [0, 2] });
    const got = vmap(both, { inAxes: [...inAxes] })(...args as [NDArray, NDArray, NDArray]);
    for (let i = 0; i < 4; i++) {
      const [a, b, c] = [x, w, scales].map((v, j) => pick(v, i, inAxes[j]!));
      const one = both(a!, b!, c!);
      await check("by x", got[0].slice(i), one[0], await numbersOf(one[0]));
      await check("by scale", got[1].slice(i), one[1], await numbersOf(one[1]));
    }
  }
});

webgpuTest(
  "going back through a row operation is one kernel, and one for each vector",
  async () => {
    await init({ backend: "webgpu" });
    for (const dtype of floats) {
      const [x, cotangent] = problem([64, 96], dtype);
      const vector = jnp.ones([96]);
      const kernels = (f: (...xs: NDArray[]) => NDArray, ...args: NDArray[]) =>
        jit((g: NDArray, ...xs: NDArray[]) => vjp(f, ...xs)[1](g)).lower(cotangent, ...args)
          .dispatches;
      assertEquals(kernels((x) => nn.layerNorm(x), x), 1);
      assertEquals(kernels((x) => nn.rmsNorm(x), x), 1);
      assertEquals(kernels((x) => nn.logSoftmax(x), x), 1);
      // It goes back through its result.
      assertEquals(kernels((x) => nn.softmax(x), x), 2);
      assertEquals(kernels((x, scale) => nn.rmsNorm(x, { scale }), x, vector), 2);
      const layerNorm = (x: NDArray, scale: NDArray, bias: NDArray) =>
        nn.layerNorm(x, { scale, bias });
      assertEquals(kernels(layerNorm, x, vector, vector), 3);
      // What meets the gradient of x is added where that is made.
      const residual = (x: NDArray, scale: NDArray, bias: NDArray) =>
        layerNorm(x, scale, bias).add(x);
      assertEquals(kernels(residual, x, vector, vector), 3);
    }
  },
);
