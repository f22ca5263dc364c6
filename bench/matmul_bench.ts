// Matrix products, in each precision: `deno bench bench/matmul_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("matmul");
