// Writing a file so that whoever looks sees the old one or the new one, whole, also after a crash.

import { describe } from "../core/errors.ts";

/** Writes all of `bytes` where the file stands. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/**
 * Throws if this is no place for a file.
 *
 * @throws TypeError for all but a path and a `file:` URL.
 */
export function checkFilePath(what: string, path: unknown): void {
  if (typeof path === "string" && path !== "") return;
  if (path instanceof URL && path.protocol === "file:") return;
  const got = path instanceof URL ? path.href : describe(path);
  throw new TypeError(`Cannot ${what}: a path or a file: URL is required, got ${got}`);
}

/** An error of the file system, told what could not be done; any other error as it is. */
export function explainFileError(what: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const named = Object.values(Deno.errors).find((kind) => error.constructor === kind);
  // A full disk, among others, has no class of its own.
  if (named === undefined && !("code" in error)) return error;
  return new (named ?? Error)(`Cannot ${what}: ${error.message}`, { cause: error });
}

function besideOf(path: string | URL): string | URL {
  const suffix = `.${crypto.randomUUID()}.tmp`;
  if (typeof path === "string") return path + suffix;
  const beside = new URL(path);
  beside.pathname += suffix;
  return beside;
}

async function removeQuietly(path: string | URL): Promise<void> {
  try {
    await Deno.remove(path);
  } catch {
    // Why writing failed is what matters, and what is left behind is no one's file.
  }
}

async function writeBeside(
  beside: string | URL,
  path: string | URL,
  write: (file: Deno.FsFile) => Promise<void>,
): Promise<void> {
  const file = await Deno.open(beside, { write: true, createNew: true });
  try {
    try {
      await write(file);
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(beside, path);
  } catch (error) {
    await removeQuietly(beside);
    throw error;
  }
}

/**
 * Puts what `write` writes in the place of the file at `path`. It goes into a temporary file in the same
 * folder, which is flushed to the disk and then renamed: a failure leaves the old file as it was, and
 * removes the temporary one.
 *
 * @param what What is done, for messages: `save checkpoint`.
 * @throws what `write` throws, and Deno's errors for files.
 */
export async function replaceFile(
  what: string,
  path: string | URL,
  write: (file: Deno.FsFile) => Promise<void>,
): Promise<void> {
  try {
    await writeBeside(besideOf(path), path, write);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw explainFileError(what, error);
    throw new Deno.errors.NotCapable(
      `Cannot ${what}: a file is written beside its place and then renamed, so its folder needs ` +
        `--allow-read and --allow-write, got: ${error.message}`,
      { cause: error },
    );
  }
}
