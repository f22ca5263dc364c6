// Attention and its gradient, in each precision: `deno bench bench/attention_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("attention", "attention gradient");
