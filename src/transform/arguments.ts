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
  /** The leaves that were made here, of numbers: nobody else has a handle on them. */
  readonly made: readonly NDArray[];
}

/** Takes a tree of arrays and numbers apart; an error names the path of anything else. */
export function flattenArrays(tree: unknown, what: string, root: string): FlatTree {
  const [leaves, structure] = flatten<unknown>(tree) as [unknown[], TreeStructure];
  const made: NDArray[] = [];
  const arrays = leaves.map((leaf, i) => {
    if (leaf instanceof NDArray) return leaf;
    if (typeof leaf === "number" || typeof leaf === "boolean") {
      made.push(asArray(leaf, what));
      return made[made.length - 1]!;
    }
    const { path } = leavesWithPath(tree, root)[i]!;
    throw new TypeError(
      `Cannot ${what}: ${path} must be an array or a number, got ${describe(leaf)}`,
    );
  });
  return { leaves: arrays, structure, made };
}

/**
 * A tree whose every leaf can have a derivative. JS numbers become strong float32.
 * @throws {TypeError} for an integer or boolean leaf, naming its path.
 */
export function flattenDifferentiable(tree: unknown, what: string, root: string): FlatTree {
  const { leaves, structure, made } = flattenArrays(tree, what, root);
  const strong: NDArray[] = [];
  const floating = leaves.map((leaf, i) => {
    if (isFloating(leaf.dtype) && !leaf.aval.weak) return leaf;
    if (leaf.aval.weak) {
      strong.push(asNDArray(astype(leaf, "float32")));
      return strong[strong.length - 1]!;
    }
    const { path } = leavesWithPath(tree, root)[i]!;
    throw new TypeError(
      `Cannot ${what}: inputs must be floating to have a derivative, got ${leaf.dtype} at ${path}; convert it with astype("float32"), or choose other arguments with argnums`,
    );
  });
  return { leaves: floating, structure, made: [...made, ...strong] };
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

/** Checks `argnums` and `hasAux`, or those of them that a transform knows. */
export function checkGradOptions(
  what: string,
  options: GradOptions,
  known: readonly string[] = ["argnums", "hasAux"],
): void {
  checkOptions(what, options, known);
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

/** Takes all arguments apart; those that are chosen must be floating. */
export function chosenArguments(
  what: string,
  args: readonly unknown[],
  chosen: readonly number[],
): FlatTree[] {
  const missing = chosen.find((n) => n >= args.length);
  if (missing !== undefined) {
    throw new RangeError(
      `Cannot ${what}: argnums names argument ${missing}, but the call has ${args.length}`,
    );
  }
  return args.map((arg, i) =>
    chosen.includes(i)
      ? flattenDifferentiable(arg, what, `argument ${i}`)
      : flattenArrays(arg, what, `argument ${i}`)
  );
}
