// What a kernel over rows computes: statistics of a row, found in one or more passes over it, and the
// result of each element given these.

import type { Parameter } from "../kernel.ts";
import type { Collectives } from "../reduce/team.ts";
import type { StorageFormat } from "../storage.ts";

/**
 * Writes an expression that counts only for elements inside the row: elsewhere it is the identity, vec4f()
 * unless another is given. What lies past the end may be NaN.
 */
export type Keep = (expression: string, identity?: string) => string;

/** One pass of a team over a row. */
export interface RowPass {
  /** Declares what a member accumulates in. */
  readonly start: string;
  /** Takes in four elements, the vec4f variable `value`; a held row keeps what is assigned to it. */
  step(value: string, keep: Keep): string;
  /** Joins the members' findings and declares statistics. */
  finish(collectives: Collectives): string;
}

/** A way to compute a row. */
export interface RowMethod {
  readonly passes: readonly RowPass[];
  /** Names of the f32 statistics that the result reads. */
  readonly statistics: readonly string[];
  /**
   * An expression of the four elements `value` as the passes left them; statistics and operands (named
   * after {@linkcode RowOperand}) go by their names, as f32 or vec4f.
   */
  result(value: string): string;
}

/** An array of `length` elements that is the same for every row; the result reads four as `<name>_value`. */
export interface RowOperand {
  readonly name: string;
  readonly format: StorageFormat;
}

/** A computation on rows, in float32. */
export interface RowAlgorithm {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly operands: readonly RowOperand[];
  /** Module-scope WGSL. */
  readonly functions: string;
  /** For rows that their team holds in registers: passes cost no loads, and may change the elements. */
  readonly held: RowMethod;
  /** For rows that every pass loads again. */
  readonly streamed: RowMethod;
}
