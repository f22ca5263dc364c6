// The matrix product: one frame around three ways to compute a tile. Every way adds the products of a sum in
// the order of k, so tiles differ in speed alone, save those that deal out k among threads.

import { assembleKernel, type Kernel, linearGroup, spreadWorkgroups } from "../kernel.ts";
import { storageFunctions } from "../storage.ts";
import type { Target } from "../target.ts";
import type { MatmulBody } from "./body.ts";
import { broadcastBody } from "./broadcast.ts";
import {
  batchCount,
  checkStorable,
  extentParameters,
  foldBatch,
  type MatmulDescription,
} from "./description.ts";
import { batchBases, operandAccess } from "./operand.ts";
import { registerBody } from "./register.ts";
import { sharedBody } from "./shared.ts";
import { outputBindings, storeFunction } from "./store.ts";
import type { MatmulTile } from "./tile.ts";

export type { MatmulBatch, MatmulDescription, MatmulOperand } from "./description.ts";
export type { ThreadAxis } from "./operand.ts";
export type { BroadcastTile, MatmulTile, RegisterTile, SharedTile } from "./tile.ts";
export { candidateTiles, defaultTile } from "./tile.ts";

function bodyOf(description: MatmulDescription, tile: MatmulTile, target: Target): MatmulBody {
  switch (tile.mode) {
    case "broadcast":
      return broadcastBody(description, tile, target.subgroupSize);
    case "register":
      return registerBody(description, tile);
    case "shared":
      return sharedBody(description, tile);
  }
}

/**
 * WGSL that finds a tile's `row` and `column`. Neighbouring workgroups share the operand of which a tile reads
 * more, so that it stays in the cache.
 */
function tilePlace(rows: number, columns: number): string {
  const [first, second] = rows < columns ? ["down", "across"] : ["across", "down"];
  const place = {
    [first]: `tile_number % params.tiles_${first}`,
    [second]: `tile_number / params.tiles_${first} % params.tiles_${second}`,
  };
  return `let row = (${place.down}) * ${rows}u;\nlet column = (${place.across}) * ${columns}u;`;
}

/**
 * The kernel of a product with a given tile. Extents and strides are parameters; the text depends on
 * dtypes, layouts, alignment and the tile.
 *
 * @throws {Error} if rows of odd length are to be stored in 16 bits or after an epilogue.
 */
export function matmulKernel(
  unfolded: MatmulDescription,
  tile: MatmulTile,
  target: Target,
): Kernel {
  const description = foldBatch(unfolded);
  checkStorable(description);
  const { m, n, epilogue } = description;
  const { workgroupSize, rows, columns, declarations, body } = bodyOf(description, tile, target);
  const a = operandAccess("a", description, target);
  const b = operandAccess("b", description, target);
  const [down, across] = [Math.ceil(m / rows), Math.ceil(n / columns)];
  const count = batchCount(description) * down * across;
  return assembleKernel({
    name: `matmul_${tile.mode}`,
    bindings: [
      { name: "a", access: "read", element: a.element },
      { name: "b", access: "read", element: b.element },
      ...(epilogue?.bindings ?? []),
      ...outputBindings(description),
    ],
    parameters: [
      ...extentParameters(description),
      { name: "tiles_down", type: "u32", value: down },
      { name: "tiles_across", type: "u32", value: across },
      { name: "tiles", type: "u32", value: count },
      ...(epilogue?.parameters ?? []),
    ],
    functions: `${storageFunctions}${a.code}${b.code}${epilogue?.functions ?? ""}${
      storeFunction(description)
    }${declarations}`,
    workgroupSize,
    body: `let tile_number = ${linearGroup};
if (tile_number >= params.tiles) { return; }
${tilePlace(rows, columns)}
let matrix = tile_number / (params.tiles_across * params.tiles_down);
${batchBases(description, "matrix")}let k_end = params.k * groups.z;
${body}`,
    workgroups: spreadWorkgroups(count),
  }, target);
}
