// What a kernel over rows computes: statistics of a row, found in one or more passes over it, and the
// result of each element given these. Where there are several inputs, a row is the same row of each.

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
  /** Takes in four elements of each input, vec4f variables; a held row keeps what is assigned to them. */
  step(values: readonly string[], keep: Keep): string;
  /** Joins the members' findings and declares statistics. */
  finish(collectives: Collectives): string;
}

/** A way to compute a row. */
export interface RowMethod {
  readonly passes: readonly RowPass[];
  /** Names of the f32 statistics that the result reads. */
  readonly statistics: readonly string[];
  /**
   * An expression of four elements of each input, as the passes left those of a held row; statistics and
   * operands (named after {@linkcode RowOperand}) go by their names, as f32 or vec4f.
   */
  result(values: readonly string[]): string;
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
  /** Statistics that are stored for every row, in float32 arrays that follow the outputs; by default none. */
  readonly storedStatistics?: readonly string[];
  /** Module-scope WGSL. */
  readonly functions: string;
  /** For rows that their team holds in registers: passes cost no loads, and may change the elements. */
  readonly held: RowMethod;
  /** For rows that every pass loads again. */
  readonly streamed: RowMethod;
}

/** One pass that does what several do, each after those before it. */
export function joinPasses(...passes: readonly RowPass[]): RowPass {
  return {
    start: passes.map(({ start }) => start).join("\n"),
    step: (values, keep) => passes.map((pass) => pass.step(values, keep)).join("\n"),
    finish: (collectives) => passes.map((pass) => pass.finish(collectives)).join("\n"),
  };
}

/** WGSL with which one member stores the statistics of a row, if any are. */
export function storeStatistics({ storedStatistics = [] }: RowAlgorithm, row: string): string {
  if (storedStatistics.length === 0) return "";
  const stores = storedStatistics.map((name) => `${statisticArray(name)}[${row}] = ${name};`);
  return `if (member == 0u) {\n${stores.join("\n")}\n}`;
}

/** The array in which a statistic is stored. */
export function statisticArray(name: string): string {
  return `${name}_of_rows`;
}
