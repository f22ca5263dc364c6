// The names that the leaves of a tree have in a file: keys and indices from the root, joined by dots.

import type { TreeStructure } from "../core/pytree.ts";
import { metadataKey } from "./safetensors_layout.ts";

function childKey(node: TreeStructure, index: number): string {
  const name = node.kind === "object" ? node.keys[index] : node.nodeClass?.names?.[index];
  return name ?? String(index);
}

/** The keys on the way to every leaf, in order. */
function leafKeys(node: TreeStructure): string[][] {
  if (node.kind === "leaf") return [[]];
  return node.children.flatMap((child, i) =>
    leafKeys(child).map((keys) => [childKey(node, i), ...keys])
  );
}

/** `layers.0.kernel` for every leaf: the names that other engines use, which need not differ. */
export function dottedNames(structure: TreeStructure): string[] {
  return leafKeys(structure).map((keys) => keys.join("."));
}

/**
 * The same names, made so that no two leaves share one: a dot in a key is written `\.` and a backslash
 * `\\`. A name that would be the metadata's starts with a backslash too, as no other name does.
 */
export function distinctNames(structure: TreeStructure): string[] {
  return leafKeys(structure).map((keys) => {
    const name = keys.map((key) => key.replace(/[\\.]/g, "\\$&")).join(".");
    return name === metadataKey ? `\\${name}` : name;
  });
}
