// `deno task test [-- FILTER or FILES or any option of deno test]`: makes sure of a WebGPU adapter, runs
// the tests and the documented examples, and says how many tests were skipped for want of an adapter.
// `--real` as the first argument tests against the real @std packages instead of the offline stand-ins.

import { deviceEnvironment, ensureDriver } from "./setup/driver.ts";

const REAL_PACKAGES = ".deno.real.json";
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-run", "--allow-ffi"];

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

/** Turns the words after `deno task test` into those of `deno test`: a word that is no file filters. */
async function testArguments(words: readonly string[]): Promise<string[]> {
  const result: string[] = [];
  for (const [at, word] of words.entries()) {
    const isValue = at > 0 && words[at - 1].startsWith("--") && !words[at - 1].includes("=");
    if (word.startsWith("-") || isValue || await exists(word)) result.push(word);
    else result.push("--filter", word);
  }
  return result;
}

/** The names of the tests that the report says were skipped for want of an adapter. */
function skippedForAdapter(report: string): string[] {
  const cases = report.matchAll(/<testcase name="\[no adapter\] ([^"]*)"[^>]*>\s*<skipped\/>/g);
  return [...cases].map((found) => found[1]);
}

const real = Deno.args[0] === "--real";
const words = Deno.args.slice(real ? 1 : 0).filter((word) => word !== "--");
const adapter = await ensureDriver();
const report = await Deno.makeTempFile({ suffix: ".xml" });
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "--doc",
    ...(real ? ["--config", REAL_PACKAGES] : []),
    ...PERMISSIONS,
    `--junit-path=${report}`,
    ...await testArguments(words),
  ],
  env: deviceEnvironment(),
  stdin: "null",
  stdout: "inherit",
  stderr: "inherit",
}).output();
const skipped = skippedForAdapter(await Deno.readTextFile(report));
await Deno.remove(report);
console.log(
  `WebGPU: ${
    adapter?.name ?? "no adapter"
  }; ${skipped.length} tests skipped for want of an adapter`,
);
Deno.exit(code);
