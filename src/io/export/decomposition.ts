// What a decomposition is: an operation in terms of others.

import type { Params } from "../../ir/operation.ts";
import type { Value } from "../../ir/value.ts";

/**
 * An operation in terms of others. Half floats arrive in float32, and the result is rounded to the
 * operation's own dtype: nothing is rounded between.
 */
// deno-lint-ignore no-explicit-any -- every operation has parameters of its own.
export type Decomposition<P extends Params = any> = (inputs: readonly Value[], params: P) => Value;

/** Decompositions by the operation's name. */
export type Decompositions = Readonly<Record<string, Decomposition>>;
