// A folder for the files of one test.

import { scope } from "../../mod.ts";

/**
 * Runs `use` with the path of an empty folder, which is removed afterwards. Arrays are freed too, so that no
 * finalizer frees them while a later test counts its own.
 */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await scope(() => use(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The names of the files in a folder. */
export function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Runs `act` on a disk that is full after this many bytes. */
export async function onFullDisk<T>(bytes: number, act: () => Promise<T>): Promise<T> {
  const { prototype } = Deno.FsFile;
  const write = prototype.write;
  let room = bytes;
  prototype.write = async function (data: Uint8Array): Promise<number> {
    if (room === 0) throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
    const written = await write.call(this, data.subarray(0, room));
    room -= written;
    return written;
  };
  try {
    return await act();
  } finally {
    prototype.write = write;
  }
}
