// What an attention kernel must know: extents, how arrays are stored, and which logits count.

import type { Binding, Parameter } from "../kernel.ts";
import { scalarElement, type StorageFormat, vectorElement, vectorLoad } from "../storage.ts";
import type { Target } from "../target.ts";
import type { Rows, RowWidth } from "./form.ts";

/** An array over the logits `[batch, heads, queries, keys]`: elements from one to the next along each axis, or 0. */
export interface LogitsArray {
  readonly format: StorageFormat;
  readonly strides: readonly [number, number, number, number];
}

/** One attention: queries `[batch, queries, heads, headSize]`, keys and values with `keyHeads`. */
export interface AttentionDescription {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  /** Divides `heads`: each head of the keys serves a group of neighbouring heads of the queries. */
  readonly keyHeads: number;
  /** A multiple of 4, so that every row is whole vectors. */
  readonly headSize: number;
  /** How queries, keys, values and everything of their shapes are stored. */
  readonly format: StorageFormat;
  readonly scale: number;
  readonly isCausal: boolean;
  readonly bias?: LogitsArray;
  /** Booleans: true where a query sees a key. */
  readonly mask?: LogitsArray;
}

/** The rows that a workgroup owns, or those that it goes through: queries or keys. */
export type Axis = "query" | "key";

/** WGSL for the number of rows of an axis. */
export function lengthOf(axis: Axis): string {
  return axis === "query" ? "params.queries" : "params.keys";
}

/** Vectors of four in a row. */
export function rowVectors({ headSize }: AttentionDescription): number {
  return headSize / 4;
}

/** Extents and strides: one text serves every batch, length and number of heads. */
export function extentParameters(description: AttentionDescription): Parameter[] {
  const { queries, keys, heads, keyHeads, scale } = description;
  const words: [string, number][] = [
    ["queries", queries],
    ["keys", keys],
    ["heads", heads],
    ["key_heads", keyHeads],
    ["group_size", heads / keyHeads],
  ];
  for (const [name, { strides }] of logitsArrays(description)) {
    ["batch", "head", "query", "key"].forEach((axis, i) =>
      words.push([`${name}_${axis}`, strides[i]!])
    );
  }
  return [
    ...words.map(([name, value]): Parameter => ({ name, type: "u32", value })),
    { name: "scale", type: "f32", value: scale },
  ];
}

/** An array of rows as a kernel sees it. */
export interface RowArray {
  readonly binding: Binding;
  /** `load_<name>(at)`, and for arrays that are written `store_<name>(at, value)`. */
  readonly functions: string;
}

/** Two vectors a load where they are loaded as 64-bit integers: half as many places to find and to check. */
export function rowWidth(description: AttentionDescription, target: Target): RowWidth {
  return target.shaderInt64 && rowVectors(description) % 2 === 0 ? 2 : 1;
}

/** An array of rows, read or updated by as much as one load takes. */
export function rowArray(
  name: string,
  format: StorageFormat,
  width: RowWidth,
  target: Target,
  access: Binding["access"] = "read",
): RowArray {
  const { element, unpack, pack } = vectorLoad(format, target);
  const halves = element === "u64" ? ["x", "y"] : ["xy", "zw"];
  const wide = element === "u64" ? "vec2<u64>" : "vec4<u64>";
  const type = width === 1 ? "vec4f" : "mat2x4f";
  const stored = width === 1 ? element : wide;
  const loaded = width === 1
    ? unpack("stored")
    : `mat2x4f(${halves.map((half) => unpack(`stored.${half}`)).join(", ")})`;
  const packed = width === 1 ? pack("value") : `${wide}(${pack("value[0]")}, ${pack("value[1]")})`;
  const load = `fn load_${name}(at: u32) -> ${type} {
let stored = ${name}[at];
return ${loaded};
}
`;
  const store = `fn store_${name}(at: u32, value: ${type}) { ${name}[at] = ${packed}; }\n`;
  return {
    binding: { name, access, element: stored },
    functions: access === "read" ? load : load + store,
  };
}

/** The bias and the mask that there are, by name. */
export function logitsArrays(
  { bias, mask }: AttentionDescription,
): (readonly ["bias" | "mask", LogitsArray])[] {
  return ([["bias", bias], ["mask", mask]] as const).flatMap(([name, array]) =>
    array ? [[name, array] as const] : []
  );
}

/** How a kernel binds them. */
export function logitsBindings(description: AttentionDescription): Binding[] {
  return logitsArrays(description).map(([name, { format }]) => ({
    name,
    access: "read",
    element: scalarElement(format),
  }));
}

/** An array of rows that a kernel writes. */
export function rowResult(name: string, { format }: AttentionDescription): Binding {
  return { name, access: "read_write", element: vectorElement(format) };
}

/** The rows of one head of an array; see {@linkcode queryRows} and {@linkcode keyRows}. */
export function headRows(array: string, axis: Axis): Rows {
  const last = `${lengthOf(axis)} - 1u`;
  return { array, at: (row) => `${axis}_base + min(${row}, ${last}) * ${axis}_stride` };
}

/** Statements that find the rows of queries of `head` in `batch`, for rows of so many loads. */
export function queryRows(loads: number): string {
  return `let query_stride = params.heads * ${loads}u;
let query_base = (batch * params.queries * params.heads + head) * ${loads}u;`;
}

/** Statements that find the rows of keys of `key_head` in `batch`. */
export function keyRows(loads: number): string {
  return `let key_stride = params.key_heads * ${loads}u;
let key_base = (batch * params.keys * params.key_heads + key_head) * ${loads}u;`;
}
