// Values: handles on arrays, stored on a backend or standing for a variable of a graph being traced.

import { AsyncLocalStorage } from "node:async_hooks";
import type { Aval, Variable } from "./aval.ts";

/** Bytes on a backend, shared by any number of handles and counted by them. */
export interface Storage {
  /** The backend instance that holds the bytes: arrays of another one cannot be mixed in. */
  readonly backend: object;
  /** How many bytes. */
  readonly bytes: number;
  /** Counts one more handle. */
  retain(): void;
  /** Counts one handle less; the last one frees the bytes. */
  release(): void;
}

/** What a value stands for. */
export type Content =
  | { readonly kind: "stored"; readonly storage: Storage }
  | { readonly kind: "traced"; readonly trace: object; readonly variable: Variable }
  | { readonly kind: "consumed"; readonly by: string };

/** A handle on one array. The public class NDArray extends it with methods. */
export class Value {
  /** Its shape and dtype. */
  readonly aval: Aval;
  #content: Content;

  /** Takes over one reference of a stored value's storage. */
  constructor(aval: Aval, content: Content) {
    this.aval = aval;
    this.#content = content;
  }

  /** What the value stands for now. */
  get content(): Content {
    return this.#content;
  }

  /** Gives the storage up; later uses say which call consumed it. Traced and consumed values are left as they are. */
  consume(by: string): void {
    if (this.#content.kind !== "stored") return;
    const { storage } = this.#content;
    this.#content = { kind: "consumed", by };
    storage.release();
  }
}

let construct = (aval: Aval, content: Content): Value => new Value(aval, content);

/** Lets the array layer have every value made as its own class, which carries the methods users call. */
export function registerValueClass(make: (aval: Aval, content: Content) => Value): void {
  construct = make;
}

/** Makes a value of the registered class. */
export function makeValue(aval: Aval, content: Content): Value {
  return noteValue(construct(aval, content));
}

const collection = new AsyncLocalStorage<Set<Value>>();
let collecting = false;

/** Enters a stored value in the collections that are open here, if any. */
export function noteValue<T extends Value>(value: T): T {
  if (value.content.kind !== "stored") return value;
  if (collecting) collection.getStore()?.add(value);
  temporaries?.push(value);
  return value;
}

/** Runs `fn` so that every stored value made meanwhile, across its `await`s too, is added to `made`. */
export function collectValues<T>(made: Set<Value>, fn: () => T): T {
  collecting = true;
  return collection.run(made, fn);
}

/**
 * As {@linkcode collectValues}, for values that are to outlive whatever is going on around `fn`: no other open
 * collection hears of them.
 */
export function collectApart<T>(made: Set<Value>, fn: () => T): T {
  const outer = temporaries;
  temporaries = undefined;
  try {
    return collectValues(made, fn);
  } finally {
    temporaries = outer;
  }
}

let temporaries: Value[] | undefined;

/**
 * Runs a function of the library that is made of several operations, and frees what it made on the way: a
 * loop without `await` would pile up what only finalizers free.
 */
export function freeTemporaries<T extends Value | readonly Value[]>(fn: () => T): T {
  const outer = temporaries;
  const made: Value[] = temporaries = [];
  const kept = new Set<Value>();
  try {
    const result = fn();
    for (const value of Array.isArray(result) ? result : [result]) kept.add(value);
    return result;
  } finally {
    temporaries = outer;
    for (const value of made) {
      if (kept.has(value)) outer?.push(value);
      else value.consume("the function that made it");
    }
  }
}
