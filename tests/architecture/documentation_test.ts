// What the README promises by name exists.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as zenith from "@zenith/jax";
import { readText } from "./tracked_files.ts";

async function readme(): Promise<string> {
  return await readText("README.md") ?? "";
}

/** The names in backquotes of the first column of the tables in one section. */
function namesInTable(text: string, heading: string): string[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(heading));
  assert(section, `the README has no section ${heading}`);
  const cells = [...section.matchAll(/^\| (`.*?) \|/gm)].map((found) => found[1]);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map((found) => found[1]));
}

Deno.test("every name in the README's overview is exported, and every export is in the README", async () => {
  const text = await readme();
  const named = namesInTable(text, "What is where").filter((name) => name !== "jnp");
  assert(named.length > 10);
  assertEquals(named.filter((name) => !(name in zenith)), []);
  const words = new Set(text.match(/\w+/g));
  assertEquals(Object.keys(zenith).filter((name) => !words.has(name)), []);
});

Deno.test("every task that the README and CONTRIBUTING name is there", async () => {
  const tasks = Object.keys(JSON.parse(await readText("deno.json") ?? "{}").tasks);
  const texts = [await readme(), await readText("CONTRIBUTING.md") ?? ""].join("\n");
  const named = [...texts.matchAll(/\btask ([a-z]+(?::[a-z]+)?)/g)].map((found) => found[1]);
  assert(named.includes("demo"));
  assertEquals(named.filter((name) => !tasks.includes(name)), []);
});

Deno.test("the README's first screen gives the tutorial program and the two commands", async () => {
  const text = await readme();
  const start = text.slice(0, text.indexOf("\n## "));
  assertStringIncludes(start, 'mixedPrecisionPolicy("mixed_float16");');
  assertEquals(start.match(/^npx .*$/gm), [
    "npx -y deno@2.9.6 task demo",
    "npx -y deno@2.9.6 task test",
  ]);
  assert(start.split("\n").length <= 50, "the first screen is longer than a screen");
});
