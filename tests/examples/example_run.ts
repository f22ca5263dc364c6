// Runs an example as a user would, in a process of its own.

const root = new URL("../../", import.meta.url);

/** What an example's run left. */
export interface ExampleRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs an example with flags for itself and permissions for Deno. */
export async function runExample(
  file: string,
  flags: readonly string[],
  permissions: readonly string[] = [],
): Promise<ExampleRun> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, `examples/${file}`, ...flags],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
