// The command line of `deno task peers`.

import { parseArgs } from "@std/cli/parse-args";
import { fileName, FlagError, rejectUnknown } from "../run/flags.ts";

/** What `deno task peers` was asked for. */
export interface PeersFlags {
  readonly help: boolean;
  /** Names of tasks. */
  readonly only: readonly string[];
  readonly smoke: boolean;
  readonly json: string | undefined;
  readonly save: boolean;
}

/** The words of `--help`. */
export function peersUsage(tasks: readonly string[]): string {
  return `Measures this library beside @jax-js/jax and @tensorflow/tfjs-backend-webgpu.

  --only NAME   this task alone; may be repeated: ${tasks.join(", ")}
  --smoke       once, at a small size, to see that it works
  --json FILE   write the figures as JSON
  --save        keep the figures under bench/results
  --help        print this`;
}

/** Reads the arguments; throws a FlagError that says what is wrong with them. */
export function readPeersFlags(args: readonly string[], tasks: readonly string[]): PeersFlags {
  const unknown: string[] = [];
  const flags = parseArgs([...args], {
    boolean: ["smoke", "save", "help"],
    string: ["only", "json"],
    collect: ["only"],
    unknown: (argument) => {
      unknown.push(argument);
      return false;
    },
  });
  rejectUnknown(unknown);
  const foreign = flags.only.find((name) => !tasks.includes(name));
  if (foreign !== undefined) {
    throw new FlagError(`--only must be one of ${tasks.join(", ")}; got ${foreign}`);
  }
  return {
    help: flags.help,
    only: flags.only.length > 0 ? tasks.filter((name) => flags.only.includes(name)) : tasks,
    smoke: flags.smoke,
    json: fileName("json", flags.json),
    save: flags.save,
  };
}
