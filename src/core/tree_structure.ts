// What is left of a pytree when its leaves are taken out: kinds of nodes, keys, and what registered
// classes keep beside their children. Comparable, printable, and usable in a cache key.
import { auxKey } from "./aux_key.ts";
import { describe, isPlainObject } from "./errors.ts";

/** How a registered class is taken apart and put together again. */
export interface NodeHandlers<T, Aux> {
  /**
   * The children, which are trees themselves, and whatever else `unflatten` needs. That other data is
   * part of the structure: plain numbers, strings, arrays and objects compare by value, all else by
   * identity.
   */
  readonly flatten: (node: T) => readonly [children: readonly unknown[], auxData: Aux];
  /** An instance from that data and new children, which may be of any type while tracing. */
  readonly unflatten: (auxData: Aux, children: readonly unknown[]) => T;
  /** Names of the children in paths, `.kernel` in place of `[0]`. */
  readonly names?: readonly string[];
}

/** A class by what is needed of it; its constructor may be private or abstract. */
export interface ClassOf<T> {
  /** What instances inherit from. */
  readonly prototype: T;
  /** The name in messages and printed structures. */
  readonly name: string;
}

/** A registered class, with handlers checked. */
export interface NodeClass extends NodeHandlers<unknown, unknown> {
  /** The name of the class. */
  readonly name: string;
  /** A number that tells classes of one name apart. */
  readonly id: number;
}

const nodeClasses = new WeakMap<object, NodeClass>();
let registered = 0;

/** Nearly all leaves of a tree are of one class: remembering it spares them the slow questions. */
let recentLeafPrototype: object | null = null;

/** What an object is to a tree: a leaf, one of the two built-in nodes, or a registered class. */
export function nodeTypeOf(value: object): "leaf" | "array" | "object" | NodeClass {
  // Reflect's is several times as fast as Object.getPrototypeOf in V8.
  const prototype = Reflect.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return "object";
  if (prototype === recentLeafPrototype) return "leaf";
  const nodeClass = nodeClasses.get(prototype);
  if (nodeClass !== undefined) return nodeClass;
  if (Array.isArray(value)) return "array";
  if (isPlainObject(value)) return "object";
  recentLeafPrototype = prototype;
  return "leaf";
}

/**
 * Makes instances of a class nodes of a tree instead of leaves. Subclasses are not included: each is
 * registered for itself.
 *
 * @throws TypeError if it is not a class, was registered before, or handlers are missing.
 *
 * @example
 * ```ts
 * import { tree } from "@zenith/jax";
 *
 * class Pair {
 *   constructor(readonly left: unknown, readonly right: unknown) {}
 * }
 * tree.registerNode(Pair, {
 *   flatten: (pair) => [[pair.left, pair.right], null],
 *   unflatten: (_aux, [left, right]) => new Pair(left, right),
 * });
 * console.log(tree.leaves(new Pair(1, [2, 3]))); // [1, 2, 3]
 * ```
 */
export function registerNode<T extends object, Aux>(
  type: ClassOf<T>,
  handlers: NodeHandlers<T, Aux>,
): void {
  if (!isClass(type)) {
    throw new TypeError(`Cannot register a node: a class is required, got ${describe(type)}`);
  }
  const prototype: object = type.prototype;
  const builtIn = prototype === Object.prototype || prototype === Array.prototype;
  if (builtIn || nodeClasses.has(prototype)) {
    throw new TypeError(`Cannot register a node: class ${type.name} is a node already`);
  }
  if (typeof handlers?.flatten !== "function" || typeof handlers.unflatten !== "function") {
    throw new TypeError(
      `Cannot register a node: { flatten, unflatten } must be functions, got ${describe(handlers)}`,
    );
  }
  recentLeafPrototype = null;
  nodeClasses.set(prototype, {
    flatten: (node) => handlers.flatten(node as T),
    unflatten: (auxData, children) => handlers.unflatten(auxData as Aux, children),
    names: handlers.names,
    name: type.name,
    id: ++registered,
  });
}

function isClass(value: unknown): boolean {
  if (typeof value !== "function") return false;
  const prototype: unknown = value.prototype;
  return typeof prototype === "object" && prototype !== null;
}

/** What a position of a tree holds. */
export type NodeKind = "leaf" | "none" | "array" | "object" | "class";

const identifier = /^[A-Za-z_$][\w$]*$/;

/**
 * The structure of a tree, without its leaves. Immutable.
 */
export class TreeStructure {
  /** What this node is; `none` is null or undefined. */
  readonly kind: NodeKind;
  /** The structures of the children, those of an object in the order of its sorted keys. */
  readonly children: readonly TreeStructure[];
  /** The sorted keys of an object, empty for all else. */
  readonly keys: readonly string[];
  /** How many leaves the tree has. */
  readonly numLeaves: number;
  /** What a registered class keeps beside its children; for `none`, the null or undefined itself. */
  readonly auxData: unknown;
  /** The class of a registered node. */
  readonly nodeClass: NodeClass | undefined;
  /** The keys of an object in the order in which it had them, which recognises its likes fastest. */
  readonly insertedKeys: readonly string[];
  #key: string | undefined;

  /** Structures are made by `tree.structure` and `tree.flatten`. */
  constructor(
    kind: NodeKind,
    children: readonly TreeStructure[],
    numLeaves: number,
    detail: {
      readonly keys?: readonly string[];
      readonly insertedKeys?: readonly string[];
      readonly auxData?: unknown;
      readonly nodeClass?: NodeClass;
    } = {},
  ) {
    this.kind = kind;
    this.children = children;
    this.numLeaves = numLeaves;
    this.keys = detail.keys ?? noKeys;
    this.insertedKeys = detail.insertedKeys ?? this.keys;
    this.auxData = detail.auxData;
    this.nodeClass = detail.nodeClass;
  }

  /** The same text for equal structures and for no others; computed once. */
  get key(): string {
    return this.#key ??= writeKey(this);
  }

  /** True if both have the same nodes, keys, classes and auxiliary data. */
  equals(other: TreeStructure): boolean {
    return this === other || (this.numLeaves === other.numLeaves && this.key === other.key);
  }

  /** The structure in words, with `*` for a leaf: `{ b: *, w: [*, *] }`. */
  toString(): string {
    return print(this);
  }

  /** The path of every leaf, in order: `params.layers[0].kernel` if `root` is `params`. */
  paths(root: string = ""): string[] {
    const out: string[] = [];
    collectPaths(this, root, out);
    return out;
  }

  /** The path of the child at `index` of this node, which itself is at `path`. */
  childPath(path: string, index: number): string {
    if (this.kind === "array") return `${path}[${index}]`;
    const name = this.kind === "object" ? this.keys[index] : this.nodeClass?.names?.[index];
    return name === undefined ? `${path}[${index}]` : joinPath(path, name);
  }
}

const noKeys: readonly string[] = [];

function joinPath(path: string, name: string): string {
  if (!identifier.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

function collectPaths(node: TreeStructure, path: string, out: string[]): void {
  if (node.kind === "leaf") {
    out.push(path);
    return;
  }
  for (let i = 0; i < node.children.length; i++) {
    collectPaths(node.children[i], node.childPath(path, i), out);
  }
}

/** Every part says where it ends, names and data by their length, so that no two structures share a key. */
function writeKey(node: TreeStructure): string {
  if (node.kind === "leaf") return "*";
  if (node.kind === "none") return node.auxData === null ? "n" : "u";
  let text = "";
  if (node.kind === "object") {
    for (let i = 0; i < node.keys.length; i++) {
      text += node.keys[i].length + ":" + node.keys[i] + node.children[i].key;
    }
    return "{" + text + "}";
  }
  for (const child of node.children) text += child.key;
  if (node.nodeClass === undefined) return "[" + text + "]";
  const aux = auxKey(node.auxData);
  return `#${node.nodeClass.id}:${aux.length}:${aux}(${text})`;
}

function print(node: TreeStructure): string {
  const parts = node.children.map(print);
  switch (node.kind) {
    case "leaf":
      return "*";
    case "none":
      return String(node.auxData);
    case "array":
      return `[${parts.join(", ")}]`;
    case "object": {
      const entries = node.keys.map((name, i) =>
        `${identifier.test(name) ? name : JSON.stringify(name)}: ${parts[i]}`
      );
      return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
    }
    case "class":
      return `${node.nodeClass?.name}(${parts.join(", ")})`;
  }
}
