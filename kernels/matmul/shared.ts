// The product by workgroup memory, for GPUs: a workgroup loads a tile of A and one of B together and each
// thread multiplies a few rows by a few columns out of them. Loads from memory are spread over the whole
// workgroup, and every element serves all rows or columns of the tile.

import type { MatmulBody } from "./body.ts";
import type { MatmulDescription } from "./description.ts";
import { type Side, sidesOf, sumType } from "./operand.ts";
import { addProducts, clampPosition, components, loadFour } from "./products.ts";
import type { LoadContext } from "./products.ts";
import { declareSums, storeTile } from "./store.ts";
import { sharedThreads, type SharedTile } from "./tile.ts";

/** The body of the tiled form. Threads lie along columns. */
export function sharedBody(description: MatmulDescription, tile: SharedTile): MatmulBody {
  const { rows, columns, depth, threadRows, threadColumns } = tile;
  const { own, common } = sidesOf(description, "columns");
  const across = columns / threadColumns;
  const threads = sharedThreads(tile);
  const down = threads / across;
  const sums = { rows: threadRows, vectors: threadColumns / 4 };
  const context = { description, k: "k", masked: description.k % depth !== 0 };
  const place = (vector: number) => `column + (across + ${vector * across}u) * 4u`;
  const body = `let across = lane % ${across}u;
let down = lane / ${across}u;
${declareSums(description, sums, "columns")}
for (var start = 0u; start < k_end; start += ${depth}u) {
${fillA(common, tile, threads, context)}
${fillB(own, tile, threads, context)}
workgroupBarrier();
for (var q = 0u; q < ${depth / 4}u; q++) {
${readB(sums.vectors, across, columns)}
${readA(common, tile, down, context)}
}
workgroupBarrier();
}
${
    storeTile(description, sums, {
      axis: "columns",
      common: (row) => `row + ((${row}) / 4u * ${down}u + down) * 4u + (${row}) % 4u`,
      own: place,
    })
  }`;
  const type = `vec4<${sumType(description)}>`;
  return {
    workgroupSize: `${threads}`,
    rows,
    columns,
    declarations: `var<workgroup> tile_a: array<${type}, ${rows * depth / 4}>;
var<workgroup> tile_b: array<${type}, ${columns * depth / 4}>;`,
    body,
  };
}

/** A's tile keeps A's own order, so that vectors are stored as they are loaded. */
function fillA(
  side: Side,
  { rows, depth }: SharedTile,
  threads: number,
  context: LoadContext,
): string {
  const length = (side.alongK ? depth : rows) / 4;
  const [line, within] = [`i / ${length}u`, `i % ${length}u * 4u`];
  const [position, k] = side.alongK ? [line, within] : [within, line];
  return `for (var i = lane; i < ${rows * depth / 4}u; i += ${threads}u) {
let k = start + ${k};
tile_a[i] = ${loadFour(side, clampPosition(side, `row + ${position}`), "k", context)};
}`;
}

/**
 * B's tile lies along columns, so that neighbouring threads read neighbouring vectors: a transposed B, read
 * along k as it is stored, would send them all to one bank. It is turned over by blocks of four by four.
 */
function fillB(
  side: Side,
  { columns, depth }: SharedTile,
  threads: number,
  context: LoadContext,
): string {
  const length = columns / 4;
  if (!side.alongK) {
    const at = clampPosition(side, `column + i % ${length}u * 4u`);
    return `for (var i = lane; i < ${length * depth}u; i += ${threads}u) {
let k = start + i / ${length}u;
tile_b[i] = ${loadFour(side, at, "k", context)};
}`;
  }
  const steps = depth / 4;
  const loads = [0, 1, 2, 3].map((c) => {
    const at = clampPosition(side, `first + ${c}u`);
    return `let t${c} = ${loadFour(side, at, "k", context)};`;
  });
  const stores = components.map((component, q) => {
    const turned = [0, 1, 2, 3].map((c) => `t${c}.${component}`);
    return `tile_b[(i % ${steps}u * 4u + ${q}u) * ${length}u + i / ${steps}u] = vec4<${
      sumType(context.description)
    }>(${turned.join(", ")});`;
  });
  return `for (var i = lane; i < ${length * steps}u; i += ${threads}u) {
let k = start + i % ${steps}u * 4u;
let first = column + i / ${steps}u * 4u;
${loads.join("\n")}
${stores.join("\n")}
}`;
}

function readB(vectors: number, across: number, columns: number): string {
  const lines: string[] = [];
  for (let q = 0; q < 4; q++) {
    for (let j = 0; j < vectors; j++) {
      const at = `(q * 4u + ${q}u) * ${columns / 4}u + across + ${j * across}u`;
      lines.push(`let b${q}_${j} = tile_b[${at}];`);
    }
  }
  return lines.join("\n");
}

/** A thread's rows come in fours, `down` fours apart. */
function readA(
  side: Side,
  { rows, depth, threadRows, threadColumns }: SharedTile,
  down: number,
  { description }: LoadContext,
): string {
  const vectors = threadColumns / 4;
  const lines: string[] = [];
  for (let row = 0; row < threadRows; row++) {
    const four = `(${Math.floor(row / 4) * down}u + down)`;
    if (side.alongK) {
      const factors = components.map((c) => `s.${c}`);
      lines.push(
        `{ let s = tile_a[(${four} * 4u + ${row % 4}u) * ${depth / 4}u + q];`,
        addProducts(description, row, vectors, factors, 0),
        "}",
      );
      continue;
    }
    if (row % 4 === 0) {
      lines.push(
        ...[0, 1, 2, 3].map((q) =>
          `let s${row}_${q} = tile_a[(q * 4u + ${q}u) * ${rows / 4}u + ${four}];`
        ),
      );
    }
    const factors = [0, 1, 2, 3].map((q) => `s${row - row % 4}_${q}.${components[row % 4]}`);
    lines.push(addProducts(description, row, vectors, factors, 0));
  }
  return lines.join("\n");
}
