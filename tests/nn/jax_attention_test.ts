// Attention and its gradients against what jax.nn.dot_product_attention gives.

import { assert, assertEquals } from "@std/assert";
import { jit, type NDArray, nn, numpy as jnp, vjp } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

interface TableArray {
  readonly dtype: "float32" | "bool";
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean)[];
}

interface Case {
  readonly arrays: readonly TableArray[];
  readonly options: {
    readonly mask?: TableArray;
    readonly bias?: TableArray;
    readonly isCausal?: boolean;
    readonly scale?: number;
  };
  readonly value: TableArray;
  readonly gradients: readonly TableArray[];
}

const cases: readonly Case[] = JSON.parse(
  await Deno.readTextFile(new URL("../data/attention_tables.json", import.meta.url)),
);

function decoded({ dtype, shape, data }: TableArray): NDArray {
  return jnp.array(data.map(Number)).astype(dtype).reshape([...shape]);
}

async function checkClose(got: NDArray, wanted: TableArray, what: string): Promise<void> {
  assertEquals([got.dtype, got.shape], ["float32", [...wanted.shape]], what);
  const values = await got.data();
  wanted.data.forEach((w, i) => {
    const [g, number] = [values[i]!, Number(w)];
    const close = Math.abs(g - number) <= 4e-6 * Math.max(1, Math.abs(number));
    assert(close, `${what}, element ${i}: ${g}, wanted ${w}`);
  });
}

/** The result, and the gradients of the sum of its n elements times 1/n, 2/n and so on up to 1. */
function valueAndGradients(
  arrays: readonly NDArray[],
  { mask, isCausal, scale }: Case["options"],
): NDArray[] {
  const attention = (q: NDArray, k: NDArray, v: NDArray, bias?: NDArray) =>
    nn.dotProductAttention(q, k, v, {
      ...bias && { bias },
      ...mask && { mask: decoded(mask) },
      isCausal,
      scale,
    });
  const [value, pullback] = vjp(attention, ...arrays as [NDArray, NDArray, NDArray, NDArray]);
  const weights = jnp.linspace(1 / value.size, 1, value.size).reshape([...value.shape]);
  return [value, ...pullback(weights).slice(0, arrays.length) as NDArray[]];
}

for (const compile of [true, false]) {
  const how = compile ? "under jit" : "eagerly";
  onBothBackends(`attention and its gradients are JAX's, ${how}`, async () => {
    for (const [number, { arrays, options, value, gradients }] of cases.entries()) {
      const given = [...arrays, ...options.bias ? [options.bias] : []].map(decoded);
      const run = (...xs: NDArray[]) => valueAndGradients(xs, options);
      const results = compile ? jit(run)(...given) : run(...given);
      const wanted = [value, ...gradients];
      for (const [i, result] of results.entries()) {
        await checkClose(result, wanted[i]!, `case ${number}, result ${i}`);
      }
    }
  });
}
