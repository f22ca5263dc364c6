// Lifetimes: freeing what a function made, and waiting for what was started.

import { describe } from "../core/errors.ts";
import { leaves } from "../core/pytree.ts";
import { currentBackend } from "../backend/backend.ts";
import { NDArray } from "../array.ts";
import { checkUsable } from "../ir/trace.ts";
import { collectValues, noteValue, type Value } from "../ir/value.ts";

/**
 * Runs `fn` and disposes every array that it made and did not return. An async function's arrays live
 * until its promise settles.
 *
 * @example
 * ```ts
 * import { init, numpy as jnp, scope } from "@zenith/jax";
 *
 * await init();
 * const norm = scope(() => {
 *   const x = jnp.linspace(0, 1, 1000);
 *   return x.mul(x).sum(); // x and x.mul(x) are freed here
 * });
 * console.log(await norm.item());
 * ```
 */
export function scope<T>(fn: () => T): T {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot scope: a function is required, got ${describe(fn)}`);
  }
  const made = new Set<Value>();
  let result: T;
  try {
    result = collectValues(made, fn);
  } catch (error) {
    release(undefined, made);
    throw error;
  }
  if (!(result instanceof Promise)) return release(result, made);
  return result.then((value) => release(value, made), (error) => {
    release(undefined, made);
    throw error;
  }) as T;
}

/** Frees what is not in the result; the rest belongs to the scope around this one. */
function release<T>(result: T, made: ReadonlySet<Value>): T {
  const kept = new Set<unknown>(leaves(result as unknown));
  for (const value of made) {
    if (kept.has(value)) noteValue(value);
    else value.consume("the end of the scope that made it");
  }
  return result;
}

/** Resolves with the tree when all that its arrays wait for has run. */
export async function blockUntilReady<T>(tree: T): Promise<T> {
  for (const leaf of leaves(tree as unknown)) {
    if (leaf instanceof NDArray) checkUsable("blockUntilReady", leaf);
  }
  await currentBackend().wait();
  return tree;
}
