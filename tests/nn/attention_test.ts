// What holds for attention whatever the numbers: errors that say what was required.

import { assertThrows } from "@std/assert";
import { init, nn, numpy as jnp } from "../../mod.ts";

Deno.test("attention names the shape, the type or the option that it cannot take", async () => {
  await init({ backend: "cpu" });
  const rows = (shape: readonly number[]) => jnp.ones(shape);
  const x = rows([1, 3, 2, 4]);
  const fails = (run: () => unknown, type: typeof TypeError | typeof RangeError, text: string) =>
    assertThrows(run, type, text);
  fails(() => nn.dotProductAttention(x, rows([3, 2, 4]), x), RangeError, "[batch, length");
  fails(() => nn.dotProductAttention(x, x, rows([1, 3, 1, 4])), RangeError, "one shape");
  fails(
    () => nn.dotProductAttention(x, rows([2, 3, 2, 4]), rows([2, 3, 2, 4])),
    RangeError,
    "batch",
  );
  const three = rows([1, 3, 3, 4]);
  fails(() => nn.dotProductAttention(x, three, three), RangeError, "multiple");
  const mask = jnp.ones([2, 3], { dtype: "bool" });
  fails(() => nn.dotProductAttention(x, x, x, { mask }), RangeError, "the mask must broadcast");
  fails(() => nn.dotProductAttention(x, x, x, { bias: rows([5]) }), RangeError, "the bias must");
  fails(() => nn.dotProductAttention(x, x, x, { mask: rows([3, 3]) }), TypeError, "boolean");
  fails(() => nn.dotProductAttention(x, x, x, { scale: NaN }), TypeError, "scale");
  // @ts-expect-error: no number
  fails(() => nn.dotProductAttention(x, x, x, { isCausal: 1 }), TypeError, "isCausal");
  // @ts-expect-error: no such option
  fails(() => nn.dotProductAttention(x, x, x, { causal: true }), TypeError, "causal");
});
