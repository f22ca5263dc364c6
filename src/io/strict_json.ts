// JSON of files from strangers: `JSON.parse` keeps the last of keys that come twice in one object, and says
// nothing.

import { describe } from "../core/errors.ts";

/** Where the string that starts at `at` ends: the position of its closing quote. */
function endOfString(text: string, at: number): number {
  for (let i = at + 1;; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
}

/** The first key that an object has twice, in text that `JSON.parse` takes; undefined if there is none. */
function findRepeatedKey(text: string): string | undefined {
  // The keys so far of every object that is open, and undefined for every array.
  const open: (Set<string> | undefined)[] = [];
  let last: [begin: number, end: number] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '"':
        last = [i, endOfString(text, i)];
        i = last[1];
        break;
      case "{":
        open.push(new Set());
        break;
      case "[":
        open.push(undefined);
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case ":": {
        // Parsed, since one key can be spelled in several ways.
        const key: string = JSON.parse(text.slice(last[0], last[1] + 1));
        const keys = open.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
      }
    }
  }
  return undefined;
}

/**
 * The value of a JSON text in UTF-8.
 *
 * @param what The text, for messages: `Cannot load safetensors: the header`.
 * @throws TypeError for anything else, and for an object that has a key twice.
 */
export function parseJson(what: string, bytes: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${what} must be JSON in UTF-8, got something else`, { cause: error });
  }
  const repeated = findRepeatedKey(text);
  if (repeated === undefined) return value;
  throw new TypeError(`${what} must have every key once, got ${describe(repeated)} twice`);
}
