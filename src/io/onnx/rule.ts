// What a rule of translation to ONNX is.

import type { Aval } from "../../ir/aval.ts";
import type { OnnxGraphWriter, OnnxValue } from "./graph_writer.ts";

/** One operation to be written. */
export interface OnnxCall {
  readonly writer: OnnxGraphWriter;
  readonly inputs: readonly OnnxValue[];
  /** The static arguments, as the operation's own record has them. */
  // deno-lint-ignore no-explicit-any -- every operation has parameters of its own.
  readonly params: any;
  readonly outputs: readonly Aval[];
}

/** Writes an operation and gives its results, or undefined where it is to be taken apart. */
export type OnnxRule = (call: OnnxCall) => OnnxValue | readonly OnnxValue[] | undefined;

/** Rules by the operation's name. */
export type OnnxRules = Readonly<Record<string, OnnxRule>>;
