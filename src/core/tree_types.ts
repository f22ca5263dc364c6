// Pytrees in the type system: which types are containers, what their leaves are, and a tree of the same
// form with other leaves.

/**
 * Whether `T` is a record, as opposed to a leaf. A record is told from an instance of a class by its
 * having no method: TypeScript types say nothing about which of the two a value is.
 */
export type IsRecord<T> = T extends (...args: never[]) => unknown ? false
  : T extends object
    ? (Extract<T[keyof T], (...args: never[]) => unknown> extends never ? true : false)
  : false;

/**
 * The type of the leaves of a tree of type `T`: `LeafOf<{ w: NDArray; b?: number }>` is
 * `NDArray | number`. Types that refer to themselves stop at the eighth level: their leaves were met on
 * the levels above.
 */
export type LeafOf<T, Level extends readonly unknown[] = []> = unknown extends T ? unknown
  : Level["length"] extends 8 ? never
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
