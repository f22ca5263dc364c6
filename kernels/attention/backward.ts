// Attention's gradient in one kernel: the softmax is computed again from the logarithm of each row's sum, instead
// of being kept (Dao et al., 2022). A workgroup takes one head and goes through tiles of its keys: the gradients of
// a tile's keys and values stay in registers while all queries pass, and those of the queries are added up in
// memory, always by the same thread and in the same order.

import { assembleKernel, type Kernel, linearGroup, spreadWorkgroups } from "../kernel.ts";
import { packVector, storageFunctions, vectorLoadFunctions } from "../storage.ts";
import type { Target } from "../target.ts";
import {
  type AttentionDescription,
  extentParameters,
  headRows,
  keyRows,
  logitsBindings,
  queryRows,
  rowArray,
  rowResult,
  rowVectors,
} from "./description.ts";
import { type AttentionForm, range } from "./form.ts";
import { logitsText } from "./logits.ts";

/** Which tiles of keys a dispatch goes through. */
export interface BackwardPart {
  /** Ranges of tiles that workgroups of their own take, each into queries' gradients of its own. */
  readonly parts: number;
  /** Tiles of a range: from `begin` on, below `end`. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Binds queries, keys, values, the bias and the mask that there are, the logarithms of the rows' sums, the result's
 * cotangent, its product with the result summed over each row, and then what it writes: the queries' gradients in
 * float32, one array for each part after the other, and those of the keys and the values.
 */
export function backwardKernel(
  description: AttentionDescription,
  { parts, begin, end }: BackwardPart,
  form: AttentionForm,
  target: Target,
): Kernel {
  const { batch, queries, heads, keyHeads, keys, isCausal, format } = description;
  const array = (name: string) => rowArray(name, format, form.width, target);
  const arrays = {
    queries: array("queries"),
    keys: array("keys"),
    values: array("values"),
    cotangents: array("cotangents"),
    querySlopes: rowArray("query_slopes", "float32", form.width, target, "read_write"),
  };
  const tiles = Math.ceil(keys / form.rows);
  const perPart = Math.ceil(tiles / parts);
  const count = batch * keyHeads * parts;
  const loads = rowVectors(description) / form.width;
  // The first tile of a part meets every query, so that all of their gradients have a first value.
  const seen = isCausal ? "select(first, 0u, is_first)" : "0u";
  const store = {
    softmax: false,
    once: "",
    vector: ([ofKey, ofValue]: readonly string[]) =>
      `let at = (key_base + row * key_stride) * ${form.width}u + vector;
let key_slope = ${ofKey};
let value_slope = ${ofValue};
key_slopes[at] = ${packVector(format, "key_slope")};
value_slopes[at] = ${packVector(format, "value_slope")};`,
  };
  const functions = Object.values(arrays).map((own) => own.functions).join("");
  return assembleKernel({
    name: "attention_backward",
    bindings: [
      arrays.queries.binding,
      arrays.keys.binding,
      arrays.values.binding,
      ...logitsBindings(description),
      { name: "log_sums", access: "read", element: "f32" },
      arrays.cotangents.binding,
      { name: "row_sums", access: "read", element: "f32" },
      arrays.querySlopes.binding,
      rowResult("key_slopes", description),
      rowResult("value_slopes", description),
    ],
    parameters: [
      ...extentParameters(description),
      { name: "tiles", type: "u32", value: tiles },
      { name: "parts", type: "u32", value: parts },
      { name: "tiles_a_part", type: "u32", value: perPart },
      { name: "part_loads", type: "u32", value: batch * queries * heads * loads },
      { name: "begin", type: "u32", value: begin },
      { name: "end", type: "u32", value: Math.min(end, perPart) },
      { name: "count", type: "u32", value: count },
    ],
    functions: storageFunctions + vectorLoadFunctions(target) + functions + form.declarations,
    workgroupSize: `${form.threads}`,
    body: `let number = ${linearGroup};
if (number >= params.count) { return; }
let part = number % params.parts;
let key_head = (number / params.parts) % params.key_heads;
let batch = number / (params.parts * params.key_heads);
let slopes_base = part * params.part_loads;
let before = part * params.tiles_a_part;
${keyRows(loads)}
for (var tile = before + params.begin; tile < min(before + params.end, params.tiles); tile++) {
let first = tile * ${form.rows}u;
let is_first = tile == before;
${form.declareSums("key_sum")}
${form.declareSums("value_sum")}
${form.prepare([headRows("keys", "key"), headRows("values", "key")])}
for (var member = 0u; member < params.group_size; member++) {
let head = key_head * params.group_size + member;
${queryRows(loads)}
let seen = ${seen};
for (var start = seen - seen % ${form.block}u; start < params.queries; start += ${form.block}u) {
${tileText(description, form)}
}
}
${form.storeRows(["key_sum", "value_sum"], "params.keys", store)}
}`,
    workgroups: spreadWorkgroups(count),
  }, target);
}

/** What a tile of keys and a block of queries add to each other's gradients. */
function tileText(description: AttentionDescription, form: AttentionForm): string {
  const [query, cotangent] = [headRows("queries", "query"), headRows("cotangents", "query")];
  const [key, value] = [headRows("keys", "key"), headRows("values", "key")];
  return [
    form.products([
      { sum: "weight", own: key, other: query },
      { sum: "slope", own: value, other: cotangent },
    ]),
    logitsText("weight", "key", description, form),
    slopesText(form),
    form.updateColumns({
      weights: "slope",
      own: key,
      target: "query_slopes",
      row: (column) => `slopes_base + query_base + ${column} * query_stride`,
      exists: (column) => `${column} < params.queries`,
      continues: "!is_first",
    }),
    form.update([
      { sum: "value_sum", weights: "weight", other: cotangent },
      { sum: "key_sum", weights: "slope", other: query },
    ]),
  ].join("\n");
}

/** Statements that turn logits into weights, and the weights' cotangents into those of the products. */
function slopesText(form: AttentionForm): string {
  return range(form.columns).map((t) =>
    `{
let place = (batch * params.queries + min(${
      form.column(t)
    }, params.queries - 1u)) * params.heads + head;
let log_sum = log_sums[place];
let row_sum = row_sums[place];
${
      range(form.rows).map((r) =>
        `weight${r}_${t} = exp(weight${r}_${t} - log_sum);
slope${r}_${t} = weight${r}_${t} * (slope${r}_${t} - row_sum) * params.scale;`
      ).join("\n")
    }
}`
  ).join("\n");
}
