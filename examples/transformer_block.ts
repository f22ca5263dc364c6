// A transformer block that knows nothing of precision, run in float32 and, by one call, in float16: what comes
// out, how far it is off, and what was decided for each operation.
//
//   deno run examples/transformer_block.ts

import {
  applyMixedPrecision,
  castTo,
  explainPrecision,
  init,
  jit,
  type NDArray,
  nn,
  numpy as jnp,
  random,
  tree,
} from "@zenith/jax";
import { table } from "./program/table.ts";

await init();
const block = nn.transformerBlock({ features: 512, numHeads: 8 });
const params = block.init(random.key(0));
const x = random.normal(random.key(1), [2, 128, 512]);
const y = applyMixedPrecision(block, { dtype: "float16" }).apply(params, x);

const full = block.apply(params, x);
const half = applyMixedPrecision(block.apply, { dtype: "float16" });
/** What lives between the kernels, where the weights lie in the type that they are used in. */
const activations = (apply: typeof block.apply, dtype: "float32" | "float16") => {
  const program = jit((p: typeof params, x: NDArray) => apply(p, x));
  const { tempBytes } = program.lower(...castTo([params, x] as const, dtype)).memoryAnalysis();
  return `${(tempBytes / 2 ** 20).toFixed(2)} MiB`;
};

const weights = tree.leaves(params).reduce((sum, leaf) => sum + leaf.size, 0);
console.log(
  `A transformer block of ${weights} weights, on x of ${x.dtype} [${x.shape.join(", ")}]\n`,
);
console.log(table(["", "result", "shape", "activations"], [
  ["block", full.dtype, full.shape.join(" x "), activations(block.apply, "float32")],
  ["applyMixedPrecision(block)", y.dtype, y.shape.join(" x "), activations(half, "float16")],
]));
const off = await jnp.abs(y.astype("float32").sub(full)).max().item();
const largest = await jnp.abs(full).max().item();
console.log(
  `\nThe results differ by ${Number(off).toExponential(1)} at the most, of up to ${
    Number(largest).toFixed(2)
  }.`,
);
console.log(`\nWhat was decided:\n\n${explainPrecision(half, params, x)}`);
