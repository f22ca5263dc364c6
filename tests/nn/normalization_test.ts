// Normalisation and softmax over any axes against their formulas in float64.

import { assert, assertEquals } from "@std/assert";
import { type DType, finfo, jit, type NDArray, nn, numpy as jnp } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

const floats: readonly DType[] = ["float32", "float16", "bfloat16"];

/** Numbers around 3 whose spread is small beside their mean: what cancels shows here. */
const data = Array.from({ length: 2 * 5 * 12 }, (_, i) => 3 + Math.sin(i * 1.7) * 0.5);

/** Rows of the last axis, each replaced by what a function makes of it. */
function byRows(
  values: readonly number[],
  length: number,
  fn: (row: number[]) => number[],
): number[] {
  return Array.from(
    { length: values.length / length },
    (_, i) => fn(values.slice(i * length, (i + 1) * length)),
  ).flat();
}

function normalized(row: readonly number[], eps: number, centered: boolean): number[] {
  const mean = centered ? row.reduce((a, b) => a + b, 0) / row.length : 0;
  const square = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
  return row.map((v) => (v - mean) / Math.sqrt(square + eps));
}

/** Compares with a reference computed from the array's own, rounded, elements. */
async function check(
  got: NDArray,
  x: NDArray,
  dtype: DType,
  reference: (values: number[]) => number[],
): Promise<void> {
  assertEquals([got.dtype, got.shape], [dtype, x.shape]);
  const wanted = reference(Array.from(await x.data(), Number));
  const eps = finfo(dtype).eps;
  const values = await got.data();
  wanted.forEach((v, i) => {
    const allowed = eps * Math.abs(v) + 1e-5;
    assert(Math.abs(values[i]! - v) <= allowed, `${dtype} element ${i}: ${values[i]}, wanted ${v}`);
  });
}

onBothBackends("layerNorm() and rmsNorm() follow their formulas in every type", async () => {
  const scale = jnp.linspace(0.5, 2, 12);
  const bias = jnp.linspace(-1, 1, 12);
  const [s, b] = [await scale.data(), await bias.data()];
  for (const dtype of floats) {
    const x = jnp.array(data, { dtype }).reshape([2, 5, 12]);
    await check(
      nn.layerNorm(x, { eps: 1e-5 }),
      x,
      dtype,
      (v) => byRows(v, 12, (row) => normalized(row, 1e-5, true)),
    );
    await check(
      nn.layerNorm(x, { scale, bias }),
      x,
      dtype,
      (v) => byRows(v, 12, (row) => normalized(row, 1e-6, true).map((n, i) => n * s[i]! + b[i]!)),
    );
    await check(
      nn.rmsNorm(x, { scale }),
      x,
      dtype,
      (v) => byRows(v, 12, (row) => normalized(row, 1e-6, false).map((n, i) => n * s[i]!)),
    );
  }
});

onBothBackends("layerNorm() over several axes and over the first one", async () => {
  const x = jnp.array(data).reshape([2, 5, 12]);
  const both = nn.layerNorm(x, { axis: [1, 2] });
  await check(both, x, "float32", (v) => byRows(v, 60, (row) => normalized(row, 1e-6, true)));
  const first = nn.layerNorm(x.transpose([2, 0, 1]), { axis: 0 });
  await check(
    first.transpose([1, 2, 0]),
    x,
    "float32",
    (v) => byRows(v, 12, (row) => normalized(row, 1e-6, true)),
  );
});

onBothBackends("softmax() sums to 1 along its axis, fused or not", async () => {
  for (const dtype of floats) {
    const x = jnp.array(data, { dtype }).reshape([10, 12]);
    const softmax = (v: number[]) =>
      byRows(v, 12, (row) => {
        const weights = row.map((e) => Math.exp(e - Math.max(...row)));
        const sum = weights.reduce((a, w) => a + w, 0);
        return weights.map((w) => w / sum);
      });
    await check(nn.softmax(x), x, dtype, softmax);
    await check(jit((a: NDArray) => nn.softmax(a.mul(1)))(x), x, dtype, softmax);
    await check(nn.softmax(x.transpose(), { axis: 0 }).transpose(), x, dtype, softmax);
  }
});

onBothBackends(
  "rows without a finite maximum are NaN in softmax, and infinite in logsumexp",
  async () => {
    const x = jnp.array([[-Infinity, -Infinity], [0, Infinity]]);
    assertEquals(await nn.softmax(x).toList(), [[NaN, NaN], [NaN, NaN]]);
    assertEquals(await nn.logsumexp(x, { axis: 1 }).toList(), [-Infinity, Infinity]);
  },
);
