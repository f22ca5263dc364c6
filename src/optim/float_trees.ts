// Trees of floating arrays, leaf by leaf: what optimizers are made of. Trees are matched by structure and
// shape, and an error names the path where they differ.

import { asNDArray, isFloatingArray, type NDArray } from "../array.ts";
import { describe, showShape } from "../core/errors.ts";
import { flattenUpTo, structure as structureOf, unflatten } from "../core/pytree.ts";
import { sameShape } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import { zeros } from "../numpy/creation.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";

/** What trees are called in errors. */
type NamedTrees = Readonly<Record<string, unknown>>;

/** A leaf that must be a floating array, or a number, which counts as float32. */
function floatLeaf(what: string, leaf: unknown, path: () => string): NDArray {
  if (isFloatingArray(leaf)) return leaf;
  if (typeof leaf === "number") return asNDArray(constant(leaf, "float32"));
  throw new TypeError(`Cannot ${what}: ${path()} must be a floating array, got ${describe(leaf)}`);
}

/**
 * Applies a function to what trees have at the same place. The first tree gives the structure and the
 * shapes; the keys are the names that errors call the trees by.
 *
 * @throws {TypeError} for a leaf that is no floating array; RangeError for another structure or shape.
 */
export function mapFloats(
  what: string,
  trees: NamedTrees,
  fn: (...leaves: Value[]) => Value,
): unknown {
  const names = Object.keys(trees);
  const [first] = names as [string];
  const structure = structureOf(trees[first]);
  const pathIn = (name: string, at: number) => structure.paths(name)[at]!;
  const columns = names.map((name) =>
    flattenUpTo(what, structure, trees[name], name)
      .map((leaf, at) => floatLeaf(what, leaf, () => pathIn(name, at)))
  );
  const results = columns[0]!.map(({ shape }, at) => {
    const leaves = columns.map((column) => column[at]!);
    const other = leaves.findIndex((leaf) => !sameShape(leaf.shape, shape));
    if (other < 0) return fn(...leaves);
    throw new RangeError(
      `Cannot ${what}: ${pathIn(names[other]!, at)} must have the shape ${showShape(shape)} of ${
        pathIn(first, at)
      }, got ${showShape(leaves[other]!.shape)}`,
    );
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
