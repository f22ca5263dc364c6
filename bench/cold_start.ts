// Seconds from `deno run` to a first result, with the shader cache on disk cold and warm:
// `deno run -A bench/cold_start.ts [--json]`. Each program is a process of its own.

import { parseArgs } from "@std/cli/parse-args";

import { figures, plainTable, words } from "./report/table.ts";
import { duration } from "./report/quantities.ts";
import { describe } from "./run/environment.ts";
import { openSession } from "./run/session.ts";

const USAGE =
  `Times programs from their start to their end, with a cold and with a warm shader cache.

  --json   print JSON
  --help   print this`;

const ROOT = new URL("../", import.meta.url);

const DIGITS = ["--allow-read=examples/data", "examples/digits.ts", "--json"];

/** The programs: the arguments of `deno run`. */
const PROGRAMS: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: "tiny jitted function", args: ["bench/cold_start/tiny.ts"] },
  { name: "digits in float32", args: [...DIGITS, "--policy", "float32"] },
  { name: "digits in all three policies", args: DIGITS },
];

/** How long one program took, in milliseconds. */
interface ColdStart {
  readonly program: string;
  readonly coldMs: number;
  readonly warmMs: number;
}

/** Milliseconds of one process whose drivers keep compiled shaders in `cache`, a folder. */
async function timeProcess(args: readonly string[], cache: string): Promise<number> {
  const started = performance.now();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...args],
    cwd: ROOT,
    // Mesa's, and NVIDIA's.
    env: { MESA_SHADER_CACHE_DIR: cache, __GL_SHADER_DISK_CACHE_PATH: cache },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) {
    throw new Error(`Cannot time ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
  return performance.now() - started;
}

async function measure({ name, args }: typeof PROGRAMS[number]): Promise<ColdStart> {
  const cache = await Deno.makeTempDir();
  try {
    const coldMs = await timeProcess(args, cache);
    return { program: name, coldMs, warmMs: await timeProcess(args, cache) };
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

async function main(): Promise<void> {
  const unknown: string[] = [];
  const flags = parseArgs(Deno.args, {
    boolean: ["json", "help"],
    unknown: (argument) => {
      unknown.push(argument);
      return false;
    },
  });
  if (unknown.length > 0) {
    console.error(`unknown argument ${unknown.join(" ")}\n\n${USAGE}`);
    Deno.exit(2);
  }
  if (flags.help) return console.log(USAGE);
  const environment = await openSession();
  const starts: ColdStart[] = [];
  for (const program of PROGRAMS) starts.push(await measure(program));
  if (flags.json) return console.log(JSON.stringify({ environment, starts }, null, 2));
  console.log(`${describe(environment).join("\n")}\n`);
  const columns = [words("program"), figures("cold cache"), figures("warm cache")];
  console.log(plainTable(
    columns,
    starts.map(({ program, coldMs, warmMs }) => [program, duration(coldMs), duration(warmMs)]),
  ));
  console.log(
    "\nWhole processes, from start to end; the digits are 360, read 21 times under each policy.",
  );
}

if (import.meta.main) await main();
