// The programs of the tutorial, which the README shows, run as a user would: from a folder of their own,
// with no permission flag.

import { assert, assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

/** The first TypeScript block of the README that has a certain text. */
async function tutorial(holding: string): Promise<string> {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, program]) => program);
  const program = blocks.find((block) => block.includes(holding));
  assert(program, `the README has no program with ${holding}`);
  return program;
}

/** Runs a program in a new folder whose only tie to this repository is the import map. */
async function runInOwnFolder(program: string): Promise<{ code: number; output: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const imports = { "@zenith/jax": new URL("mod.ts", root).href };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(`${folder}/main.ts`, program);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--quiet", "main.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const expected = {
  // gelu(64) is 64 in every type, so each result is 64 * 256.
  mixed_float16: "float16 [ 32, 10 ] Float16Array(320) [\n  16384, 16384,",
  mixed_bfloat16: "bfloat16 [ 32, 10 ] Float32Array(320) [\n  16384, 16384,",
  float32: "float32 [ 32, 10 ] Float32Array(320) [\n  16384, 16384,",
};

for (const [policy, start] of Object.entries(expected)) {
  Deno.test(`the tutorial runs without permission flags under ${policy}`, async () => {
    const program = (await tutorial("function model(")).replace('"mixed_float16"', `"${policy}"`);
    const { code, output } = await runInOwnFolder(program);
    assertEquals(code, 0, output);
    assert(output.includes(start), output);
  });
}

Deno.test("the tutorial's transformer block runs in half precision without permission flags", async () => {
  const program = await tutorial("applyMixedPrecision(block");
  const { code, output } = await runInOwnFolder(`${program}console.log(y.dtype, y.shape);`);
  assertEquals(code, 0, output);
  assert(output.includes("float16 [ 2, 128, 512 ]"), output);
});
