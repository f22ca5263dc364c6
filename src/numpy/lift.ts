// How functions of values become functions of whatever stands for an array: operands are converted, what is
// made on the way is freed, and the result is a handle of its own.

import { type ArrayLike, type NDArray, operand, ownHandle } from "../array.ts";
import { flatten, leaves, type TreeStructure, unflatten } from "../core/pytree.ts";
import { isTracing } from "../ir/trace.ts";
import { freeTemporaries, type Value } from "../ir/value.ts";
import type { Operand } from "../ops/operand.ts";

/** Runs the body of a public function; `given` are the arguments that the result may merely repeat. */
export function lifted(what: string, body: () => Value, ...given: readonly unknown[]): NDArray {
  const run = () => ownHandle(what, body(), ...given);
  // A trace captures what is made on the way: the graph needs it as long as it lives.
  return isTracing() ? run() : freeTemporaries(run);
}

/** As {@linkcode lifted}, for functions with several results. */
export function liftedList(
  what: string,
  body: () => readonly Value[],
  ...given: readonly unknown[]
): NDArray[] {
  const run = () => body().map((value) => ownHandle(what, value, ...given));
  return isTracing() ? run() : freeTemporaries(run);
}

/**
 * As {@linkcode lifted}, for functions of trees: no leaf of the result shares its handle with one of the
 * arguments, so that a state can be given up once the next one is there.
 */
export function liftedTree<T>(what: string, body: () => T, ...given: readonly unknown[]): T {
  if (isTracing()) return body();
  const repeated = new Set<unknown>(leaves(given));
  let structure: TreeStructure | undefined;
  const handles = freeTemporaries(() => {
    const [values, shape] = flatten(body()) as [Value[], TreeStructure];
    structure = shape;
    return values.map((value) => repeated.has(value) ? ownHandle(what, value, value) : value);
  });
  return unflatten(structure!, handles);
}

/** A public function of one array. */
export function lift1(what: string, fn: (x: Operand) => Value): (x: ArrayLike) => NDArray {
  return (x) => lifted(what, () => fn(operand(x, what)), x);
}

/** A public function of two arrays that broadcast. */
export function lift2(
  what: string,
  fn: (x: Operand, y: Operand) => Value,
): (x: ArrayLike, y: ArrayLike) => NDArray {
  return (x, y) => lifted(what, () => fn(operand(x, what), operand(y, what)), x, y);
}
