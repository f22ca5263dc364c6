// From products to logits: scale, bias, and what a query does not see.

import { loadScalar } from "../storage.ts";
import {
  type AttentionDescription,
  type Axis,
  lengthOf,
  type LogitsArray,
  logitsArrays,
} from "./description.ts";
import { type AttentionForm, range } from "./form.ts";

/** The logit of what is not seen: finite, since differences of infinities are NaN, and far below `lowestPeak`. */
const excluded = "-0x1.fffffep+127f";

/** Where maxima begin: the exponential of an excluded logit less this is 0. */
export const lowestPeak = "-0x1p+127f";

/** Statements that turn the products `<sum><row>_<column>` of a tile into logits. Own rows lie along `own`. */
export function logitsText(
  sum: string,
  own: Axis,
  description: AttentionDescription,
  form: AttentionForm,
): string {
  const { isCausal } = description;
  const other = own === "query" ? "key" : "query";
  const columns = range(form.columns);
  const lines = [
    ...columns.map((t) => `let column${t} = ${form.column(t)};`),
    ...columns.map((t) => `let exists${t} = column${t} < ${lengthOf(other)};`),
  ];
  const arrays = arraysText(sum, own, description, form);
  for (const r of range(form.rows)) {
    for (const t of columns) {
      const name = `${sum}${r}_${t}`;
      const [query, key] = own === "query"
        ? [`first + ${r}u`, `column${t}`]
        : [`column${t}`, `first + ${r}u`];
      const exists = own === "query" ? `exists${t}` : `exists${t} && ${key} < params.keys`;
      const seen = isCausal ? `${exists} && ${key} <= ${query}` : exists;
      const logit = arrays ? name : `${name} * params.scale`;
      lines.push(`${name} = select(${excluded}, ${logit}, ${seen});`);
    }
  }
  return `{\n${arrays}\n${lines.join("\n")}\n}`;
}

/**
 * Scale, bias and mask. Their loads stand in a loop through which the rows of the tile go, one place up every
 * turn: drivers compile slowly what has many loads.
 */
function arraysText(
  sum: string,
  own: Axis,
  description: AttentionDescription,
  form: AttentionForm,
): string {
  const { bias, mask } = description;
  if (!bias && !mask) return "";
  const columns = range(form.columns);
  const other = own === "query" ? "key" : "query";
  const load = (name: "bias" | "mask", array: LogitsArray, t: number) => {
    const [row, column] = [
      `min(first + turn, ${lengthOf(own)} - 1u)`,
      `min(${form.column(t)}, ${lengthOf(other)} - 1u)`,
    ];
    const place =
      `${name}_base + ${row} * params.${name}_${own} + ${column} * params.${name}_${other}`;
    return loadScalar(array.format, name, place);
  };
  const turned = columns.map((t) => {
    const name = `${sum}0_${t}`;
    const biased = bias
      ? `fma(${name}, params.scale, ${load("bias", bias, t)})`
      : `${name} * params.scale`;
    const value = mask ? `select(${excluded}, ${biased}, ${load("mask", mask, t)})` : biased;
    return `let logit${t} = ${value};`;
  });
  const shifts = range(form.rows - 1).flatMap((r) =>
    columns.map((t) => `${sum}${r}_${t} = ${sum}${r + 1}_${t};`)
  );
  const last = columns.map((t) => `${sum}${form.rows - 1}_${t} = logit${t};`);
  const bases = logitsArrays(description).map(([name]) =>
    `let ${name}_base = batch * params.${name}_batch + head * params.${name}_head;`
  );
  return `${bases.join("\n")}
for (var turn = 0u; turn < ${form.rows}u * groups.z; turn++) {
${turned.join("\n")}
${shifts.join("\n")}
${last.join("\n")}
}`;
}
