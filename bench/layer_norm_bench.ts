// Layer normalisation over rows, in each precision: `deno bench bench/layer_norm_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("layer norm");
