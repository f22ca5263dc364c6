// The command line of `deno task benchmark`.

import { parseArgs } from "@std/cli/parse-args";
import { type Section, SECTIONS } from "../sections.ts";

/** What `deno task benchmark` was asked for. */
export interface BenchmarkFlags {
  readonly help: boolean;
  readonly sections: readonly Section[];
  /** Sizes in place of every program's own. */
  readonly sizes: readonly number[] | undefined;
  readonly smoke: boolean;
  /** The experiments on what half precision loses, in place of measuring programs. */
  readonly experiments: boolean;
  /** Files to write. */
  readonly json: string | undefined;
  readonly svg: string | undefined;
  /** Whether to keep the figures under bench/results. */
  readonly save: boolean;
}

/** The words of `--help`. */
export const BENCHMARK_USAGE =
  `Measures programs in float32, float16 and bfloat16 on this machine's adapter.

  --precision      matmul, a fused elementwise chain, softmax, layer norm, an MLP (what runs unless asked otherwise)
  --gelu           gelu in both forms, alone, fused into a chain and fused into matmul
  --training       a training step of the MLP with SGD and with AdamW
  --checkpointing  the gradient of a stack of blocks, with and without what each computes on the way kept
  --attention      attention and its gradient as one operation, over what they take as separate ones
  --all            all of these
  --experiments    no times, but what half precision loses and what keeps it: training that stalls, and that does not
  --sizes N,N...   these sizes in place of each program's own; multiples of 4
  --smoke          once, at a small size, to see that it works
  --json FILE      write the figures as JSON
  --svg FILE       write a chart
  --save           keep the figures under bench/results
  --help           print this`;

/** The message of a command line that cannot be read. */
export class FlagError extends Error {}

/** A flag's file name; an error where the flag stands without one. */
export function fileName(flag: string, value: string | undefined): string | undefined {
  if (value === "") throw new FlagError(`--${flag} needs a file name`);
  return value;
}

/** Turns away arguments that no flag takes. */
export function rejectUnknown(unknown: readonly string[]): void {
  if (unknown.length > 0) throw new FlagError(`unknown argument ${unknown.join(" ")}`);
}

/** Reads the arguments; throws a FlagError that says what is wrong with them. */
export function readBenchmarkFlags(args: readonly string[]): BenchmarkFlags {
  const unknown: string[] = [];
  const flags = parseArgs([...args], {
    boolean: [
      "precision",
      "gelu",
      "training",
      "checkpointing",
      "attention",
      "experiments",
      "all",
      "smoke",
      "save",
      "help",
    ],
    string: ["sizes", "json", "svg"],
    unknown: (argument) => {
      unknown.push(argument);
      return false;
    },
  });
  rejectUnknown(unknown);
  const asked = SECTIONS.filter((section) => flags.all || flags[section]);
  if (flags.experiments && (asked.length > 0 || flags.sizes || flags.svg)) {
    throw new FlagError("--experiments takes none of the programs, no --sizes and no --svg");
  }
  return {
    help: flags.help,
    sections: asked.length > 0 ? asked : ["precision"],
    sizes: readSizes(flags.sizes),
    smoke: flags.smoke,
    experiments: flags.experiments,
    json: fileName("json", flags.json),
    svg: fileName("svg", flags.svg),
    save: flags.save,
  };
}

function readSizes(list: string | undefined): number[] | undefined {
  if (list === undefined) return undefined;
  return list.split(",").map((word) => {
    const size = Number(word);
    if (/^\d+$/.test(word) && size >= 4 && size <= 4096 && size % 4 === 0) return size;
    throw new FlagError(
      `--sizes needs multiples of 4 from 4 to 4096 separated by commas, got ${list}`,
    );
  });
}
