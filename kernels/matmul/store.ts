// Storing a tile of sums: through workgroup memory, so that the epilogue stands in the text once however many
// sums a thread holds.

import type { Binding } from "../kernel.ts";
import { packVector, scalarElement, vectorElement } from "../storage.ts";
import { hasWholeRows, type MatmulDescription } from "./description.ts";

/** The arrays `out0`, `out1`, ... */
export function outputBindings(description: MatmulDescription): Binding[] {
  const element = hasWholeRows(description) ? vectorElement : scalarElement;
  return description.outputs.map((format, i) => ({
    name: `out${i}`,
    access: "read_write",
    element: element(format),
  }));
}

/**
 * Statements that store four sums of a row.
 * @param sum their name; @param row the row's number in all of [batch, m]; @param column a multiple of 4.
 */
export function storeSums(
  description: MatmulDescription,
  sum: string,
  row: string,
  column: string,
): string {
  if (!hasWholeRows(description)) {
    const stores = ["x", "y", "z", "w"].map((c, i) =>
      `if (${column} + ${i}u < params.n) { out0[${row} * params.n + ${column} + ${i}u] = ${sum}.${c}; }`
    );
    return stores.join("\n");
  }
  const text = description.epilogue?.emit("index", [sum], "_e") ??
    { statements: "", results: [sum] };
  const stores = description.outputs.map((format, i) =>
    `let stored${i} = ${text.results[i]};
out${i}[index >> 2u] = ${packVector(format, `stored${i}`)};`
  );
  return `let index = ${row} * params.n + ${column};
${text.statements}
${stores.join("\n")}`;
}
