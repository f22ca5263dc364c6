// A chain of elementwise operations, fused into one kernel, in each precision: `deno bench bench/elementwise_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("gelu(a * x + b)");
