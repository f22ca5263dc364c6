// Modules as such: their parameters, the types that they follow, their paths, and how they compose.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  castTo,
  grad,
  jit,
  makeGraph,
  memoryStats,
  type NDArray,
  nn,
  numpy as jnp,
  optim,
  random,
  trainStep,
  tree,
  vmap,
} from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

const shapesOf = (params: unknown) => tree.map((leaf: NDArray) => [...leaf.shape].join(), params);

/** The largest distance of two arrays. */
async function distance(a: NDArray, b: NDArray): Promise<number> {
  assertEquals(a.shape, b.shape);
  return Number(await a.sub(b).abs().max().item());
}

onBothBackends("init() makes parameters with Flax's names and layouts, in float32", async () => {
  const key = random.key(0);
  const block = nn.transformerBlock({ features: 8, numHeads: 4, numKeyValueHeads: 2, gated: true });
  const [norm, query, pair] = [
    { scale: "8", bias: "8" },
    { kernel: "8,4,2", bias: "4,2" },
    { kernel: "8,2,2", bias: "2,2" },
  ];
  const params = block.init(key);
  assertEquals(shapesOf(params), {
    norm1: norm,
    attn: { query, key: pair, value: pair, out: { kernel: "4,2,8", bias: "8" } },
    norm2: norm,
    mlp: {
      up: { kernel: "8,32", bias: "32" },
      gate: { kernel: "8,32", bias: "32" },
      down: { kernel: "32,8", bias: "8" },
    },
  });
  assert(tree.leaves(params).every((leaf) => leaf.dtype === "float32"));
  const plain = nn.conv({ inFeatures: 4, features: 6, kernelSize: [3, 2], featureGroupCount: 2 });
  assertEquals(shapesOf(plain.init(key)), { kernel: "3,2,2,6", bias: "6" });
  assertEquals(nn.rmsNorm({ features: 3, useScale: false }).init(key), {});
  assertEquals(nn.dropout({ rate: 0.5 }).init(key), {});
  await Promise.resolve();
});

onBothBackends(
  "init() draws with the initializers, and each part from a key of its own",
  async () => {
    const key = random.key(3);
    const layer = nn.dense({
      inFeatures: 6,
      features: [2, 2],
      kernelInit: nn.initializers.heUniform(),
      biasInit: nn.initializers.ones,
    });
    const { kernel, bias } = layer.init(key);
    const drawn = nn.initializers.heUniform()(key, [6, 4]).reshape([6, 2, 2]);
    assertEquals([await distance(kernel, drawn), await bias!.toList()], [0, [[1, 1], [1, 1]]]);
    const { embedding } = nn.embed({ numEmbeddings: 500, features: 16 }).init(key);
    assert(Math.abs(Number(await embedding.std().item()) - 1 / 4) < 0.01);
    const same = nn.dense({ inFeatures: 3, features: 3 });
    const { layers_0, layers_1 } = nn.sequential([same, same]).init(key);
    assert(await distance(layers_0.kernel, layers_1.kernel) > 0.1);
  },
);

onBothBackends(
  "init() leaves nothing behind but the parameters, and runs under jit and vmap",
  async () => {
    const block = nn.transformerBlock({ features: 8, numHeads: 2, dropout: 0.1 });
    const key = random.key(0);
    const count = tree.leaves(block.init(key)).length;
    const before = memoryStats().liveArrays;
    const params = block.init(key);
    assertEquals(memoryStats().liveArrays, before + count);
    const compiled = jit(block.init)(key);
    assert(await distance(compiled.attn.query.kernel, params.attn.query.kernel) < 1e-6);
    const many = vmap(block.init)(random.split(key, 3));
    assertEquals(many.mlp.up.kernel.shape, [3, 8, 32]);
  },
);

onBothBackends("modules follow the types that parameters and input promote to", async () => {
  const norm = nn.layerNorm({ features: 4 });
  const modules = [
    nn.dense({ inFeatures: 4, features: 4 }),
    nn.conv({ inFeatures: 4, features: 4, kernelSize: 3 }),
    norm,
    nn.rmsNorm({ features: 4 }),
    nn.mlp({ features: 4 }),
    nn.multiHeadDotProductAttention({ features: 4, numHeads: 2, rotary: true }),
    nn.transformerBlock({ features: 4, numHeads: 2 }),
  ];
  const x = random.normal(random.key(1), [2, 3, 4]);
  for (const module of modules as readonly nn.Module<unknown>[]) {
    const params = module.init(random.key(0));
    const dtypes = (["float32", "float16", "bfloat16"] as const).flatMap((p) =>
      (["float32", "float16"] as const).map((of) =>
        module.apply(castTo(params, p), castTo(x, of)).dtype
      )
    );
    const wide = "float32";
    assertEquals(dtypes, [wide, wide, wide, "float16", wide, wide], module.name);
  }
  const integers = jnp.array([[1, 2, 3, 4]], { dtype: "int32" });
  assertEquals(norm.apply(norm.init(random.key(0)), integers).dtype, "float32");
  await Promise.resolve();
});

onBothBackends("batches of 0, 1 and odd extents run, and so does their gradient", async () => {
  const modules = [
    nn.dense({ inFeatures: 5, features: 3 }),
    nn.conv({ inFeatures: 5, features: 3, kernelSize: 3, strides: 2 }),
    nn.layerNorm({ features: 5 }),
    nn.mlp({ features: 5, hidden: 7 }),
    nn.transformerBlock({ features: 5, numHeads: 1, hidden: 3 }),
    nn.sequential([nn.dense({ inFeatures: 5, features: 5 }), nn.relu]),
  ];
  for (const module of modules as readonly nn.Module<unknown>[]) {
    const params = module.init(random.key(0));
    for (const batch of [0, 1, 3]) {
      const x = random.normal(random.key(1), [batch, 7, 5]);
      const y = module.apply(params, x);
      assertEquals([y.shape[0], y.ndim], [batch, 3]);
      const back = jit(grad((p: unknown) => module.apply(p, x).square().sum()))(params);
      const total = tree.leaves(back as Record<string, NDArray>)
        .map((leaf) => (leaf as NDArray).abs().sum());
      const sum = Number(await jnp.stack(total).sum().item());
      assert(batch === 0 ? sum === 0 : sum > 0 && Number.isFinite(sum), `${module.name}: ${sum}`);
    }
  }
});

onBothBackends("the graph's paths are those of the parameters", async () => {
  const model = nn.sequential([
    nn.dense({ inFeatures: 6, features: 8 }),
    nn.relu,
    nn.residual(nn.mlp({ features: 8 })),
    nn.transformerBlock({ features: 8, numHeads: 2 }),
  ]);
  const params = model.init(random.key(0));
  const x = jnp.ones([2, 3, 6]);
  const block = "layers_3";
  const wanted = [
    "layers_0",
    "layers_2/up",
    "layers_2/down",
    ...["query", "key", "value", "out"].map((name) => `${block}/attn/${name}`),
    `${block}/mlp/up`,
    `${block}/mlp/down`,
  ];
  const pathsOf = (fn: (...args: never[]) => unknown) =>
    makeGraph(fn, params, x).toString().split("\n")
      .flatMap((line) => line.includes("= dotGeneral") ? [line.split("# ")[1]] : []);
  assertEquals(pathsOf(model.apply), wanted);
  assertEquals(pathsOf(jit(model.apply)), wanted);
  const slope = pathsOf(grad((p: typeof params, x: NDArray) => model.apply(p, x).sum()));
  // Forward and twice backward, but for the first layer, whose input has no gradient.
  for (const path of wanted) assertEquals(slope.filter((p) => p === path).length >= 2, true, path);
  const norms = makeGraph(model.apply, params, x).toString().match(/layerNorm.*# .*/g);
  assertEquals(norms?.map((line) => line.split("# ")[1]), [`${block}/norm1`, `${block}/norm2`]);
  await Promise.resolve();
});

onBothBackends(
  "namedScope() gives a plain function's parts the paths of their parameters",
  async () => {
    const block = nn.transformerBlock({ features: 8, numHeads: 2 });
    const params = { encoder: block.init(random.key(0)) };
    const model = (p: typeof params, x: NDArray) =>
      nn.namedScope("encoder", () => block.apply(p.encoder, x));
    const graph = makeGraph(model, params, jnp.ones([1, 2, 8])).toString();
    assertEquals(graph.match(/# encoder\/attn\/query$/mg)?.length, 2);
    const cut = {
      encoder: { ...params.encoder, norm1: { scale: jnp.ones([8]), bias: jnp.ones([9]) } },
    };
    assertThrows(
      () => model(cut, jnp.ones([1, 2, 8])),
      RangeError,
      "params.encoder.norm1.bias must",
    );
    assertThrows(() => nn.namedScope("a/b", () => 1), TypeError, "a name without a slash");
    await Promise.resolve();
  },
);

onBothBackends("sequential() and residual() compose modules and functions", async () => {
  const first = nn.dense({ inFeatures: 3, features: 3 });
  const model = nn.sequential([nn.residual(first), nn.gelu, first]);
  const params = model.init(random.key(0));
  assertEquals(Object.keys(params), ["layers_0", "layers_2"]);
  const x = random.normal(random.key(1), [2, 3]);
  const middle = nn.gelu(x.add(first.apply(params.layers_0, x)));
  assertEquals(await distance(model.apply(params, x), first.apply(params.layers_2, middle)), 0);
  const nothing = nn.sequential([]);
  const y = nothing.apply(nothing.init(random.key(0)), x);
  y.dispose();
  assertEquals(x.shape, (await x.data()).length === 6 ? [2, 3] : []); // x is still there
});

onBothBackends("a model made of modules learns with trainStep", async () => {
  const model = nn.sequential([
    nn.conv({ inFeatures: 1, features: 4, kernelSize: 3 }),
    nn.silu,
    nn.residual(nn.dense({ inFeatures: 4, features: 4 })),
    nn.layerNorm({ features: 4 }),
    nn.dropout({ rate: 0.1 }),
    nn.dense({ inFeatures: 4, features: 1 }),
  ]);
  type Params = nn.ParamsOf<typeof model>;
  const { init, step } = trainStep({
    loss: (params: Params, x: NDArray, key: NDArray) =>
      model.apply(params, x, { key }).sub(x).astype("float32").square().mean(),
    optimizer: optim.adam(0.02),
    policy: "mixed_bfloat16",
  });
  const x = random.normal(random.key(1), [8, 9, 1]);
  let state = init(model.init(random.key(0)));
  const losses: number[] = [];
  for (let i = 0; i < 30; i++) {
    const [next, metrics] = step(state, x, random.key(i));
    state = next;
    losses.push(Number(await metrics.loss.item()));
  }
  assert(losses[29]! < 0.4 * losses[0]!, `${losses[0]} to ${losses[29]}`);
});
