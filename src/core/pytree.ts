// Pytrees as in JAX: nested plain objects, arrays and registered classes, null and undefined as empty
// nodes, and everything else a leaf. The functions of the `tree` namespace, and those that know paths.
import { auxKey } from "./aux_key.ts";
import { describe } from "./errors.ts";
import { flattenTree, unflattenTree } from "./tree_flatten.ts";
import { nodeTypeOf, TreeStructure } from "./tree_structure.ts";
import type { LeafOf, MapLeaves } from "./tree_types.ts";

export { flattenLike } from "./tree_flatten.ts";
export { type ClassOf, type NodeHandlers, registerNode, TreeStructure } from "./tree_structure.ts";
export type { IsRecord, LeafOf, MapLeaves } from "./tree_types.ts";

/**
 * Takes a tree apart: its leaves, in the order of sorted keys, and its structure.
 *
 * @throws RangeError for a tree that contains itself.
 *
 * @example
 * ```ts
 * import { tree } from "@zenith/jax";
 *
 * const [leaves, structure] = tree.flatten({ w: 1, b: [2, null] });
 * console.log(leaves, String(structure)); // [2, 1] "{ b: [*, null], w: * }"
 * ```
 */
export function flatten<T>(tree: T): [leaves: LeafOf<T>[], structure: TreeStructure] {
  return flattenTree(tree) as [LeafOf<T>[], TreeStructure];
}

/**
 * Puts a tree together from a structure and as many leaves as it has.
 *
 * @throws TypeError for what is not a structure, RangeError for another number of leaves.
 *
 * @example
 * ```ts
 * import { tree } from "@zenith/jax";
 *
 * console.log(tree.unflatten(tree.structure({ w: 0, b: 0 }), [1, 2])); // { b: 1, w: 2 }
 * ```
 */
export function unflatten<T = unknown>(structure: TreeStructure, leaves: readonly unknown[]): T {
  if (!(structure instanceof TreeStructure)) {
    throw new TypeError(
      `Cannot unflatten: a tree structure is required, got ${describe(structure)}`,
    );
  }
  if (!Array.isArray(leaves)) {
    throw new TypeError(`Cannot unflatten: leaves must be an array, got ${describe(leaves)}`);
  }
  return unflattenTree(structure, leaves) as T;
}

/**
 * The leaves of a tree, in the order of sorted keys.
 *
 * @throws RangeError for a tree that contains itself.
 *
 * @example
 * ```ts
 * import { tree } from "@zenith/jax";
 *
 * console.log(tree.leaves({ w: 1, b: [2, null, 3] })); // [2, 3, 1]
 * ```
 */
export function leaves<T>(tree: T): LeafOf<T>[] {
  return flattenTree(tree)[0] as LeafOf<T>[];
}

/**
 * The structure of a tree, without its leaves.
 *
 * @throws RangeError for a tree that contains itself.
 *
 * @example
 * ```ts
 * import { tree } from "@zenith/jax";
 *
 * console.log(tree.structure({ a: 1, b: 2 }).equals(tree.structure({ b: 3, a: 4 }))); // true
 * ```
 */
export function structure(tree: unknown): TreeStructure {
  return flattenTree(tree)[1];
}

/**
 * Applies `fn` to every leaf and returns a tree of the same structure. With more trees, `fn` also gets
 * what they have at the same place, which may be a whole subtree where the first tree has a leaf.
 *
 * @throws TypeError if `fn` is not a function; RangeError that names the path where the structure of
 * another tree departs from the first one's.
 *
 * @example
 * ```ts
 * import { tree } from "@zenith/jax";
 *
 * const params = { w: 1, b: [2, 3] };
 * const grads = { w: 10, b: [20, 30] };
 * console.log(tree.map((p, g) => p + g, params, grads)); // { b: [22, 33], w: 11 }
 * ```
 */
export function map<T, R>(
  fn: (leaf: LeafOf<T>, ...others: LeafOf<T>[]) => R,
  tree: T,
  ...rest: readonly unknown[]
): MapLeaves<T, R>;
/** The same for a tree whose type says nothing of its leaves: `fn` says what they are. */
export function map<L, R>(
  fn: (leaf: L, ...others: L[]) => R,
  tree: unknown,
  ...rest: readonly unknown[]
): unknown;
export function map(
  fn: (leaf: unknown, ...others: unknown[]) => unknown,
  tree: unknown,
  ...rest: readonly unknown[]
): unknown {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot map: a function is required first, got ${describe(fn)}`);
  }
  const [first, structure] = flattenTree(tree);
  const others = rest.map((other) => flattenUpTo("map", structure, other));
  const results = first.map((leaf, i) => fn(leaf, ...others.map((column) => column[i])));
  return unflattenTree(structure, results);
}

/** A leaf and where it is in its tree. */
export interface PathLeaf {
  /** Keys and indices from the root, as in `params.layers[0].kernel`; the root's name for a lone leaf. */
  readonly path: string;
  /** The leaf. */
  readonly leaf: unknown;
}

/** The leaves of a tree with their paths, which start with `root`, and its structure. */
export function flattenWithPath(
  tree: unknown,
  root: string = "",
): [leaves: PathLeaf[], structure: TreeStructure] {
  const [leaves, structure] = flattenTree(tree);
  const paths = structure.paths(root);
  return [leaves.map((leaf, i) => ({ path: paths[i], leaf })), structure];
}

/** The leaves of a tree with their paths, which start with `root`. */
export function leavesWithPath(tree: unknown, root: string = ""): PathLeaf[] {
  return flattenWithPath(tree, root)[0];
}

/**
 * What `tree` has where `structure` has its leaves: leaves, or whole subtrees. As JAX's
 * `flatten_up_to`, this is how a tree is matched with one that it extends.
 *
 * @throws RangeError that names the path, from `root`, where the two differ.
 */
export function flattenUpTo(
  what: string,
  structure: TreeStructure,
  tree: unknown,
  root: string = "tree",
): unknown[] {
  const out: unknown[] = [];
  const visit = (node: TreeStructure, value: unknown, path: string): void => {
    if (node.kind === "leaf") {
      out.push(value);
      return;
    }
    const children = childrenLike(node, value);
    if (typeof children === "string") {
      throw new RangeError(
        `Cannot ${what}: trees must have the same structure, ${children} at ${path}`,
      );
    }
    for (let i = 0; i < children.length; i++) {
      visit(node.children[i], children[i], node.childPath(path, i));
    }
  };
  visit(structure, tree, root);
  return out;
}

function nodeInWords(node: TreeStructure): string {
  if (node.kind === "class") return String(node.nodeClass?.name);
  if (node.kind === "array") return `an array of ${node.children.length}`;
  return node.kind === "object" ? "an object" : String(node.auxData);
}

/** The children of `value` if it is such a node as `node`, and otherwise what differs. */
function childrenLike(node: TreeStructure, value: unknown): readonly unknown[] | string {
  const different = `got ${nodeInWords(node)} and ${describe(value)}`;
  if (node.kind === "none") return value === null || value === undefined ? [] : different;
  if (typeof value !== "object" || value === null) return different;
  const type = nodeTypeOf(value);
  if (typeof type === "string") {
    if (type !== node.kind) return different;
    if (type === "object") return objectChildren(node, value as Record<string, unknown>);
    const items = value as unknown[];
    return items.length === node.children.length ? items : different;
  }
  if (type !== node.nodeClass) return different;
  const [children, auxData] = type.flatten(value);
  if (children.length !== node.children.length) return different;
  const same = auxKey(auxData) === auxKey(node.auxData);
  return same ? children : `got two ${type.name} with different auxiliary data`;
}

function objectChildren(
  node: TreeStructure,
  value: Record<string, unknown>,
): readonly unknown[] | string {
  const missing = node.keys.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `key ${JSON.stringify(missing)} is missing from one of them`;
  const extra = Object.keys(value).find((key) => !node.keys.includes(key));
  if (extra !== undefined) return `key ${JSON.stringify(extra)} is in only one of them`;
  return node.keys.map((key) => value[key]);
}
