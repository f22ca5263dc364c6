// Lists the repository's files: what git tracks or would track, or, in an unpacked archive, all files.

const SKIPPED = new Set([".git", ".gpu", "node_modules", "coverage"]);
const root = new URL("../../", import.meta.url);

async function* walk(directory: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(directory || ".", root))) {
    const path = directory + entry.name;
    if (entry.isDirectory && !SKIPPED.has(entry.name)) yield* walk(`${path}/`);
    else if (entry.isFile) yield path;
  }
}

async function gitFiles(): Promise<string[] | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
      cwd: root,
      stderr: "null",
    }).output();
    if (!success) return null;
    return new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "");
  } catch {
    return null;
  }
}

/** The text of a file of the repository; null where it was removed but is still tracked. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(new URL(path, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The paths of the repository's files, relative to it, sorted. */
export async function repositoryFiles(): Promise<string[]> {
  const files = await gitFiles() ?? await Array.fromAsync(walk(""));
  return files.sort();
}

/** The texts of the files whose path matches, by path. */
export async function textsOf(pattern: RegExp): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of await repositoryFiles()) {
    const text = pattern.test(path) ? await readText(path) : null;
    if (text !== null) texts.set(path, text);
  }
  return texts;
}
