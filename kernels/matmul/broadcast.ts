// The product by subgroup: a workgroup is one subgroup, each lane owns four or eight places along one axis of
// the result, and lines of the other operand go around by subgroupBroadcast from a constant lane. No barrier
// and no workgroup memory: on a CPU driver a load costs as much as twenty to a hundred multiply-adds, one from
// workgroup memory no less, a barrier two loads, and a broadcast next to nothing.

import { firstPlaces, type MatmulBody, tileExtents } from "./body.ts";
import type { MatmulDescription } from "./description.ts";
import { type Side, sidesOf } from "./operand.ts";
import { addProducts, clampPosition, components, loadFour, loadOwn } from "./products.ts";
import type { LoadContext } from "./products.ts";
import { declareSums, storeTile } from "./store.ts";
import type { BroadcastTile } from "./tile.ts";

/** The body of the subgroup form. */
export function broadcastBody(
  description: MatmulDescription,
  tile: BroadcastTile,
  lanes: number,
): MatmulBody {
  const { axis, rows, vectors, unroll } = tile;
  const { own, common } = sidesOf(description, axis);
  const first = firstPlaces(axis);
  const step = 4 * unroll;
  const context = { description, k: "k", masked: description.k % step !== 0 };
  const place = (vector: number) => `${first.own} + ${vector * lanes * 4}u + lane * 4u`;
  const share = common.alongK
    ? shareAlongK(common, tile, first.common, lanes, context)
    : shareAcrossK(common, tile, first.common, lanes, context);
  const body = `${declareSums(description, tile, axis)}
${share.before}
for (var k = 0u; k < k_end; k += ${step}u) {
${loadOwn(own, tile, place, context)}
${share.loads}
${share.products}
}
${
    storeTile(description, tile, {
      axis,
      common: (row) => `${first.common} + ${row}`,
      own: place,
    })
  }`;
  return {
    workgroupSize: `${lanes}`,
    ...tileExtents(axis, 4 * vectors * lanes, rows),
    declarations: "",
    body,
  };
}

/** How lines that all lanes need are loaded, every lane a few, and go around. */
interface Share {
  /** Statements before the loop: what each lane loads. */
  readonly before: string;
  readonly loads: string;
  /** Broadcasts and the products that use them. */
  readonly products: string;
}

/** Vectors along k, in the order of k and within it of rows: lane after lane takes one. */
function shareAlongK(
  side: Side,
  { rows, vectors, unroll }: BroadcastTile,
  first: string,
  lanes: number,
  context: LoadContext,
): Share {
  const parts = Math.ceil(rows * unroll / lanes);
  const before: string[] = [];
  const loads: string[] = [];
  for (let part = 0; part < parts; part++) {
    const unit = `(lane + ${part * lanes}u)`;
    before.push(
      `let line${part} = ${clampPosition(side, `${first} + ${unit} % ${rows}u`)};`,
      `let ahead${part} = (${unit} / ${rows}u) * 4u;`,
    );
    const k = `(k + ahead${part})`;
    loads.push(`let a${part} = ${loadFour(side, `line${part}`, k, context)};`);
  }
  const products: string[] = [];
  for (let unit = 0; unit < rows * unroll; unit++) {
    const factors = components.map((c) => `s.${c}`);
    const [row, firstStep] = [unit % rows, 4 * Math.floor(unit / rows)];
    products.push(
      `{ let s = ${broadcast(unit, lanes)};`,
      addProducts(context.description, row, vectors, factors, firstStep),
      "}",
    );
  }
  return { before: before.join("\n"), loads: loads.join("\n"), products: products.join("\n") };
}

/** Vectors of four neighbouring rows at one k: rows of a transposed operand are neighbours in memory. */
function shareAcrossK(
  side: Side,
  { rows, vectors, unroll }: BroadcastTile,
  first: string,
  lanes: number,
  context: LoadContext,
): Share {
  const groups = Math.ceil(rows / 4);
  const parts = Math.ceil(groups * 4 * unroll / lanes);
  const before: string[] = [];
  const loads: string[] = [];
  for (let part = 0; part < parts; part++) {
    const unit = `(lane + ${part * lanes}u)`;
    before.push(
      `let line${part} = ${clampPosition(side, `${first} + ${unit} % ${groups}u * 4u`)};`,
      `let ahead${part} = ${unit} / ${groups}u;`,
    );
    const k = `(k + ahead${part})`;
    loads.push(`let a${part} = ${loadFour(side, `line${part}`, k, context)};`);
  }
  const products: string[] = [];
  for (let firstStep = 0; firstStep < 4 * unroll; firstStep += 4) {
    for (let group = 0; group < groups; group++) {
      const four = [0, 1, 2, 3].map((q) => {
        return `let s${q} = ${broadcast((firstStep + q) * groups + group, lanes)};`;
      });
      products.push("{", ...four);
      for (let row = 4 * group; row < Math.min(rows, 4 * group + 4); row++) {
        const factors = [0, 1, 2, 3].map((q) => `s${q}.${components[row % 4]}`);
        products.push(addProducts(context.description, row, vectors, factors, firstStep));
      }
      products.push("}");
    }
  }
  return { before: before.join("\n"), loads: loads.join("\n"), products: products.join("\n") };
}

function broadcast(unit: number, lanes: number): string {
  return `subgroupBroadcast(a${Math.floor(unit / lanes)}, ${unit % lanes}u)`;
}
