// applyMixedPrecision on modules: the program of the tutorial, output types, and policies by path.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { applyMixedPrecision, explainPrecision, nn, numpy as jnp, random } from "@zenith/jax";
import { onBothBackends } from "../backends.ts";
import { elements } from "../train/small_problem.ts";

const half = { dtype: "float16" } as const;
const block = nn.transformerBlock({ features: 32, numHeads: 4 });

onBothBackends("a transformer block runs in half precision, near its float32 result", async () => {
  const params = block.init(random.key(0));
  const x = random.normal(random.key(1), [2, 8, 32]);
  const expected = await elements(block.apply(params, x));
  for (const [dtype, tolerance] of [["float16", 0.004], ["bfloat16", 0.03]] as const) {
    const y = applyMixedPrecision(block, { dtype }).apply(params, x);
    assertEquals([y.dtype, y.shape], [dtype, [2, 8, 32]]);
    const worst = Math.max(...(await elements(y)).map((v, i) => Math.abs(v - expected[i]!)));
    assert(worst < tolerance * Math.max(...expected.map(Math.abs)), `${dtype}: ${worst}`);
  }
});

onBothBackends("a module stays a module, and its results have the policy's output type", () => {
  const mixed = applyMixedPrecision(block, { policy: "c=f16,o=f32" });
  assertEquals(Object.keys(mixed), Object.keys(block));
  assertEquals(mixed.name, block.name);
  const params = mixed.init(random.key(0));
  assertEquals(params.mlp.up.kernel.dtype, "float32");
  const x = random.normal(random.key(1), [1, 4, 32]);
  assertEquals(mixed.apply(params, x).dtype, "float32");
  // Caches are made as ever, and come back in the type of the results.
  const cache = mixed.initCache(1, 8, { dtype: "float16" });
  const [y, next] = applyMixedPrecision(block, half).apply(params, x, { cache });
  assertEquals([y.dtype, next.key.dtype, next.index.dtype], ["float16", "float16", "int32"]);
  const model = nn.sequential([mixed, nn.dense({ inFeatures: 32, features: 2 })]);
  assertEquals(model.apply(model.init(random.key(2)), x).shape, [1, 4, 2]);
  return Promise.resolve();
});

onBothBackends(
  "options are decisions, arrays among them are traced, other functions run too",
  async () => {
    const dropping = applyMixedPrecision(nn.dropout({ rate: 0.5 }), half);
    const key = random.key(0);
    const dropped = await elements(dropping.apply({}, jnp.ones([64]), { key }));
    assertEquals(new Set(dropped), new Set([0, 2]));
    const all = dropping.apply({}, [1, 2], { deterministic: true });
    assertEquals([all.dtype, await elements(all)], ["float16", [1, 2]]);
    const table = applyMixedPrecision(nn.embed({ numEmbeddings: 10, features: 4 }), half);
    const params = table.init(key);
    const x = table.apply(params, jnp.array([[1, 2]], { dtype: "int32" }));
    assertEquals([x.dtype, table.attend(params, x).dtype], ["float16", "float16"]);
  },
);

onBothBackends("overrides give modules policies by path, parameters unrounded", async () => {
  const mixed = applyMixedPrecision(block, {
    ...half,
    overrides: {
      "norm*": "c=f32,o=f16",
      "attn/*": "bfloat16",
      "attn/out": "float32",
      "mlp": "c=bf16,o=f16",
    },
  });
  const params = block.init(random.key(0));
  const x = random.normal(random.key(1), [2, 8, 32]);
  const types = Object.fromEntries(
    explainPrecision(mixed, params, x).map((
      { path, operation, dtype },
    ) => [`${path}:${operation}`, dtype]),
  );
  assertEquals(types["norm1:layerNorm"], "float32");
  assertEquals(types["attn/query:dotGeneral"], "bfloat16");
  assertEquals(types["attn:dotProductAttention"], "bfloat16");
  assertEquals(types["attn/out:dotGeneral"], "float32");
  assertEquals(types["norm2:layerNorm"], "float32");
  assertEquals(types["mlp/up:dotGeneral"], "bfloat16");
  assertEquals(mixed.apply(params, x).dtype, "float16");

  const model = nn.sequential([nn.rmsNorm({ features: 2 })]);
  const weights = { layers_0: { scale: jnp.array([0.1, 1 / 3]) } };
  const applied = (overrides: Record<string, string>) =>
    applyMixedPrecision(model, { policy: "c=bf16,o=f32", overrides }).apply(weights, [1, 1]);
  const exact = await elements(model.apply(weights, [1, 1]));
  assertEquals(await elements(applied({ layers_0: "float32" })), exact);
  assertEquals(await elements(applied({})), await elements(jnp.array(exact).astype("bfloat16")));
});

Deno.test("a rule that matches nothing is a warning, once; two for one module are an error", () => {
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => warnings.push(text);
  try {
    const params = block.init(random.key(0));
    const mixed = applyMixedPrecision(block, {
      ...half,
      overrides: { "norm1": "float32", "encoder/**": "float32" },
    });
    mixed.apply(params, jnp.ones([1, 2, 32]));
    mixed.apply(params, jnp.ones([1, 3, 32]));
    assertEquals(warnings, [
      'applyMixedPrecision: the rule "encoder/**" of overrides matches no module path',
    ]);
    const twice = applyMixedPrecision(block, {
      ...half,
      overrides: { "norm*": "float32", "*1": "bfloat16" },
    });
    assertThrows(
      () => twice.apply(params, jnp.ones([1, 2, 32])),
      TypeError,
      '"norm1", got "norm*" and "*1"',
    );
  } finally {
    console.warn = warn;
  }
});
