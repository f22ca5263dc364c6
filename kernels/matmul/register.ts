// The product thread by thread: each keeps a few rows by four columns in registers. It needs nothing of the
// device, and serves few rows, where sharing would pay for nothing.

import type { MatmulBody } from "./broadcast.ts";
import type { MatmulDescription } from "./description.ts";
import { accumulate, loadColumns, maskAlongK, sumType } from "./operand.ts";
import { storeSums } from "./store.ts";

const threads = 64;

/** The body of the register form: a workgroup of 64 threads side by side along n. */
export function registerBody(
  description: MatmulDescription,
  { rows }: { rows: number },
): MatmulBody {
  const type = `vec4<${sumType(description)}>`;
  const masked = description.k % 4 !== 0;
  // Narrow results take more rows a workgroup instead of idle columns.
  const across = Math.min(threads, 2 ** Math.ceil(Math.log2(Math.ceil(description.n / 4))));
  const down = threads / across;
  const each = Array.from({ length: rows }, (_, r) => r);
  const stores = each.map((r) =>
    `if (r0 + ${r}u < params.m) {
let whole_row = matrix * params.m + r0 + ${r}u;
let sum = c${r};
${storeSums(description, "sum", "whole_row", "n")}
}`
  );
  const body = `let n = column + (lane % ${across}u) * 4u;
let r0 = row + (lane / ${across}u) * ${rows}u;
if (n >= params.n || r0 >= params.m) { return; }
${each.map((r) => `var c${r} = ${type}();`).join("\n")}
for (var k = 0u; k < params.k; k += 4u) {
${loadColumns(description, "b_", "n", masked)}
${
    each.map((r) =>
      `{ let s = ${alongK(description, r, masked)};\n${accumulate(`c${r}`, "s", "b_")} }`
    ).join("\n")
  }
}
${stores.join("\n")}`;
  return {
    workgroupSize: `${threads}`,
    rows: rows * down,
    columns: 4 * across,
    declarations: "",
    body,
  };
}

/** Four elements of A along k in one row of the thread's. */
function alongK(description: MatmulDescription, r: number, masked: boolean): string {
  const line = `min(r0 + ${r}u, params.m - 1u)`;
  if (description.a.layout === "rows") {
    return maskAlongK(description, `load_a(a_base, ${line}, k, params.k - 1u)`, masked);
  }
  // Rows of a transposed A are neighbours in memory: the vector that holds this one is loaded at each k.
  const parts = [0, 1, 2, 3].map((q) => {
    const at = masked ? `min(k + ${q}u, params.k - 1u)` : `k + ${q}u`;
    return `load_a(a_base, ${at}, ${line} & 0xfffffffcu, params.m - 1u)[${line} & 3u]`;
  });
  return maskAlongK(description, `vec4<${sumType(description)}>(${parts.join(", ")})`, masked);
}
