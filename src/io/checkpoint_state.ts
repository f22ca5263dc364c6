// What a checkpoint says beside its arrays: the JavaScript values among the leaves of a state, and which
// arrays have a weak type. It is kept as JSON in the file's metadata.

import { describe, isPlainObject } from "../core/errors.ts";
import type { WeakKind } from "../core/dtype.ts";

/** A leaf that is no array. It comes back as the same JavaScript value. */
export type HostValue = number | boolean | string | bigint;

/** What a checkpoint keeps in the metadata, by the names of the leaves. */
export interface HostState {
  /** Leaves that are no arrays. */
  readonly values: ReadonlyMap<string, HostValue>;
  /** Arrays whose type gives way to that of others, as results made of JavaScript numbers alone do. */
  readonly weak: ReadonlyMap<string, WeakKind>;
}

/** Whether a leaf is kept as a JavaScript value. */
export function isHostValue(leaf: unknown): leaf is HostValue {
  return ["number", "boolean", "string", "bigint"].includes(typeof leaf);
}

/** What JSON has no words for, in words: `{ "number": "NaN" }`, `{ "bigint": "7" }`. */
function encode(value: HostValue): unknown {
  if (typeof value === "bigint") return { bigint: String(value) };
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return { number: "-0" };
  return Number.isFinite(value) ? value : { number: String(value) };
}

function decode(value: unknown): HostValue | undefined {
  if (isHostValue(value)) return value;
  if (!isPlainObject(value)) return undefined;
  const { number, bigint } = value;
  if (typeof number === "string") return Number(number);
  return typeof bigint === "string" && /^-?\d+$/.test(bigint) ? BigInt(bigint) : undefined;
}

/** The text that {@linkcode readHostState} reads. */
export function writeHostState({ values, weak }: HostState): string {
  return JSON.stringify({
    values: Object.fromEntries([...values].map(([name, value]) => [name, encode(value)])),
    weak: Object.fromEntries(weak),
  });
}

function readEntries<T>(
  text: string,
  key: string,
  read: (value: unknown) => T | undefined,
): Map<string, T> {
  const part: unknown = JSON.parse(text)?.[key];
  if (!isPlainObject(part)) throw new TypeError(`${key} must be an object, got ${describe(part)}`);
  const entries = Object.entries(part).map(([name, value]): [string, T] => {
    const known = read(value);
    if (known !== undefined) return [name, known];
    throw new TypeError(`${key} of ${describe(name)} is unknown: ${describe(value)}`);
  });
  return new Map(entries);
}

/**
 * What {@linkcode writeHostState} wrote.
 *
 * @throws TypeError for any other text.
 */
export function readHostState(text: string): HostState {
  try {
    const kinds: readonly unknown[] = ["integer", "float"];
    return {
      values: readEntries(text, "values", decode),
      weak: readEntries(
        text,
        "weak",
        (kind) => kinds.includes(kind) ? kind as WeakKind : undefined,
      ),
    };
  } catch (error) {
    throw new TypeError(
      `Cannot load checkpoint: its values must be JSON that saveCheckpoint wrote, got ${
        describe(text)
      }`,
      { cause: error },
    );
  }
}
