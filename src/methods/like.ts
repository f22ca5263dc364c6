// What the functions of arrays take in place of one, in terms that do not name the class of arrays.

import type { DataArray } from "../core/element_data.ts";

/** Nested arrays of numbers or booleans, as deep as the array has axes. */
export type NestedArray = readonly (number | boolean | NestedArray)[];

/** An array of class `T`, or anything that functions take in place of one. */
export type Like<T> = T | number | boolean | NestedArray | DataArray;
