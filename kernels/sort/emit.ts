// The last step of a sort: the pairs' positions become the sorted values, the positions, or both.

import { bitScalarElement, bitVectorElement, loadBits, packBits } from "../bit_access.ts";
import {
  assembleKernel,
  type Binding,
  type Kernel,
  linearGroup,
  spreadWorkgroups,
} from "../kernel.ts";
import { type StorageFormat, storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";

/** Which of a sort's two results are wanted. */
export type SortOutputs = "values" | "positions" | "both";

/** The first `columns` pairs of every row of `[rows, stride]`, whose payloads are columns of the operand. */
export interface EmitDescription {
  readonly format: StorageFormat;
  readonly rows: number;
  /** The operand's row length. */
  readonly length: number;
  /** The pairs' row length. */
  readonly stride: number;
  /** The results' row length. */
  readonly columns: number;
  readonly outputs: SortOutputs;
}

const workgroupSize = 64;

/**
 * Writes `[rows, columns]` values and int32 positions. Bindings: the pairs, the operand (for values), then
 * the results wanted, values first.
 */
export function emitKernel(description: EmitDescription, target: Target): Kernel {
  const { format, rows, length, stride, columns, outputs } = description;
  const values = outputs !== "positions";
  const positions = outputs !== "values";
  const vectors = Math.ceil(rows * columns / 4);
  const bindings: Binding[] = [{ name: "pairs", access: "read", element: "vec2u" }];
  if (values) bindings.push({ name: "operand", access: "read", element: bitScalarElement });
  if (values) {
    bindings.push({ name: "values", access: "read_write", element: bitVectorElement(format) });
  }
  if (positions) bindings.push({ name: "positions", access: "read_write", element: "vec4u" });
  const body = `let thread = ${linearGroup} * ${workgroupSize}u + lane;
if (thread >= params.vectors) { return; }
var position: vec4u;
${values ? "var bits: vec4u;" : ""}
for (var e = 0u; e < 4u; e++) {
  let at = min(thread * 4u + e, params.size - 1u);
  let row = at / params.columns;
  position[e] = pairs[row * params.stride + at % params.columns].y;
  ${values ? `let source = row * params.row_length + position[e];` : ""}
  ${values ? `bits[e] = ${loadBits(format, "operand", "source")};` : ""}
}
${values ? `values[thread] = ${packBits(format, "bits")};` : ""}
${positions ? "positions[thread] = position;" : ""}`;
  return assembleKernel({
    name: `sort_emit_${outputs}`,
    bindings,
    parameters: [
      { name: "row_length", type: "u32", value: length },
      { name: "stride", type: "u32", value: stride },
      { name: "columns", type: "u32", value: columns },
      { name: "size", type: "u32", value: rows * columns },
      { name: "vectors", type: "u32", value: vectors },
    ],
    functions: storageFunctions,
    workgroupSize: `${workgroupSize}`,
    body,
    workgroups: spreadWorkgroups(Math.ceil(vectors / workgroupSize)),
  }, target);
}
