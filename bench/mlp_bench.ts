// The forward pass of two dense layers, in each precision: `deno bench bench/mlp_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("MLP forward");
