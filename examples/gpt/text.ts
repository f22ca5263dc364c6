// Text as tokens: its bytes in UTF-8, so that any text can be learnt and none needs a table of its own.

import { crc32 } from "node:zlib";

/** How many tokens there are. */
export const VOCABULARY = 256;
/** Of so many parts of a text the last is not trained with. */
const PARTS = 10;

const SOURCE = new URL("../../src/", import.meta.url);

/** A text to learn. */
export interface Text {
  readonly name: string;
  /** What tells it from other texts. */
  readonly checksum: number;
  /** The bytes to train with. */
  readonly train: Uint8Array;
  /** The bytes to test with, from the end of the text. */
  readonly test: Uint8Array;
}

/** The text of a file, or by default this library's own source. */
export async function loadText(file: string | undefined): Promise<Text> {
  const bytes = file === undefined ? await ownSource() : await Deno.readFile(file);
  const cut = bytes.length - Math.floor(bytes.length / PARTS);
  return {
    name: file ?? "this library's source",
    checksum: crc32(bytes),
    train: bytes.subarray(0, cut),
    test: bytes.subarray(cut),
  };
}

async function ownSource(): Promise<Uint8Array> {
  const files = (await filesUnder(SOURCE)).sort();
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(new URL(file))));
  return new TextEncoder().encode(texts.join("\n"));
}

/** The addresses of all TypeScript files in a folder and those in it. */
async function filesUnder(folder: URL): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...await filesUnder(new URL(`${name}/`, folder)));
    else if (name.endsWith(".ts")) files.push(new URL(name, folder).href);
  }
  return files;
}
