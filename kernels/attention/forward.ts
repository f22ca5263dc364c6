// Attention forward in one kernel: a workgroup owns rows of queries and goes through the keys with a running
// maximum and sum (Milakov and Gimelshein, 2018; Dao et al., 2022), so that no logit is ever stored.

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
import type { AttentionForm } from "./form.ts";
import { logitsText, lowestPeak } from "./logits.ts";

/**
 * Binds queries, keys, values, the bias and the mask that there are, and then the result and the logarithm of each
 * row's sum of exponentials, a float32 for each row of the queries.
 */
export function forwardKernel(
  description: AttentionDescription,
  form: AttentionForm,
  target: Target,
): Kernel {
  const { batch, heads, queries, isCausal, format } = description;
  const inputs = ["queries", "keys", "values"].map((name) =>
    rowArray(name, format, form.width, target)
  );
  const [query, key, value] = [
    headRows("queries", "query"),
    headRows("keys", "key"),
    headRows("values", "key"),
  ];
  const loads = rowVectors(description) / form.width;
  const tiles = Math.ceil(queries / form.rows);
  const count = tiles * heads * batch;
  const end = isCausal ? `min(params.keys, first + ${form.rows}u)` : "params.keys";
  const store = {
    softmax: true,
    once: `log_sums[(batch * params.queries + row) * params.heads + head] =
  select(peak + log(total), 0.0, total == 0.0);`,
    // A total of 0 is that of a row which sees nothing; NaN stays NaN.
    vector: ([sum]: readonly string[]) =>
      `let value = ${sum} * select(1.0 / total, 0.0, total == 0.0);
result[(query_base + row * query_stride) * ${form.width}u + vector] = ${
        packVector(format, "value")
      };`,
  };
  return assembleKernel({
    name: "attention_forward",
    bindings: [
      ...inputs.map(({ binding }) => binding),
      ...logitsBindings(description),
      rowResult("result", description),
      { name: "log_sums", access: "read_write", element: "f32" },
    ],
    parameters: [
      ...extentParameters(description),
      { name: "tiles", type: "u32", value: tiles },
      { name: "count", type: "u32", value: count },
    ],
    functions: `${storageFunctions}${vectorLoadFunctions(target)}${
      inputs.map(({ functions }) => functions).join("")
    }${form.declarations}`,
    workgroupSize: `${form.threads}`,
    body: `let number = ${linearGroup};
if (number >= params.count) { return; }
let first = (number % params.tiles) * ${form.rows}u;
let head = (number / params.tiles) % params.heads;
let batch = number / (params.tiles * params.heads);
let key_head = head / params.group_size;
${queryRows(loads)}
${keyRows(loads)}
${form.prepare([query])}
${form.declareSums("sum")}
${form.declareSoftmax(lowestPeak)}
let end = ${end};
for (var start = 0u; start < end; start += ${form.block}u) {
${form.products([{ sum: "logit", own: query, other: key }])}
${logitsText("logit", "query", description, form)}
${form.softmaxStep("logit", "sum")}
${form.update([{ sum: "sum", weights: "logit", other: value }])}
}
${form.storeRows(["sum"], "params.queries", store)}`,
    workgroups: spreadWorkgroups(count),
  }, target);
}
