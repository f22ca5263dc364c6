// The product thread by thread: each keeps a few rows of vectors in registers and needs nothing of the device.
// For results with few rows or columns, k can be dealt out among the threads instead, whose sums are added up
// in workgroup memory: nothing else would keep a GPU busy.

import { firstPlaces, type MatmulBody, tileExtents } from "./body.ts";
import type { MatmulDescription } from "./description.ts";
import { type Side, sidesOf, sumType } from "./operand.ts";
import { addProducts, clampPosition, components, loadFour, loadOwn } from "./products.ts";
import type { LoadContext } from "./products.ts";
import { sumNames, type SumTile } from "./products.ts";
import { declareSums, storeTile } from "./store.ts";
import type { RegisterTile } from "./tile.ts";

/** The body of the register form. */
export function registerBody(description: MatmulDescription, tile: RegisterTile): MatmulBody {
  const { axis, rows, vectors, slices } = tile;
  const { own, common } = sidesOf(description, axis);
  const first = firstPlaces(axis);
  const step = 4 * slices;
  const context = { description, k: "k", masked: description.k % step !== 0 };
  const { across, down } = threadGrid(description, tile);
  // Threads whose loads are neighbours in memory are neighbours in number: a GPU then joins the loads.
  const [thread, slice] = own.alongK && slices > 1
    ? [`lane / ${slices}u`, `lane % ${slices}u`]
    : [`lane % ${across}u`, `lane / ${across * down}u`];
  const place = (vector: number) => `own_first + ${vector * across * 4}u`;
  const body = `let thread = ${thread};
let slice = ${slice};
let own_first = ${first.own} + thread * 4u;
let common_first = ${first.common} + lane / ${across}u % ${down}u * ${rows}u;
${declareSums(description, tile, axis)}
for (var k = slice * 4u; k < k_end; k += ${step}u) {
${loadOwn(own, { vectors, unroll: 1 }, place, context)}
${commonProducts(common, tile, context)}
}
${slices > 1 ? addSlices(tile, across, slices) : ""}
${
    storeTile(description, tile, {
      axis,
      common: (row) => `common_first + ${row}`,
      own: place,
    })
  }
${slices > 1 ? "}" : ""}`;
  return {
    workgroupSize: `${across * down * slices}`,
    ...tileExtents(axis, 4 * vectors * across, rows * down),
    declarations: slices > 1
      ? `var<workgroup> partial: array<vec4<${sumType(description)}>, ${across * slices}>;`
      : "",
    body,
  };
}

/** Threads along their axis and, where the result is shorter than 64 of them, across it. */
function threadGrid(
  { m, n }: MatmulDescription,
  { axis, vectors, slices }: RegisterTile,
): { across: number; down: number } {
  if (slices > 1) return { across: Math.max(1, 256 / slices), down: 1 };
  const needed = Math.ceil((axis === "columns" ? n : m) / (4 * vectors));
  const across = Math.min(64, 2 ** Math.ceil(Math.log2(needed)));
  return { across, down: 64 / across };
}

/** Loads of the thread's rows of the common operand, and their products. */
function commonProducts(
  side: Side,
  { rows, vectors }: RegisterTile,
  context: LoadContext,
): string {
  const { description } = context;
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    if (side.alongK) {
      const at = clampPosition(side, `common_first + ${row}u`);
      const factors = components.map((c) => `s.${c}`);
      lines.push(
        `{ let s = ${loadFour(side, at, "k", context)};`,
        addProducts(description, row, vectors, factors, 0),
        "}",
      );
      continue;
    }
    if (row % 4 === 0) {
      const at = clampPosition(side, `common_first + ${row}u`);
      lines.push(
        ...[0, 1, 2, 3].map((q) =>
          `let s${row}_${q} = ${loadFour(side, at, `k + ${q}u`, context)};`
        ),
      );
    }
    const factors = [0, 1, 2, 3].map((q) => `s${row - row % 4}_${q}.${components[row % 4]}`);
    lines.push(addProducts(description, row, vectors, factors, 0));
  }
  return lines.join("\n");
}

/**
 * Statements that add up the slices' sums, one sum after another so that workgroup memory holds one of each
 * thread, pairwise in an order that depends on their number alone. The loop leaves every sum where it was.
 */
function addSlices(tile: SumTile, across: number, slices: number): string {
  const names = sumNames(tile);
  const last = names[names.length - 1]!;
  const shifts = names.slice(1).map((name, i) => `${names[i]} = ${name};`);
  return `for (var i = 0u; i < ${names.length}u * groups.z; i++) {
partial[slice * ${across}u + thread] = c0_0;
workgroupBarrier();
for (var half = ${slices / 2}u * groups.z; half > 0u; half >>= 1u) {
if (slice < half) {
partial[slice * ${across}u + thread] += partial[(slice + half) * ${across}u + thread];
}
workgroupBarrier();
}
${shifts.join("\n")}
${last} = partial[thread];
workgroupBarrier();
}
if (slice == 0u) {`;
}
