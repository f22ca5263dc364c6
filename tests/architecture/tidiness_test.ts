// What holds for every file of the repository: its length, its name, its first line, and what may not
// stand in it.

import { assertEquals } from "@std/assert";
import { readText, repositoryFiles, textsOf } from "./tracked_files.ts";

const source = /^(mod\.ts|(src|kernels|bench|tests|examples)\/.*\.ts)$/;
const longest = 400;

/** `path:line` of every line that matches one of the patterns. */
function places(texts: ReadonlyMap<string, string>, patterns: readonly RegExp[]): string[] {
  return [...texts].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, at) =>
      patterns.some((pattern) => pattern.test(line)) ? [`${path}:${at + 1}: ${line.trim()}`] : []
    )
  );
}

Deno.test("no source file is longer than 400 lines", async () => {
  const lengths = [...await textsOf(source)].map((
    [path, text],
  ) => [path, text.split("\n").length - 1]);
  assertEquals(lengths.filter(([, length]) => Number(length) > longest), []);
});

Deno.test("no file is named after what anything could be", async () => {
  const vague = /(^|\/)(utils?|helpers?|common|misc)(\/|\.[a-z]+$)/;
  assertEquals((await repositoryFiles()).filter((path) => vague.test(path)), []);
});

Deno.test("source files are named in snake_case", async () => {
  const paths = [...(await textsOf(source)).keys()];
  assertEquals(paths.filter((path) => !/^([a-z0-9_]+\/)*[a-z0-9_]+\.ts$/.test(path)), []);
});

Deno.test("every source file says in its first lines what lives there", async () => {
  const silent = [...await textsOf(source)].filter(([, text]) => !/^(\/\/ \S|\/\*\*)/.test(text));
  assertEquals(silent.map(([path]) => path), []);
});

Deno.test("no tracked file holds a machine's path or a registry's host", async () => {
  // Put together from parts, so that this file does not hold what it looks for.
  const folders = ["work", "root", "farm", "home"].map((name) =>
    new RegExp(`(^|[\\s"'\`(=:])/${name}/`)
  );
  const hosts = ["registry\\.npm" + "js\\.org", "npm\\.jsr\\.io", "npm" + "mirror"].map((host) =>
    new RegExp(host)
  );
  const texts = await textsOf(/\.(ts|json|md|py|sh|yml|yaml|svg|csv|txt|toml)$|^\.ci\/|^\.[^/]+$/);
  assertEquals(places(texts, [...folders, ...hosts]), []);
});

Deno.test("no source file leaves work undone, skips a test or turns a check off", async () => {
  const marks = [
    "TO" + "DO",
    "FIX" + "ME",
    "@ts-" + "(ignore|nocheck)",
    "deno-lint-ignore-" + "file",
    "Deno\\.test\\.(ignore|only)",
    "ignore: " + "true",
    "\\bas " + "any\\b",
  ].map((mark) => new RegExp(mark));
  assertEquals(places(await textsOf(source), marks), []);
});

Deno.test("the config for the real packages asks for the same versions and checks as deno.json", async () => {
  const main = JSON.parse(await readText("deno.json") ?? "{}");
  const real = JSON.parse(await readText(".deno.real.json") ?? "{}");
  assertEquals(real.imports, { ...main.imports, "@zenith/jax": "./mod.ts" });
  assertEquals(real.compilerOptions, main.compilerOptions);
  assertEquals(real.workspace, undefined);
});
