// What a training step does about gradients that are not finite: it finds them, and keeps the old state.

import { type ArrayLike, asArray, isFloatingArray, NDArray, operand } from "../array.ts";
import { describe, showShape } from "../core/errors.ts";
import { flattenUpTo, flattenWithPath, leaves, unflatten } from "../core/pytree.ts";
import { sameShape } from "../core/shape.ts";
import { lifted, liftedList } from "../numpy/lift.ts";
import { constant } from "../ops/constant.ts";
import { logicalAnd } from "../ops/logic.ts";
import { allOperation, reduce } from "../ops/reduction.ts";
import { isfinite, where } from "../ops/selection.ts";

/**
 * Whether every element of every floating array of a tree is neither infinite nor NaN: a bool scalar on the
 * device, tested by bits. All other leaves count as finite, and so does a tree without leaves.
 *
 * @example
 * ```ts
 * import { allFinite, init, numpy as jnp } from "@zenith/jax";
 *
 * await init();
 * console.log(await allFinite({ w: jnp.ones([3]), b: [jnp.array([1, NaN])] }).item()); // false
 * ```
 */
export function allFinite(tree: unknown): NDArray {
  return lifted("allFinite", () => {
    const tests = (leaves(tree) as unknown[]).filter(isFloatingArray).map((leaf) =>
      reduce(allOperation, isfinite(leaf), leaf.shape.map((_, axis) => axis))
    );
    return tests.length === 0
      ? constant(1, "bool")
      : tests.reduce((all, test) => logicalAnd(all, test));
  });
}

/**
 * One of two trees of the same structure, chosen on the device by a bool scalar. The elements of the other tree
 * leave no trace, NaN or not, and no gradient reaches them.
 *
 * @throws {RangeError} if the structures or the shapes of two leaves differ, or the predicate is no scalar;
 * TypeError if it is not bool, the dtypes of two leaves differ, or a leaf is no array. All name the path.
 *
 * @example
 * ```ts
 * import { allFinite, init, numpy as jnp, selectTree } from "@zenith/jax";
 *
 * await init();
 * const old = { w: jnp.array([1, 2]) };
 * const updated = { w: jnp.array([NaN, 3]) };
 * console.log(await selectTree(allFinite(updated), updated, old).w.toList()); // [1, 2]
 * ```
 */
export function selectTree<T>(predicate: ArrayLike, whenTrue: T, whenFalse: T): T {
  checkPredicate(predicate);
  const [first, structure] = flattenWithPath(whenTrue, "whenTrue");
  const second = flattenUpTo("selectTree", structure, whenFalse, "whenFalse");
  const chosen = liftedList("selectTree", () => {
    const condition = operand(predicate, "selectTree");
    return first.map(({ path, leaf }, i) => {
      const [x, y] = alike(path, leaf, second[i]);
      return where(condition, x, y);
    });
  });
  return unflatten(structure, chosen);
}

function checkPredicate(predicate: ArrayLike): void {
  if (typeof predicate === "boolean") return;
  if (!(predicate instanceof NDArray) || predicate.dtype !== "bool") {
    throw new TypeError(
      `Cannot selectTree: the predicate must be a bool scalar, got ${describe(predicate)}`,
    );
  }
  if (predicate.ndim > 0) {
    throw new RangeError(
      `Cannot selectTree: the predicate must be a scalar, got shape ${showShape(predicate.shape)}`,
    );
  }
}

/** Two leaves as arrays of one shape and dtype, so that the choice changes neither. */
function alike(path: string, ...pair: readonly unknown[]): [NDArray, NDArray] {
  const [x, y] = pair.map((leaf) => {
    if (leaf instanceof NDArray) return leaf;
    if (typeof leaf === "number" || typeof leaf === "boolean") return asArray(leaf, "selectTree");
    throw new TypeError(
      `Cannot selectTree: leaves must be arrays or numbers, got ${describe(leaf)} at ${path}`,
    );
  });
  if (!sameShape(x!.shape, y!.shape)) {
    throw new RangeError(
      `Cannot selectTree: leaves must have the same shape, got ${showShape(x!.shape)} and ${
        showShape(y!.shape)
      } at ${path}`,
    );
  }
  if (x!.dtype !== y!.dtype) {
    throw new TypeError(
      `Cannot selectTree: leaves must have the same dtype, got ${x!.dtype} and ${
        y!.dtype
      } at ${path}`,
    );
  }
  return [x!, y!];
}
