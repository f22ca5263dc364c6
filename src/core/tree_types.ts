// Pytrees in the type system: which types are containers, what their leaves are, and a tree of the same
// form with other leaves.

type AnyFunction = (...args: never[]) => unknown;

/**
 * A record is told from an instance of a class by its having no method: TypeScript types say nothing
 * about which of the two a value is.
 */
type IsRecord<T> = T extends AnyFunction ? false
  : T extends object ? (Extract<T[keyof T], AnyFunction> extends never ? true : false)
  : false;

/** Types that refer to themselves stop here; their leaves were met on the levels above. */
type DeepestLevel = 8;

/**
 * The type of the leaves of a tree of type `T`: `LeafOf<{ w: NDArray; b?: number }>` is
 * `NDArray | number`.
 */
export type LeafOf<T, Level extends readonly unknown[] = []> = unknown extends T ? unknown
  : Level["length"] extends DeepestLevel ? never
  : T extends null | undefined ? never
  : T extends readonly unknown[] ? LeafOf<T[number], [...Level, 0]>
  : IsRecord<T> extends true ? LeafOf<T[keyof T], [...Level, 0]>
  : T;

/**
 * The type of a tree of the form of `T` whose leaves are of type `R`; arrays, tuples, records, optional
 * keys and null stay what they are.
 */
export type MapLeaves<T, R> = unknown extends T ? unknown
  : T extends null | undefined ? T
  : T extends readonly unknown[] ? { [K in keyof T]: MapLeaves<T[K], R> }
  : IsRecord<T> extends true ? { [K in keyof T]: MapLeaves<T[K], R> }
  : R;
