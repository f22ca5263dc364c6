// What a numerics report costs beside a plain eager run of the same model, both warm:
//   deno run -A tests/setup/with_driver.ts run -A bench/numerics_overhead.ts

import { init, type NDArray, nn, numericsReport, random } from "@zenith/jax";

/** Depth, features, batch and length of models to try. */
const models = [
  [12, 32, 2, 8],
  [4, 128, 8, 64],
  [4, 256, 16, 128],
] as const;

const repetitions = 5;

async function fastest(run: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i <= repetitions; i++) {
    const start = performance.now();
    await run();
    if (i > 0) best = Math.min(best, performance.now() - start);
  }
  return best;
}

const { name } = await init();
console.log(`Fastest of ${repetitions} runs on ${name}; a report is of one policy, mixed_float16.`);
for (const [depth, features, batch, length] of models) {
  const model = nn.sequential(
    Array.from({ length: depth }, () => nn.transformerBlock({ features, numHeads: 4 })),
  );
  const params = model.init(random.key(0));
  const x = random.normal(random.key(1), [batch, length, features]);
  const eager = await fastest(async () => {
    const y: NDArray = model.apply(params, x);
    await y.data();
    y.dispose();
  });
  const report = await fastest(() =>
    numericsReport(model.apply, [params, x], { policies: ["mixed_float16"] })
  );
  console.log(
    `${depth} blocks of ${features} features, input [${x.shape}]: eager ${eager.toFixed(1)} ms, ` +
      `report ${report.toFixed(1)} ms, ${(report / eager).toFixed(1)} times as much`,
  );
}
