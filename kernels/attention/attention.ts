// Attention as sequences of kernels.

import { assembleKernel, type Kernel, linearGroup, spreadWorkgroups } from "../kernel.ts";
import { inputArray, type KernelSequence, outputArray, SequenceBuilder } from "../sequence.ts";
import { packVector, storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";
import { backwardKernel } from "./backward.ts";
import { type AttentionDescription, logitsArrays, rowResult } from "./description.ts";
import { forwardKernel } from "./forward.ts";
import { attentionForm, backwardParts, tilesADispatch } from "./tile.ts";

export type { AttentionDescription, LogitsArray } from "./description.ts";
export { supportsAttention } from "./tile.ts";

/**
 * The result, and the logarithm of each row's sum of exponentials: of queries, keys, values, and the bias and the
 * mask that there are.
 */
export function forwardSteps(description: AttentionDescription, target: Target): KernelSequence {
  const form = attentionForm(description, "forward", target);
  const builder = new SequenceBuilder();
  const inputs = Array.from(
    { length: 3 + logitsArrays(description).length },
    (_, i) => inputArray(i),
  );
  builder.step(forwardKernel(description, form, target), ...inputs, outputArray(0), outputArray(1));
  return builder.finish();
}

/**
 * The gradients of queries, keys and values: of these, the bias and the mask that there are, the logarithms of the
 * rows' sums, the result's cotangent, and its product with the result summed over each row.
 */
export function backwardSteps(description: AttentionDescription, target: Target): KernelSequence {
  const { batch, queries, keys, heads, headSize, format } = description;
  const form = attentionForm(description, "backward", target);
  const parts = backwardParts(description, form, target);
  const builder = new SequenceBuilder();
  const inputs = Array.from(
    { length: 6 + logitsArrays(description).length },
    (_, i) => inputArray(i),
  );
  const elements = batch * queries * heads * headSize;
  const inPlace = parts === 1 && format === "float32";
  const slopes = inPlace ? outputArray(0) : builder.temporary(4 * parts * elements);
  const tilesAPart = Math.ceil(Math.ceil(keys / form.rows) / parts);
  const step = tilesADispatch(description, target);
  for (let begin = 0; begin < tilesAPart; begin += step) {
    const kernel = backwardKernel(description, { parts, begin, end: begin + step }, form, target);
    builder.step(kernel, ...inputs, slopes, outputArray(1), outputArray(2));
  }
  if (!inPlace) {
    builder.step(joinParts(description, parts, elements / 4, target), slopes, outputArray(0));
  }
  return builder.finish();
}

/** Adds up the parts of the queries' gradients and rounds them. */
function joinParts(
  description: AttentionDescription,
  parts: number,
  vectors: number,
  target: Target,
): Kernel {
  return assembleKernel({
    name: "attention_join_parts",
    bindings: [
      { name: "parts", access: "read", element: "vec4f" },
      rowResult("result", description),
    ],
    parameters: [
      { name: "vectors", type: "u32", value: vectors },
      { name: "parts", type: "u32", value: parts },
    ],
    functions: storageFunctions,
    workgroupSize: "64",
    body: `let at = ${linearGroup} * 64u + lane;
if (at >= params.vectors) { return; }
var sum = parts[at];
for (var part = 1u; part < params.parts; part++) { sum += parts[part * params.vectors + at]; }
result[at] = ${packVector(description.format, "sum")};`,
    workgroups: spreadWorkgroups(Math.ceil(vectors / 64)),
  }, target);
}
