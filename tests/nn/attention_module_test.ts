// Attention as a module: its cache, and what changes nothing.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { jit, memoryStats, type NDArray, nn, numpy as jnp, random } from "../../mod.ts";
import { onBothBackends } from "../backends.ts";

async function distance(a: NDArray, b: NDArray): Promise<number> {
  assertEquals(a.shape, b.shape);
  return Number(await a.sub(b).abs().max().item());
}

const sizes = { features: 8, numHeads: 4, numKeyValueHeads: 2, isCausal: true, rotary: true };

for (
  const [name, module] of [
    ["attention", nn.multiHeadDotProductAttention(sizes)],
    ["a transformer block", nn.transformerBlock(sizes)],
  ] as unknown as [string, nn.CachedModule<unknown>][]
) {
  onBothBackends(
    `${name} with a cache gives position by position what it gives at once`,
    async () => {
      const params = module.init(random.key(0));
      const x = random.normal(random.key(1), [2, 6, 8]);
      const whole = module.apply(params, x);
      const step = jit((x: NDArray, cache: nn.AttentionCache) =>
        module.apply(params, x, { cache })
      );
      let cache = module.initCache(2, 8);
      // A prompt of three, then one by one.
      for (const [from, to] of [[0, 3], [3, 4], [4, 5], [5, 6]] as const) {
        const part = x.slice([], [from, to]);
        const [y, next] = step(part, cache);
        assert(await distance(y, whole.slice([], [from, to])) < 1e-5, `${from}`);
        const [eager] = module.apply(params, part, { cache });
        assert(await distance(y, eager) < 1e-5, `${from}`);
        cache = next;
      }
      assertEquals([await cache.index.item(), cache.key.shape], [6, [2, 8, 2, 2]]);
    },
  );
}

onBothBackends("a cache of a half type keeps it, and a call leaves only its results", async () => {
  const module = nn.multiHeadDotProductAttention(sizes);
  const params = module.init(random.key(0));
  const x = random.normal(random.key(1), [1, 2, 8]);
  const cache = module.initCache(1, 4, { dtype: "bfloat16" });
  module.apply(params, x, { cache });
  const before = memoryStats().liveArrays;
  const [y, next] = module.apply(params, x, { cache });
  assertEquals(memoryStats().liveArrays, before + 4);
  assertEquals([y.dtype, next.key.dtype, next.value.dtype], ["float32", "bfloat16", "bfloat16"]);
  // What is not filled yet has no part in the result, whatever it is.
  const filled = { ...cache, key: cache.key.add(1000), value: cache.value.add(1000) };
  assert(await distance(module.apply(params, x, { cache: filled })[0], y) < 1e-6);
  await Promise.resolve();
});

onBothBackends("masks, batches and options of apply() mean what they say", async () => {
  const module = nn.multiHeadDotProductAttention({ features: 8, numHeads: 2 });
  const params = module.init(random.key(0));
  const x = random.normal(random.key(1), [3, 5, 8]);
  const causal = module.apply(params, x, { isCausal: true });
  const mask = jnp.tril(jnp.ones([5, 5])).astype("bool");
  assert(await distance(module.apply(params, x, { mask }), causal) < 1e-6);
  assert(await distance(module.apply(params, x, { keyValue: x }), module.apply(params, x)) < 1e-6);
  const alone = module.apply(params, x.slice(1), { isCausal: true });
  assert(await distance(alone, causal.slice(1)) < 1e-6);
  const grid = module.apply(params, x.reshape([3, 1, 5, 8]), { isCausal: true });
  assert(await distance(grid.reshape([3, 5, 8]), causal) < 1e-6);
});

onBothBackends("rotary products depend on distances alone", async () => {
  const [q, k] = [1, 2].map((seed) => random.normal(random.key(seed), [1, 1, 1, 6]));
  const product = async (i: number, j: number) => {
    const [a, b] = [nn.rotaryEmbedding(q!, [i]), nn.rotaryEmbedding(k!, [j])];
    return Number(await a.mul(b).sum().item());
  };
  assertAlmostEquals(await product(3, 1), await product(12, 10), 1e-4);
  assertAlmostEquals(await product(0, 0), Number(await q!.mul(k!).sum().item()), 1e-5);
  assert(Math.abs(await product(3, 1) - await product(1, 3)) > 1e-3);
  assertThrows(
    () => nn.rotaryEmbedding(q!, [0, 1]),
    RangeError,
    "positions must broadcast to [1, 1], got [2]",
  );
  const half = nn.rotaryEmbedding(q!.astype("float16"), [7]);
  const wide = nn.rotaryEmbedding(q!.astype("float16").astype("float32"), [7]);
  assertEquals(await half.toList(), await wide.astype("float16").toList());
});

onBothBackends("a cache that does not fit is refused", async () => {
  const module = nn.multiHeadDotProductAttention(sizes);
  const params = module.init(random.key(0));
  const x = jnp.ones([2, 3, 8]);
  assertThrows(
    () => module.apply(params, x, { cache: module.initCache(1, 4) }),
    RangeError,
    "Cannot multiHeadDotProductAttention: the cache must have shape [2, 4, 2, 2] for x of shape [2, 3, 8], got [1, 4, 2, 2]",
  );
  assertThrows(
    () => module.apply(params, x, { cache: module.initCache(2, 2) }),
    RangeError,
    "the cache must have shape [2, 3, 2, 2]",
  );
  const both = { cache: module.initCache(2, 4), keyValue: x };
  assertThrows(() => module.apply(params, x, both), TypeError, "it cannot go with keyValue");
  assertThrows(() => module.initCache(0, 4), RangeError, "batch must be a positive integer");
  assertThrows(
    () => module.initCache(2, 4, { dtype: "int32" as never }),
    TypeError,
    "dtype must be float32, float16 or bfloat16",
  );
  assertThrows(
    () => module.apply(params, x, { cache: {} as never }),
    TypeError,
    "the cache must be what initCache or the call before gave, { key, value, index }, got {}",
  );
  await Promise.resolve();
});
