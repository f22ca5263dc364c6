// Arguments of transformed functions: which of them a transform acts on, and their leaves with paths.

import { isFloating } from "../core/dtype.ts";
import { checkOptions, describe } from "../core/errors.ts";
import { flatten, leavesWithPath, type TreeStructure, unflatten } from "../core/pytree.ts";
import { asArray, asNDArray, NDArray } from "../array.ts";
import { astype } from "../ops/cast.ts";

/** A tree taken apart into arrays. */
export interface FlatTree {
  readonly leaves: readonly NDArray[];
  readonly structure: TreeStructure;
}

/** Takes a tree of arrays and numbers apart; an error names the path of anything else. */
export function flattenArrays(tree: unknown, what: string, root: string): FlatTree {
  const [leaves, structure] = flatten<unknown>(tree) as [unknown[], TreeStructure];
  const arrays = leaves.map((leaf, i) => {
    if (leaf instanceof NDArray) return leaf;
    if (typeof leaf === "number" || typeof leaf === "boolean") return asArray(leaf, what);
    const { path } = leavesWithPath(tree, root)[i]!;
    throw new TypeError(
      `Cannot ${what}: ${path} must be an array or a number, got ${describe(leaf)}`,
    );
  });
  return { leaves: arrays, structure };
}

/**
 * A tree whose every leaf can have a derivative. JS numbers become strong float32.
 * @throws {TypeError} for an integer or boolean leaf, naming its path.
 */
export function flattenDifferentiable(tree: unknown, what: string, root: string): FlatTree {
  const { leaves, structure } = flattenArrays(tree, what, root);
  const floating = leaves.map((leaf, i) => {
    if (leaf.aval.weak) return asNDArray(astype(leaf, "float32"));
    if (isFloating(leaf.dtype)) return leaf;
    const { path } = leavesWithPath(tree, root)[i]!;
    throw new TypeError(
      `Cannot ${what}: inputs must be floating to have a derivative, got ${leaf.dtype} at ${path}; convert it with astype("float32"), or choose other arguments with argnums`,
    );
  });
  return { leaves: floating, structure };
}

/** Puts a flat tree together with other leaves. */
export function rebuild(tree: FlatTree, leaves: readonly unknown[]): unknown {
  return unflatten(tree.structure, leaves);
}

/** Options of transforms that differentiate. */
export interface GradOptions {
  /** Which arguments to differentiate; a number gives one gradient, an array a tuple of them. Default 0. */
  readonly argnums?: number | readonly number[];
  /** Whether the function returns `[value, aux]`, of which only the value is differentiated. */
  readonly hasAux?: boolean;
}

/** Checks `argnums` and `hasAux`. */
export function checkGradOptions(what: string, options: GradOptions): void {
  checkOptions(what, options, ["argnums", "hasAux"]);
  const list = typeof options.argnums === "number" ? [options.argnums] : options.argnums ?? [0];
  const valid = Array.isArray(list) && list.length > 0 &&
    list.every((n) => Number.isInteger(n) && n >= 0);
  if (!valid || new Set(list).size !== list.length) {
    throw new RangeError(
      `Cannot ${what}: argnums must be one or more different positions counted from 0, got ${
        describe(options.argnums)
      }`,
    );
  }
  if (options.hasAux !== undefined && typeof options.hasAux !== "boolean") {
    throw new TypeError(
      `Cannot ${what}: hasAux must be a boolean, got ${describe(options.hasAux)}`,
    );
  }
}
