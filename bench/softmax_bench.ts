// softmax over rows, in each precision: `deno bench bench/softmax_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("softmax");
