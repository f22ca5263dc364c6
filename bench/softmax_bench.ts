// softmax over rows, in each precision: `deno bench bench/softmax_bench.ts`.

import { registerBenches } from "./deno_bench.ts";

await registerBenches("softmax");
