// The gradient of a stack of blocks with and without checkpoints, in each precision:
// `deno bench bench/checkpointing_bench.ts`.

import { registerBenches } from "./registration.ts";

await registerBenches("gradient, all kept", "gradient, checkpointed");
