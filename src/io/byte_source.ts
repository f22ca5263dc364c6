// Where the bytes of a file come from: memory, a file read by ranges, or a stream read to its end.

import { describe } from "../core/errors.ts";

/** Bytes that are read by ranges. */
export interface ByteSource extends Disposable {
  /** How many there are. */
  readonly size: number;
  /** Those from `begin` to before `end`, which are not beyond the size. */
  read(begin: number, end: number): Promise<Uint8Array>;
}

/** What a file may be read from: a path, a `file:` URL, its bytes, a stream of them, or an HTTP response. */
export type FileSource = string | URL | Uint8Array | ReadableStream<Uint8Array> | Response;

/** Bytes that are in memory already. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    read: (begin, end) => Promise.resolve(bytes.subarray(begin, end)),
    [Symbol.dispose]: () => {},
  };
}

class OpenFile implements ByteSource {
  readonly size: number;
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  async read(begin: number, end: number): Promise<Uint8Array> {
    await this.#file.seek(begin, Deno.SeekMode.Start);
    const bytes = new Uint8Array(end - begin);
    for (let done = 0; done < bytes.length;) {
      const count = await this.#file.read(bytes.subarray(done));
      if (count === null) {
        throw new RangeError(
          `Cannot read a file: it had ${this.size} bytes when it was opened, got ${begin + done}`,
        );
      }
      done += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

async function openFile(path: string | URL): Promise<ByteSource> {
  const file = await Deno.open(path);
  try {
    const { isFile, size } = await file.stat();
    if (isFile) return new OpenFile(file, size);
    // A pipe has no size and no ranges.
    return memorySource(await new Response(file.readable).bytes());
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Opens what a file may be read from.
 *
 * @throws TypeError for anything else, and for a response that reports a failure.
 */
export async function openSource(what: string, source: FileSource): Promise<ByteSource> {
  if (source instanceof Uint8Array) return memorySource(source);
  if (source instanceof ReadableStream) return memorySource(await new Response(source).bytes());
  if (source instanceof Response) {
    if (source.ok) return memorySource(await source.bytes());
    await source.body?.cancel();
    throw new TypeError(
      `Cannot ${what}: a response that is ok is required, got status ${source.status}`,
    );
  }
  if (typeof source === "string" || (source instanceof URL && source.protocol === "file:")) {
    return await openFile(source);
  }
  const got = source instanceof URL ? `${source.href}; pass await fetch(url)` : describe(source);
  throw new TypeError(
    `Cannot ${what}: a path, a file: URL, bytes (Uint8Array), a stream or a response are required, ` +
      `got ${got}`,
  );
}
