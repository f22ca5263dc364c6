// The product by workgroup memory, for GPUs of their own: 256 threads load a tile of A and one of B together
// and each multiplies a few rows by four columns out of them. Loads from memory are spread over the whole
// workgroup and every element is used by all rows or columns of the tile.

import type { MatmulBody } from "./broadcast.ts";
import type { MatmulDescription } from "./description.ts";
import { accumulate, maskAlongK, sumType } from "./operand.ts";
import { storeSums } from "./store.ts";

const components = ["x", "y", "z", "w"];

/** The body of the tiled form. */
export function sharedBody(
  description: MatmulDescription,
  { rows, columns, depth }: { rows: number; columns: number; depth: number },
): MatmulBody {
  const type = `vec4<${sumType(description)}>`;
  const across = columns / 4;
  const down = 256 / across;
  const each = Array.from({ length: rows / down }, (_, r) => r);
  const steps = depth / 4;
  const sums = each.map((r) => `var c${r} = ${type}();`).join("\n");
  const products = each.map((r) =>
    `{ let s = tile_a[(${r * down}u + ty) * ${steps}u + q];\n${accumulate(`c${r}`, "s", "b_")} }`
  );
  const stores = each.map((r) =>
    `if (row + ${r * down}u + ty < params.m && n < params.n) {
let whole_row = matrix * params.m + row + ${r * down}u + ty;
let sum = c${r};
${storeSums(description, "sum", "whole_row", "n")}
}`
  );
  const body = `let tx = lane % ${across}u;
let ty = lane / ${across}u;
let n = column + tx * 4u;
${sums}
for (var k0 = 0u; k0 < params.k; k0 += ${depth}u) {
for (var i = lane; i < ${rows * steps}u; i += 256u) {
let line = min(row + i / ${steps}u, params.m - 1u);
let k = k0 + (i % ${steps}u) * 4u;
tile_a[i] = ${loadA(description)};
}
for (var i = lane; i < ${depth * across}u; i += 256u) {
let k = k0 + i / ${across}u;
let position = min(column + (i % ${across}u) * 4u, (params.n - 1u) & 0xfffffffcu);
tile_b[i] = ${loadB(description)};
}
workgroupBarrier();
for (var q = 0u; q < ${steps}u; q++) {
${[0, 1, 2, 3].map((i) => `let b_${i} = tile_b[(q * 4u + ${i}u) * ${across}u + tx];`).join("\n")}
${products.join("\n")}
}
workgroupBarrier();
}
${stores.join("\n")}`;
  return {
    workgroupSize: "256",
    rows,
    columns,
    declarations: `var<workgroup> tile_a: array<${type}, ${rows * steps}>;
var<workgroup> tile_b: array<${type}, ${depth * across}>;`,
    body,
  };
}

/** Four elements of A along k in row `line`, 0 past the end of k. */
function loadA(description: MatmulDescription): string {
  const inside = (value: string) => maskAlongK(description, value, true);
  // Past the last k a load must stay within the line; what it reads is masked.
  const last = "min(k, (params.k - 1u) & 0xfffffffcu)";
  if (description.a.layout === "rows") {
    return inside(`load_a(a_base, line, ${last}, params.k - 1u)`);
  }
  const parts = [0, 1, 2, 3].map((q) =>
    `load_a(a_base, min(k + ${q}u, params.k - 1u), line & 0xfffffffcu, params.m - 1u)[line & 3u]`
  );
  return inside(`vec4<${sumType(description)}>(${parts.join(", ")})`);
}

/** Four elements of row k of B from column `position` on, 0 past the end of k. */
function loadB(description: MatmulDescription): string {
  const type = `vec4<${sumType(description)}>`;
  const within = "min(k, params.k - 1u)";
  if (description.b.layout === "rows") {
    return `select(${type}(), load_b(b_base, ${within}, position, params.n - 1u), vec4<bool>(k < params.k))`;
  }
  const parts = components.map((_, c) =>
    `load_b(b_base, min(position + ${c}u, params.n - 1u), ${within} & 0xfffffffcu, params.k - 1u)[${within} & 3u]`
  );
  return `select(${type}(), ${type}(${parts.join(", ")}), vec4<bool>(k < params.k))`;
}
