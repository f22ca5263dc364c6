// Layer normalisation over rows, in each precision: `deno bench bench/layer_norm_bench.ts`.

import { registerBenches } from "./deno_bench.ts";

await registerBenches("layer norm");
