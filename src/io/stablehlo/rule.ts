// What a rule of translation to StableHLO is.

import type { Aval } from "../../ir/aval.ts";
import type { ModuleWriter, TensorValue } from "./module_writer.ts";

/** One operation to be written. */
export interface Call {
  readonly writer: ModuleWriter;
  readonly inputs: readonly TensorValue[];
  /** The static arguments, as the operation's own record has them. */
  // deno-lint-ignore no-explicit-any -- every operation has parameters of its own.
  readonly params: any;
  readonly outputs: readonly Aval[];
}

/** Writes an operation and gives its results, or undefined where it is to be taken apart. */
export type StableHloRule = (call: Call) => TensorValue | readonly TensorValue[] | undefined;

/** Rules by the operation's name. */
export type StableHloRules = Readonly<Record<string, StableHloRule>>;
