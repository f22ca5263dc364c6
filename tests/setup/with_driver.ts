// `deno run -A tests/setup/with_driver.ts ARGUMENTS...` makes sure of a WebGPU adapter, then runs Deno
// with these arguments and the variables that let it find the adapter. Without arguments it only
// reports what it found.

import { deviceEnvironment, ensureDriver } from "./driver.ts";

const adapter = await ensureDriver();
if (Deno.args.length === 0) {
  if (adapter) {
    console.log(`${adapter.name}, ${adapter.shaderF16 ? "with" : "without"} shader-f16`);
  }
} else {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: Deno.args,
    env: deviceEnvironment(),
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  Deno.exit(code);
}
