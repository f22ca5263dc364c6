// Trees of floating arrays, leaf by leaf: what optimizers are made of. Trees are matched by structure and
// shape, and an error names the path where they differ.

import { asArray, isFloatingArray } from "../array.ts";
import { describe, showShape } from "../core/errors.ts";
import { flatten, flattenUpTo, leavesWithPath, unflatten } from "../core/pytree.ts";
import { sameShape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { zeros } from "../numpy/creation.ts";
import { astype } from "../ops/cast.ts";

/** The path of a leaf, found only when an error needs it. */
function pathOf(tree: unknown, root: string, index: number): string {
  return leavesWithPath(tree, root)[index]!.path;
}

/**
 * Applies a function to what trees have at the same place. The first tree gives the structure and the
 * shapes; the keys are the names that errors call the trees by.
 *
 * @throws {TypeError} for a leaf that is no floating array; RangeError for another structure or shape.
 */
export function mapFloats(
  what: string,
  trees: Readonly<Record<string, unknown>>,
  fn: (...leaves: Value[]) => Value,
): unknown {
  const names = Object.keys(trees);
  const [first, structure] = flatten<unknown>(trees[names[0]!]) as [
    unknown[],
    ReturnType<typeof flatten>[1],
  ];
  const columns = names.map((name, i) => {
    const leaves = i === 0 ? first : flattenUpTo(what, structure, trees[name], name);
    return leaves.map((leaf, at) => {
      const array = typeof leaf === "number" ? astype(asArray(leaf, what), "float32") : leaf;
      if (isFloatingArray(array)) return array;
      const path = pathOf(trees[names[0]!], name, at);
      throw new TypeError(
        `Cannot ${what}: ${path} must be a floating array, got ${describe(leaf)}`,
      );
    });
  });
  const results = columns[0]!.map((leaf, at) => {
    columns.forEach((column, i) => {
      const { shape } = column[at]!;
      if (sameShape(shape, leaf.shape)) return;
      const tree = trees[names[0]!];
      throw new RangeError(
        `Cannot ${what}: ${pathOf(tree, names[i]!, at)} must have the shape ${
          showShape(leaf.shape)
        } of ${pathOf(tree, names[0]!, at)}, got ${showShape(shape)}`,
      );
    });
    return fn(...columns.map((column) => column[at]!));
  });
  return unflatten(structure, results);
}

/** The tree with its leaves in float32. */
export function toFloat32(what: string, name: string, tree: unknown): unknown {
  return mapFloats(what, { [name]: tree }, (leaf) => astype(leaf, "float32"));
}

/** Zeros of a tree's shapes in float32: what moments begin with. */
export function float32Zeros(what: string, params: unknown): unknown {
  return mapFloats(what, { params }, (leaf) => zeros(leaf.aval.shape));
}
