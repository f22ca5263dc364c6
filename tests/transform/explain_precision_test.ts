// explainPrecision: a row for every operation, and the table that they print as.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  applyMixedPrecision,
  castToHalf,
  explainPrecision,
  fullPrecision,
  lax,
  losses,
  type NDArray,
  nn,
  numpy as jnp,
  random,
  ShapeDtype,
  withPolicy,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";

const half = { dtype: "float16" } as const;

/** `operation dtype rule` of every row. */
function told(fn: (...args: never[]) => unknown, ...args: unknown[]): string[] {
  return explainPrecision(fn, ...args).map(({ operation, dtype, rule }) =>
    `${operation} ${dtype} ${rule}`
  );
}

onBothBackends("every operation is told with its type, its bytes and its rule", () => {
  const f = (x: NDArray, w: NDArray) => {
    const h = jnp.exp(x.matmul(w).add(1)).sub(jnp.ones([2]));
    return nn.softmax(h).astype("float32").mul(0.5).sum();
  };
  const mixed = applyMixedPrecision(f, { ...half, half: ["mul"] });
  const report = explainPrecision(mixed, jnp.ones([4, 8]), jnp.ones([8, 2]));
  assertEquals(report.map(({ operation, dtype, rule }) => `${operation} ${dtype} ${rule}`), [
    "dotGeneral float16 half",
    "add float16 follow",
    "exp float16 full",
    "broadcastTo float32 literal",
    "sub float16 follow",
    "softmax float16 full",
    "astype float32 astype",
    "mul float16 half",
    "reduce_sum float16 full",
  ]);
  assertEquals(report[0], {
    operation: "dotGeneral",
    path: "",
    dtype: "float16",
    shape: [4, 2],
    bytes: 16,
    rule: "half",
    reason: "operands in the compute type, summed in float32",
  });
  assertEquals(report[7]!.reason, "named in the option half");
  return Promise.resolve();
});

onBothBackends("it prints as a table, a line an operation", () => {
  const report = explainPrecision(
    applyMixedPrecision((x: NDArray) => nn.softmax(x.mul(2)), half),
    jnp.ones([2, 3]),
  );
  assertEquals(String(report).split("\n"), [
    "operation  result        bytes  path  rule",
    "mul        float16[2,3]  12 B   -     follow: follows its inputs",
    "softmax    float16[2,3]  12 B   -     full: computed in float32, stored in its inputs' type",
  ]);
  assertEquals(Deno.inspect(report), String(report));
  assert(Array.isArray(report) && report.length === 2);
  return Promise.resolve();
});

onBothBackends("what stands inside of functions and regions is told too", () => {
  const inner = applyMixedPrecision((x: NDArray) => x.matmul(x), { dtype: "bfloat16" });
  const f = applyMixedPrecision((x: NDArray, labels: NDArray) => {
    const y = lax.cond(x.sum().less(0), (x: NDArray) => x.mul(2), (x: NDArray) => jnp.exp(x), x);
    const z = fullPrecision((y: NDArray) => y.matmul(y))(y);
    return losses.softmaxCrossEntropyWithIntegerLabels(inner(z), labels).mean();
  }, half);
  assertEquals(told(f, jnp.ones([3, 3]), jnp.arange(3)), [
    "reduce_sum float16 full",
    "less bool follow",
    "mul float16 follow",
    "exp float16 full",
    "cond float16 follow",
    "dotGeneral float32 fullPrecision",
    "dotGeneral bfloat16 half",
    "integerCrossEntropy float32 full",
    "mean float32 full",
  ]);
  return Promise.resolve();
});

onBothBackends("a function that is not under mixed precision is told as if it were", () => {
  const f = (x: NDArray) => castToHalf(x).matmul(x);
  const x = new ShapeDtype([2, 2], "float32");
  assertEquals(told(f, x).at(-1), "dotGeneral float16 half");
  assertEquals(withPolicy("mixed_bfloat16", () => told(f, x)).at(-1), "dotGeneral bfloat16 half");
  const layer = nn.dense({ inFeatures: 2, features: 2 });
  const params = layer.init(random.key(0));
  assertEquals(explainPrecision(layer, params, jnp.ones([1, 2])).map((row) => row.dtype), [
    "float16",
    "float16",
  ]);
  assertThrows(
    () => explainPrecision(3 as never),
    TypeError,
    "Cannot explainPrecision: a function or a module is required, got 3",
  );
  return Promise.resolve();
});
