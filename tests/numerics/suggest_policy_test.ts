// The fewest modules in float32 that keep a function within a tolerance: found, and tried.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  applyMixedPrecision,
  findNonFiniteOrigin,
  memoryStats,
  type NDArray,
  nn,
  numpy as jnp,
  random,
  suggestPolicy,
  valueAndGrad,
} from "@zenith/jax";
import { onBothBackends } from "../backends.ts";
import { makeInput, makeStack, stackWith } from "./attention_stack.ts";

/** The largest distance over the largest magnitude, recomputed in float64. */
async function relativeError(x: NDArray, expected: NDArray): Promise<number> {
  const [own, right] = [await x.data(), await expected.data()];
  let [error, largest] = [0, 0];
  for (let i = 0; i < right.length; i++) {
    error = Math.max(error, Math.abs(own[i]! - right[i]!));
    largest = Math.max(largest, Math.abs(right[i]!));
  }
  return error / largest;
}

onBothBackends(
  "an attention scale 100 times too large is found among twelve blocks, and kept in float32",
  async () => {
    const [stack, x] = [makeStack(), makeInput()];
    const wrong = stackWith(7, 100);
    const half = applyMixedPrecision(wrong, { policy: "mixed_float16" });
    const origin = await findNonFiniteOrigin(half, [stack, x]);
    assertEquals([origin?.op, origin?.path, origin?.dtype], ["mul", "block7/scores", "float16"]);
    assertStringIncludes(origin!.source, "attention_stack.ts:");

    const before = memoryStats().liveArrays;
    const found = await suggestPolicy(wrong, [stack, x], { tolerance: 0.01 });
    assert(memoryStats().liveArrays - before <= 12, "what stays are literals");
    assertEquals(found.overrides, { "block7/scores": "float32" });
    assert(found.operations <= 3, `${found.operations} operations`);
    assertEquals([found.meetsTolerance, found.errorWithout], [true, Infinity]);
    assertStringIncludes(
      String(found),
      `{"policy":"mixed_float16","overrides":{"block7/scores":"float32"}}`,
    );
    assertStringIncludes(found.advice[0]!, "of it overflows in float16");

    const { policy, overrides } = found;
    const kept = applyMixedPrecision(wrong, { policy, overrides });
    const error = await relativeError(kept(stack, x), wrong(stack, x));
    assert(error <= 0.01, `an error of ${error}`);
    assertAlmostEquals(error, found.error, 1e-3);
    assert(found.extraBytes > 0 && found.extraTime < 0.1);
  },
);

onBothBackends("where the policy alone is within the tolerance nothing is kept", async () => {
  const [stack, x] = [makeStack().slice(0, 2), makeInput()];
  const found = await suggestPolicy(stackWith(undefined, 1), [stack, x]);
  assertEquals([found.overrides, found.operations, found.extraBytes], [{}, 0, 0]);
  assertEquals([found.meetsTolerance, found.error, found.advice], [true, found.errorWithout, []]);
});

onBothBackends("only what is needed stays in float32", async () => {
  const power = (factor: number): nn.Module<Record<string, never>> => ({
    name: "power",
    init: () => ({}),
    apply: (_, x) => jnp.sqrt(jnp.square(jnp.mul(x, factor))).div(factor),
  });
  // What follows a product is in the half type again.
  const product = nn.dense({ inFeatures: 8, features: 8 });
  const model = nn.sequential([power(1), power(1000), nn.tanh, product, power(3000)]);
  const params = model.init(random.key(0));
  const args = [params, jnp.linspace(1, 2, 8).reshape([1, 8])];
  const found = await suggestPolicy(model.apply, args, { tolerance: 0.01 });
  assertEquals(found.overrides, { layers_1: "float32", layers_4: "float32" });
  assertEquals(found.meetsTolerance, true);
  // bfloat16 has the range, and not the digits.
  assertEquals(found.advice.filter((sentence) => sentence.includes("mixed_bfloat16")).length, 1);
  const short = await suggestPolicy(model.apply, args, { tolerance: 0.01, budget: 3 });
  assertEquals(short.meetsTolerance, false);
});

onBothBackends(
  "gradients count where they are asked for, with the loss scale that they need",
  async () => {
    const objective = ({ w }: { w: NDArray }, x: NDArray) =>
      x.matmul(w).astype("float32").square().mean().mul(1e-6);
    const args = [{ w: jnp.full([4, 4], 0.25) }, random.normal(random.key(0), [8, 4])] as const;
    const found = await suggestPolicy(objective, args, { gradients: true });
    assertEquals([found.meetsTolerance, found.overrides], [true, {}]);
    assert(found.lossScale > 1);
    assertStringIncludes(found.advice.join(), "Gradients need a loss scale");
    const half = applyMixedPrecision(objective, { policy: found.policy });
    const scaled = (...args: Parameters<typeof objective>) => half(...args).mul(found.lossScale);
    const [, grads] = valueAndGrad(scaled)(...args);
    const [, right] = valueAndGrad(objective)(...args);
    assert(await relativeError(grads.w.div(found.lossScale), right.w) < 0.01);
  },
);

onBothBackends("what runs outside of modules is named, and the better policy", async () => {
  const found = await suggestPolicy((x: NDArray) => x.mul(300).mul(300).sum(), [jnp.ones([4])]);
  assertEquals([found.meetsTolerance, found.overrides], [false, {}]);
  assertStringIncludes(found.advice[0]!, "suggest_policy_test.ts:");
  assertStringIncludes(found.advice[0]!, "is in no module");
  assertStringIncludes(found.advice[1]!, "mixed_bfloat16 is the better choice");
});

onBothBackends("suggestPolicy() says what it requires", async () => {
  const call = (...args: unknown[]) => suggestPolicy(...args as Parameters<typeof suggestPolicy>);
  await assertRejects(() => call(1, []), TypeError, "a function is required");
  await assertRejects(() => call(jnp.exp, [1], { tolerance: 0 }), RangeError, "tolerance must be");
  await assertRejects(() => call(jnp.exp, [1], { budget: "x" }), RangeError, "budget must be");
  await assertRejects(() => call(jnp.exp, [1], { tol: 1 }), TypeError, "unknown option");
  await assertRejects(() => call(jnp.exp, [1], { gradients: 1 }), TypeError, "must be a boolean");
});
