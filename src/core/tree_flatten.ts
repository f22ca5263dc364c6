// Taking pytrees apart and putting them together. `jit` does both at every call, so the common nodes
// (plain objects whose keys are in order, arrays) take the shortest way.
import { auxKey } from "./aux_key.ts";
import { describe } from "./errors.ts";
import { type NodeClass, nodeTypeOf, TreeStructure } from "./tree_structure.ts";

const leafNode = new TreeStructure("leaf", [], 1);
const nullNode = new TreeStructure("none", [], 0, { auxData: null });
const undefinedNode = new TreeStructure("none", [], 0);

/** No parameter tree is this deep, and the stack still has room for it. */
const deepestLevel = 1000;

/** Thrown past the deepest level, and turned into an error with a path by the entry points. */
class TooDeep extends Error {}

/** Past this many keys an insertion sort loses. */
const fewKeys = 16;

/**
 * The keys sorted as JAX sorts those of a dict, so that the structure does not depend on how the object
 * was made. (By UTF-16 units: only beyond the basic plane do Python's code points order otherwise.)
 */
function sortedKeys(keys: readonly string[]): readonly string[] {
  let sorted: string[] | undefined;
  // An insertion sort: for a handful of keys Array.sort takes three times as long.
  for (let i = 1; i < keys.length; i++) {
    if (sorted === undefined && keys[i - 1] < keys[i]) continue;
    if (i > fewKeys) return [...keys].sort();
    sorted ??= keys.slice();
    const key = keys[i];
    let at = i;
    for (; at > 0 && sorted[at - 1] > key; at--) sorted[at] = sorted[at - 1];
    sorted[at] = key;
  }
  return sorted ?? keys;
}

function takeChildren(
  children: readonly unknown[],
  leaves: unknown[],
  level: number,
): TreeStructure[] {
  if (level >= deepestLevel) throw new TooDeep();
  const parts = new Array<TreeStructure>(children.length);
  for (let i = 0; i < parts.length; i++) parts[i] = takeApart(children[i], leaves, level + 1);
  return parts;
}

function takeObject(value: object, leaves: unknown[], level: number): TreeStructure {
  if (level >= deepestLevel) throw new TooDeep();
  const record = value as Record<string, unknown>;
  const insertedKeys = Object.keys(record);
  const keys = sortedKeys(insertedKeys);
  const before = leaves.length;
  const parts = new Array<TreeStructure>(keys.length);
  for (let i = 0; i < parts.length; i++) parts[i] = takeApart(record[keys[i]], leaves, level + 1);
  return new TreeStructure("object", parts, leaves.length - before, { keys, insertedKeys });
}

/** Runs the handler of a registered class. */
function takeInstance(value: object, nodeClass: NodeClass): readonly [readonly unknown[], unknown] {
  const taken: unknown = nodeClass.flatten(value);
  if (Array.isArray(taken) && Array.isArray(taken[0])) return [taken[0], taken[1]];
  throw new TypeError(
    `Cannot flatten ${nodeClass.name}: its handler must return [children, auxData], got ${
      describe(taken)
    }`,
  );
}

/** Appends the leaves of `value` to `leaves` and returns its structure. */
function takeApart(value: unknown, leaves: unknown[], level: number): TreeStructure {
  if (typeof value !== "object") {
    if (value === undefined) return undefinedNode;
    leaves.push(value);
    return leafNode;
  }
  if (value === null) return nullNode;
  const type = nodeTypeOf(value);
  if (type === "leaf") {
    leaves.push(value);
    return leafNode;
  }
  if (type === "object") return takeObject(value, leaves, level);
  const before = leaves.length;
  if (type === "array") {
    const parts = takeChildren(value as unknown[], leaves, level);
    return new TreeStructure("array", parts, leaves.length - before);
  }
  const [children, auxData] = takeInstance(value, type);
  const parts = takeChildren(children, leaves, level);
  return new TreeStructure("class", parts, leaves.length - before, { auxData, nodeClass: type });
}

/** The error for a tree that is too deep: where it meets itself, if it does. */
function explainTooDeep(tree: unknown): RangeError {
  const ancestors: unknown[] = [];
  const descend = (value: unknown, path: string): string | undefined => {
    if (typeof value !== "object" || value === null) return undefined;
    if (ancestors.includes(value)) return `must not contain itself, got a cycle at ${path}`;
    if (ancestors.length > deepestLevel) return `must not be deeper than ${deepestLevel} levels`;
    ancestors.push(value);
    const { children, keys, nodeClass } = shallow(value);
    for (let i = 0; i < children.length; i++) {
      const name = keys === undefined ? nodeClass?.names?.[i] : keys[i];
      const found = descend(children[i], name === undefined ? `${path}[${i}]` : `${path}.${name}`);
      if (found !== undefined) return found;
    }
    ancestors.pop();
    return undefined;
  };
  const found = descend(tree, "tree") ?? `must not be deeper than ${deepestLevel} levels`;
  return new RangeError(`Cannot flatten: a tree ${found}`);
}

/** The children of one node. */
function shallow(value: object): {
  children: readonly unknown[];
  keys?: readonly string[];
  nodeClass?: NodeClass;
} {
  const type = nodeTypeOf(value);
  if (type === "leaf") return { children: [] };
  if (type === "array") return { children: value as unknown[] };
  if (type !== "object") return { children: takeInstance(value, type)[0], nodeClass: type };
  const keys = sortedKeys(Object.keys(value));
  return { children: keys.map((key) => (value as Record<string, unknown>)[key]), keys };
}

/**
 * The leaves of a tree and its structure.
 *
 * @throws RangeError for a tree that contains itself.
 */
export function flattenTree(tree: unknown): [leaves: unknown[], structure: TreeStructure] {
  const leaves: unknown[] = [];
  try {
    const structure = takeApart(tree, leaves, 0);
    return [leaves, structure];
  } catch (error) {
    throw error instanceof TooDeep ? explainTooDeep(tree) : error;
  }
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

function matchObject(node: TreeStructure, value: object, leaves: unknown[]): boolean {
  const own = Object.keys(value);
  if (!sameKeys(own, node.insertedKeys) && !sameKeys(sortedKeys(own), node.keys)) return false;
  const record = value as Record<string, unknown>;
  for (let i = 0; i < node.keys.length; i++) {
    if (!match(node.children[i], record[node.keys[i]], leaves)) return false;
  }
  return true;
}

function matchChildren(
  node: TreeStructure,
  children: readonly unknown[],
  leaves: unknown[],
): boolean {
  if (children.length !== node.children.length) return false;
  for (let i = 0; i < children.length; i++) {
    if (!match(node.children[i], children[i], leaves)) return false;
  }
  return true;
}

/** Appends the leaves of `value` if it has the structure of `node`. */
function match(node: TreeStructure, value: unknown, leaves: unknown[]): boolean {
  if (typeof value !== "object" || value === null) {
    if (node.kind === "none") return value === node.auxData;
    if (node.kind !== "leaf" || value === null || value === undefined) return false;
    leaves.push(value);
    return true;
  }
  const type = nodeTypeOf(value);
  if (type === "leaf") {
    if (node.kind !== "leaf") return false;
    leaves.push(value);
    return true;
  }
  if (type === "object") return node.kind === "object" && matchObject(node, value, leaves);
  if (type === "array") {
    return node.kind === "array" && matchChildren(node, value as unknown[], leaves);
  }
  if (node.nodeClass !== type) return false;
  const [children, aux] = takeInstance(value, type);
  const sameAux = aux === node.auxData || auxKey(aux) === auxKey(node.auxData);
  return sameAux && matchChildren(node, children, leaves);
}

/**
 * The leaves of `tree` if it has this structure, and undefined if it has another: what a call that
 * usually sees the same tree tries first, at a fraction of the cost of `flattenTree`.
 */
export function flattenLike(structure: TreeStructure, tree: unknown): unknown[] | undefined {
  const leaves: unknown[] = [];
  return match(structure, tree, leaves) ? leaves : undefined;
}

/** The tree of this node with the leaves from `start` on. */
function putTogether(node: TreeStructure, leaves: readonly unknown[], start: number): unknown {
  const { children, keys, kind } = node;
  let next = start;
  switch (kind) {
    case "leaf":
      return leaves[start];
    case "none":
      return node.auxData;
    case "object": {
      const out: Record<string, unknown> = {};
      for (let i = 0; i < children.length; i++) {
        const value = putTogether(children[i], leaves, next);
        next += children[i].numLeaves;
        if (keys[i] === "__proto__") defineProto(out, value);
        else out[keys[i]] = value;
      }
      return out;
    }
    default: {
      const parts = new Array<unknown>(children.length);
      for (let i = 0; i < parts.length; i++) {
        parts[i] = putTogether(children[i], leaves, next);
        next += children[i].numLeaves;
      }
      return node.nodeClass === undefined ? parts : node.nodeClass.unflatten(node.auxData, parts);
    }
  }
}

/** Assigning `__proto__` would change what the object inherits from instead of adding a key. */
function defineProto(out: object, value: unknown): void {
  const descriptor = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(out, "__proto__", descriptor);
}

/**
 * The tree of this structure with these leaves; objects have their keys in order.
 *
 * @throws RangeError if the number of leaves differs from the structure's.
 */
export function unflattenTree(structure: TreeStructure, leaves: readonly unknown[]): unknown {
  if (leaves.length !== structure.numLeaves) {
    throw new RangeError(
      `Cannot unflatten: the structure requires ${structure.numLeaves} leaves, got ${leaves.length}`,
    );
  }
  return putTogether(structure, leaves, 0);
}
