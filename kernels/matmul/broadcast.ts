// The product by subgroup: a workgroup is one subgroup, each lane owns four or eight columns, and rows of A
// go around by subgroupBroadcast from a constant lane. No barrier and no workgroup memory in the loop: on a
// CPU driver a load or a barrier costs as much as twenty multiply-adds, a broadcast as much as three.

import type { MatmulDescription } from "./description.ts";
import { accumulate, loadColumns, maskAlongK, sumType } from "./operand.ts";
import { storeSums } from "./store.ts";

/** What the kernel's frame needs of a way to compute. */
export interface MatmulBody {
  /** E.g. `8, 1`. */
  readonly workgroupSize: string;
  /** Rows and columns of the result that a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  /** Module-scope variables. */
  readonly declarations: string;
  /** Statements after `row`, `column` (the tile's first), `a_base`, `b_base` and `matrix` are declared. */
  readonly body: string;
}

const components = ["x", "y", "z", "w"];

/** The body of the subgroup form. */
export function broadcastBody(
  description: MatmulDescription,
  { rows, vectors }: { rows: number; vectors: number },
  lanes: number,
): MatmulBody {
  const type = `vec4<${sumType(description)}>`;
  const masked = description.k % 4 !== 0;
  const sums: string[] = [];
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < vectors; j++) sums.push(`var c${r}_${j} = ${type}();`);
  }
  const columns = Array.from(
    { length: vectors },
    (_, j) => `let n${j} = column + (${j * lanes}u + lane) * 4u;`,
  );
  const loads = Array.from(
    { length: vectors },
    (_, j) => loadColumns(description, `b${j}_`, `min(n${j}, last_column)`, masked),
  );
  const products: string[] = [];
  for (let r = 0; r < rows; r++) {
    products.push(`{ let s = ${rowAlongK(description, r, lanes)};`);
    for (let j = 0; j < vectors; j++) products.push(accumulate(`c${r}_${j}`, "s", `b${j}_`));
    products.push("}");
  }
  const body = `let last_column = (params.n - 1u) & 0xfffffffcu;
${columns.join("\n")}
${sums.join("\n")}
for (var k = 0u; k < params.k; k += 4u) {
${loads.join("\n")}
${loadRows(description, rows, lanes, masked)}
${products.join("\n")}
}
${stage(rows, vectors, lanes)}
workgroupBarrier();
for (var i = lane; i < ${rows * vectors * lanes}u; i += ${lanes}u) {
let r = row + i / ${vectors * lanes}u;
let n = column + (i % ${vectors * lanes}u) * 4u;
if (r < params.m && n < params.n) {
let sum = tile[i];
let whole_row = matrix * params.m + r;
${storeSums(description, "sum", "whole_row", "n")}
}
}`;
  return {
    workgroupSize: `${lanes}`,
    rows,
    columns: 4 * vectors * lanes,
    declarations: `var<workgroup> tile: array<${type}, ${rows * vectors * lanes}>;`,
    body,
  };
}

/** Each lane's share of A: whole rows along k, or, where A is transposed, four rows at each k. */
function loadRows(
  description: MatmulDescription,
  rows: number,
  lanes: number,
  masked: boolean,
): string {
  const lines: string[] = [];
  if (description.a.layout === "rows") {
    for (let i = 0; i < Math.ceil(rows / lanes); i++) {
      const line = `min(row + ${i * lanes}u + lane, params.m - 1u)`;
      const loaded = `load_a(a_base, ${line}, k, params.k - 1u)`;
      lines.push(`let a${i} = ${maskAlongK(description, loaded, masked)};`);
    }
    return lines.join("\n");
  }
  const last = "((params.m - 1u) & 0xfffffffcu)";
  for (let i = 0; i < Math.ceil(rows / (4 * lanes)); i++) {
    for (let q = 0; q < 4; q++) {
      // Past the end of k a row of A may hold anything, but B is 0 there: A must only be finite, so the
      // last row is loaded again.
      const line = masked ? `min(k + ${q}u, params.k - 1u)` : `k + ${q}u`;
      const position = `min(row + (${i * lanes}u + lane) * 4u, ${last})`;
      lines.push(`var a${i}_${q} = load_a(a_base, ${line}, ${position}, params.m - 1u);`);
      if (masked && q > 0) {
        lines.push(`if (k + ${q}u >= params.k) { a${i}_${q} = vec4<${sumType(description)}>(); }`);
      }
    }
  }
  return lines.join("\n");
}

/** Four elements of A along k in row `r` of the tile, from the lane that holds them. */
function rowAlongK(description: MatmulDescription, r: number, lanes: number): string {
  if (description.a.layout === "rows") {
    return `subgroupBroadcast(a${Math.floor(r / lanes)}, ${r % lanes}u)`;
  }
  const [part, lane, component] = [
    Math.floor(r / (4 * lanes)),
    Math.floor(r / 4) % lanes,
    components[r % 4],
  ];
  const parts = [0, 1, 2, 3].map((q) => `subgroupBroadcast(a${part}_${q}.${component}, ${lane}u)`);
  return `vec4<${sumType(description)}>(${parts.join(", ")})`;
}

function stage(rows: number, vectors: number, lanes: number): string {
  const lines: string[] = [];
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < vectors; j++) {
      lines.push(`tile[${r * vectors * lanes + j * lanes}u + lane] = c${r}_${j};`);
    }
  }
  return lines.join("\n");
}
