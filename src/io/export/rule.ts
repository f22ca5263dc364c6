// What a rule of translation is, whatever the format.

import type { Aval } from "../../ir/aval.ts";

/** One operation to be written by a format's writer, which calls what it has written by values of its own. */
export interface TranslationCall<Writer, Value> {
  readonly writer: Writer;
  readonly inputs: readonly Value[];
  /** The static arguments, as the operation's own record has them. */
  // deno-lint-ignore no-explicit-any -- every operation has parameters of its own.
  readonly params: any;
  readonly outputs: readonly Aval[];
}

/** Writes an operation and gives its results, or undefined where it is to be taken apart. */
export type TranslationRule<Writer, Value> = (
  call: TranslationCall<Writer, Value>,
) => Value | readonly Value[] | undefined;

/** Rules by the operation's name. */
export type TranslationRules<Writer, Value> = Readonly<
  Record<string, TranslationRule<Writer, Value>>
>;
