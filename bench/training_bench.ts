// Training steps of two dense layers, in each precision: `deno bench bench/training_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("MLP training step, SGD", "MLP training step, AdamW");
