// Registers programs with `deno bench`: one group a size, one benchmark a precision, float32 the baseline.
// `deno bench -- --smoke` runs each once at a small size.

import { PRECISIONS } from "./precision.ts";
import { findProgram, SMOKE_SIZE } from "./programs.ts";
import { makeArguments } from "./host_data.ts";
import { prepare } from "./run/prepare.ts";
import type { Prepared } from "./run/prepared.ts";
import { openSession } from "./run/session.ts";

/** Opens the device and registers programs by their names in the table. */
export async function registerBenches(...names: readonly string[]): Promise<void> {
  const smoke = Deno.args.includes("--smoke");
  const { backend } = await openSession();
  // The CPU reference backend is there to be right; at the usual sizes it would take minutes a call.
  const small = smoke || backend === "cpu";
  for (const program of names.map(findProgram)) {
    for (const size of small ? [SMOKE_SIZE] : program.sizes) {
      for (const precision of PRECISIONS) {
        let prepared: Prepared | undefined;
        Deno.bench({
          name: `${program.name} ${precision}`,
          group: `${program.name} ${program.label(size)}`,
          baseline: precision === PRECISIONS[0],
          ...(smoke ? { n: 1, warmup: 1 } : {}),
          fn: async () => {
            prepared ??= prepare(program, precision, makeArguments(program.arguments(size)));
            await prepared.run(1);
          },
        });
      }
    }
  }
}
