// Casting the floating leaves of a tree. Arrays belong to a higher layer, which registers how one is
// cast; what it does not cast it returns as it came.
import type { FloatDType } from "../core/dtype.ts";
import { map } from "../core/pytree.ts";

/** Casts a floating array, and returns every other leaf untouched. */
export type LeafCast = (leaf: unknown, dtype: FloatDType) => unknown;

let castLeaf: LeafCast | undefined;

/** Called once, by the layer that defines arrays. */
export function registerCast(cast: LeafCast): void {
  castLeaf = cast;
}

/** The tree with its floating arrays in `dtype`; `undefined` leaves them as they are. */
export function castTree<T>(tree: T, dtype: FloatDType | undefined): T {
  if (dtype === undefined) return tree;
  const cast = castLeaf;
  if (cast === undefined) {
    throw new Error("Cannot cast: no array type is registered; import the library by its mod.ts");
  }
  return map((leaf: unknown) => cast(leaf, dtype), tree as unknown) as T;
}
