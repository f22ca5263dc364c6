// The command lines of the examples: what is wrong with one is said above the usage, and ends the program.

import { parseArgs } from "@std/cli/parse-args";
import { withPolicy } from "@zenith/jax";

/** The message of a command line that cannot be read. */
export class FlagError extends Error {}

/** The policies that programs show where none is asked for. */
export const POLICIES: readonly string[] = ["float32", "mixed_float16", "mixed_bfloat16"];

/** Flags with a value, of which some may be repeated, and flags without one. */
interface FlagNames<S extends string, C extends string, B extends string> {
  readonly string: readonly S[];
  readonly collect?: readonly C[];
  readonly boolean: readonly B[];
}

type FlagValues<S extends string, C extends string, B extends string> =
  & { readonly [K in Exclude<S, C>]: string | undefined }
  & { readonly [K in C]: readonly string[] }
  & { readonly [K in B]: boolean };

/** The program's flags as `read` makes them of the arguments; with `--help` the usage is all that it prints. */
export function commandLine<Flags>(usage: string, read: (args: readonly string[]) => Flags): Flags {
  try {
    if (Deno.args.includes("--help")) {
      console.log(usage);
      Deno.exit(0);
    }
    return read(Deno.args);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    Deno.exit(2);
  }
}

/** The values of flags; a FlagError for any argument that is none of them. */
export function readFlags<
  const S extends string,
  const B extends string,
  const C extends S = never,
>(
  args: readonly string[],
  names: FlagNames<S, C, B>,
): FlagValues<S, C, B> {
  const unknown: string[] = [];
  const flags = parseArgs([...args], {
    string: names.string as readonly string[],
    boolean: names.boolean as readonly string[],
    collect: (names.collect ?? []) as readonly string[],
    unknown: (argument) => {
      unknown.push(argument);
      return false;
    },
  });
  if (unknown.length > 0) throw new FlagError(`unknown argument ${unknown.join(" ")}`);
  return flags as unknown as FlagValues<S, C, B>;
}

/** A flag's whole number. */
export function wholeNumber(name: string, given: string, least: number): number {
  const number = Number(given);
  if (given !== "" && Number.isSafeInteger(number) && number >= least) return number;
  throw new FlagError(`--${name} must be a whole number from ${least} on, got ${given}`);
}

/** Checks the names of policies. */
export function checkPolicies(policies: readonly string[]): readonly string[] {
  for (const policy of policies) {
    try {
      withPolicy(policy, () => {});
    } catch (error) {
      throw new FlagError(error instanceof Error ? error.message : String(error));
    }
  }
  return policies;
}

/** Checks the name of a backend; undefined leaves the choice to `init`. */
export function checkBackend(backend: string | undefined): "webgpu" | "cpu" | undefined {
  if (backend === undefined || backend === "webgpu" || backend === "cpu") return backend;
  throw new FlagError(`--backend must be webgpu or cpu, got ${backend}`);
}

/** Checks that a flag that needs a file has one. */
export function fileName(name: string, given: string | undefined): string | undefined {
  if (given !== "") return given;
  throw new FlagError(`--${name} needs a file name`);
}
