// The public `tree` namespace: what of the pytree functions a user needs.
export { flatten, leaves, map, registerNode, structure, unflatten } from "./pytree.ts";
export type { NodeClass, NodeKind } from "./tree_structure.ts";
export type {
  ClassOf,
  IsRecord,
  LeafOf,
  MapLeaves,
  NodeHandlers,
  TreeStructure,
} from "./pytree.ts";
