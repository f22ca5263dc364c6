// The forward pass of two dense layers, in each precision: `deno bench bench/mlp_bench.ts`.

import { registerBenches } from "./deno_bench.ts";

await registerBenches("MLP forward");
