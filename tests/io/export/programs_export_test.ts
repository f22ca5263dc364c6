// Whole programs as StableHLO, run by JAX: a forward pass, a transformer block, and training steps with loss
// scaling, gradients and optimizer included.

import { assert, assertEquals } from "@std/assert";
import {
  applyMixedPrecision,
  castToHalf,
  finfo,
  init,
  lossScale,
  type NDArray,
  nn,
  numpy as jnp,
  optim,
  random,
  toStableHLO,
  trainStep,
  tree,
  withPolicy,
} from "../../../mod.ts";
import { type DType, isFloating } from "../../../src/core/dtype.ts";
import { checkModule } from "./module_syntax.ts";
import { type HostArray, jaxTest, runInJax } from "./jax_runner.ts";

// deno-lint-ignore no-explicit-any -- programs of any arguments.
type Program = (...args: any[]) => unknown;

const policies = {
  float32: "float32",
  float16: "mixed_float16",
  bfloat16: "mixed_bfloat16",
} as const;

function onHost(given: unknown): HostArray[] {
  return (tree.leaves(given) as NDArray[]).map((x) => ({
    shape: x.shape,
    dtype: x.dtype,
    values: Float64Array.from(x.dataSync()),
  }));
}

const largest = ({ values }: HostArray) =>
  Array.from(values).reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/** The largest distance between two results, in units of `eps` of the dtype times the largest element. */
function distance(got: HostArray, expected: HostArray, dtype: DType): number {
  const unit = isFloating(dtype) ? finfo(dtype).eps * Math.max(largest(expected), 1e-3) : 1;
  let most = 0;
  for (let i = 0; i < expected.values.length; i++) {
    const [a, b] = [got.values[i]!, expected.values[i]!];
    if (!Object.is(a, b)) most = Math.max(most, Math.abs(a - b) / unit);
  }
  return most;
}

/**
 * Runs a module in JAX: its results are within so many units of the type that the program computes in, since
 * sums are made in another order.
 */
async function agrees(
  text: string,
  inputs: readonly HostArray[],
  expected: readonly HostArray[],
  compute: DType,
): Promise<void> {
  const [outcome] = await runInJax([{ text, inputs, outputs: expected }]);
  assert(typeof outcome !== "string", outcome as string);
  const allowed = compute === "float32" ? 64 : 1;
  expected.forEach((leaf, i) => {
    const far = distance(outcome![i]!, leaf, isFloating(leaf.dtype) ? compute : leaf.dtype);
    assert(far <= allowed, `result ${i}, ${leaf.dtype}[${leaf.shape}], is ${far} units away`);
  });
}

/** The same for a forward pass. */
async function agreesForward(
  program: Program,
  args: readonly unknown[],
  compute: DType,
): Promise<void> {
  const text = toStableHLO(program, ...args);
  checkModule(text);
  await agrees(text, onHost(args), onHost(program(...args)), compute);
}

for (const [dtype, policy] of Object.entries(policies) as [keyof typeof policies, string][]) {
  jaxTest(`the tutorial's forward pass under ${policy} gives the same in JAX`, async () => {
    await init({ backend: "cpu" });
    const [w, x] = [random.normal(random.key(0), [64, 10]), random.normal(random.key(1), [32, 64])];
    const layer = (w: NDArray, x: NDArray) => nn.gelu(castToHalf(x).matmul(castToHalf(w)));
    await withPolicy(policies[dtype], () => agreesForward(layer, [w, x], dtype));
  });

  jaxTest(`a transformer block in ${dtype} gives the same in JAX`, async () => {
    await init({ backend: "cpu" });
    const block = nn.transformerBlock({ features: 32, numHeads: 4, isCausal: true });
    const params = block.init(random.key(0));
    const x = random.normal(random.key(1), [2, 12, 32]);
    await agreesForward(applyMixedPrecision(block, { dtype }).apply as Program, [params, x], dtype);
  });

  jaxTest(
    `training steps under ${policy}, one that overflows among them, give the same in JAX`,
    async () => {
      await init({ backend: "cpu" });
      const model = nn.mlp({ features: 8, hidden: 16 });
      const loss = (params: never, x: NDArray, y: NDArray) =>
        jnp.mean(
          jnp.square(model.apply(castToHalf(params), castToHalf(x)).astype("float32").sub(y)),
        );
      const steps = trainStep({
        loss,
        optimizer: optim.adamw(1e-2),
        policy: policies[dtype],
        lossScale: lossScale.dynamic({ initial: 2 ** 24 }),
        maxGradNorm: 1,
      });
      const x = random.normal(random.key(2), [16, 8]);
      const y = random.normal(random.key(3), [16, 8]).mul(100);
      let state = steps.init(model.init(random.key(1)) as never);
      let skipped = 0;
      for (let i = 0; i < 12; i++) {
        // The step donates its state; a copy stays for JAX.
        const copy = tree.map((leaf: NDArray) => jnp.array(leaf), state) as typeof state;
        const text = toStableHLO(steps.step, state, x, y);
        checkModule(text);
        const inputs = onHost([copy, x, y]);
        const [next, metrics] = steps.step(state, x, y);
        skipped += Number(await metrics.skipped.item());
        const expected = onHost([next, metrics]);
        state = next;
        if (i > 0 && i < 11) continue;
        await agrees(text, inputs, expected, dtype);
      }
      assertEquals(skipped > 0, dtype === "float16");
    },
  );
}
