// Matrix products, in each precision: `deno bench bench/matmul_bench.ts`.

import { registerBenches } from "./deno_bench.ts";

await registerBenches("matmul");
