// Tiles: which kernel computes a product, and how much of it a workgroup and a thread take.

import type { Target } from "../target.ts";
import { batchCount, foldBatch, type MatmulDescription } from "./description.ts";
import type { ThreadAxis } from "./operand.ts";

/** One subgroup a workgroup: lanes own places along an axis and share lines of the other operand. */
export interface BroadcastTile {
  readonly mode: "broadcast";
  /** The axis of the result along which lanes own `4 * vectors` places each. */
  readonly axis: ThreadAxis;
  /** Places on the other axis: all there are, or a multiple of 4. */
  readonly rows: number;
  readonly vectors: number;
  /** Fours of k that one turn of the loop takes. */
  readonly unroll: number;
}

/** Tiles of A and B in workgroup memory; threads lie along columns. */
export interface SharedTile {
  readonly mode: "shared";
  /** What a workgroup computes, and how much of k it holds at a time: multiples of 4. */
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** What a thread computes: multiples of 4 that divide the above. */
  readonly threadRows: number;
  readonly threadColumns: number;
}

/** Each thread for itself. */
export interface RegisterTile {
  readonly mode: "register";
  /** The axis of the result along which a thread owns `4 * vectors` places. */
  readonly axis: ThreadAxis;
  /** Places on the other axis: all there are, or a multiple of 4. */
  readonly rows: number;
  readonly vectors: number;
  /** Threads among which k is dealt out: 1, or a power of two up to 256, and then all `rows` there are. */
  readonly slices: number;
}

/** How the work is laid out; a plain record, so that tuning results can be kept in a file. */
export type MatmulTile = BroadcastTile | SharedTile | RegisterTile;

/** Threads in a workgroup of the tiled form. */
export function sharedThreads(tile: SharedTile): number {
  return tile.rows / tile.threadRows * (tile.columns / tile.threadColumns);
}

/** The tile for a product. It depends on shapes alone, never on dtypes: so fused casts change no sum. */
export function defaultTile(description: MatmulDescription, target: Target): MatmulTile {
  const extents = tileProblem(description);
  if (target.kind !== "software") return hardwareTile(extents);
  return target.subgroupSize > 0
    ? cheapestBroadcast(extents, target.subgroupSize)
    : softwareRegisterTile(extents);
}

interface TileProblem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
}

function tileProblem(description: MatmulDescription): TileProblem {
  const folded = foldBatch(description);
  const { m, n, k } = folded;
  return { m, n, k, batch: batchCount(folded) };
}

function hardwareTile({ m, n, k, batch }: TileProblem): MatmulTile {
  const few = Math.min(m, n);
  if (few <= 8) {
    // Too few sums to occupy a GPU: where k is long it is dealt out.
    const axis: ThreadAxis = m < n ? "columns" : "rows";
    return { mode: "register", axis, rows: few, vectors: 1, slices: k >= 256 ? 32 : 1 };
  }
  // The largest tile that still gives every multiprocessor of a large GPU a few workgroups.
  const fits = (rows: number, columns: number) =>
    Math.ceil(m / rows) * Math.ceil(n / columns) * batch >= 256;
  if (fits(128, 64)) return sharedTile(128, 64);
  return fits(64, 64) ? sharedTile(64, 64) : sharedTile(32, 32);
}

/** A tile of which each thread computes four or eight rows of four columns. */
function sharedTile(rows: number, columns: number): SharedTile {
  const threadRows = rows * columns > 4096 ? 8 : 4;
  return { mode: "shared", rows, columns, depth: 16, threadRows, threadColumns: 4 };
}

function softwareRegisterTile({ m, n }: TileProblem): RegisterTile {
  const axis: ThreadAxis = n < 32 && m > n ? "rows" : "columns";
  const [long, short] = axis === "columns" ? [n, m] : [m, n];
  const vectors = long >= 64 ? 2 : 1;
  return { mode: "register", axis, rows: Math.min(short, 8), vectors, slices: 1 };
}

/**
 * What a vector load costs on a CPU driver, in multiply-adds of as many lanes: about ten with AVX-512, forty
 * without, where inserting a lane into a register goes through memory and stalls.
 */
const loadCost = 20;

/** The tile that does least, the places past the ends of the result included. */
function cheapestBroadcast(extents: TileProblem, lanes: number): BroadcastTile {
  const { m, n, k, batch } = extents;
  const work = m * n * k * batch;
  // Compile time goes with rows times vectors: about 30, 130 and 250 ms for 32, 128 and 256 of their
  // product, which little work does not earn back.
  const most = work < 2 ** 20 ? 16 : 32;
  const candidates = broadcastTiles(extents, lanes, most, work < 2 ** 26 ? [1] : [1, 2]);
  const cost = ({ axis, rows, vectors }: BroadcastTile) => {
    const [own, common] = axis === "columns" ? [n, m] : [m, n];
    const places = 4 * lanes * vectors;
    const sums = Math.ceil(own / places) * places * Math.ceil(common / rows) * rows;
    return sums * (1 + loadCost * (1 / rows + 1 / places));
  };
  return candidates.reduce((best, tile) => cost(tile) < cost(best) ? tile : best);
}

/** Tiles along columns first: their rows are powers of two, so that batch sizes share texts. */
function broadcastTiles(
  { m, n }: TileProblem,
  lanes: number,
  most: number,
  vectorCounts: readonly number[],
): BroadcastTile[] {
  const tiles: BroadcastTile[] = [];
  const add = (axis: ThreadAxis, rows: number) => {
    const unroll = Math.max(1, Math.min(4, Math.floor(lanes / rows)));
    for (const vectors of vectorCounts) {
      tiles.push({ mode: "broadcast", axis, rows, vectors, unroll });
    }
  };
  for (let rows = 1; rows <= most; rows *= 2) {
    // Fewer than four rows at a time only where there are no more.
    if ((rows >= 4 || rows >= m) && rows < 2 * m) add("columns", rows);
  }
  const blocks = Math.ceil(n / most);
  add("rows", n <= 8 ? n : 4 * Math.ceil(n / blocks / 4));
  return tiles;
}

/** Tiles worth measuring for a product; each is right on every target that is given it. */
export function candidateTiles(description: MatmulDescription, target: Target): MatmulTile[] {
  const extents = tileProblem(description);
  const { m, n } = extents;
  const tiles: MatmulTile[] = [defaultTile(description, target)];
  for (const axis of ["columns", "rows"] as const) {
    const short = axis === "columns" ? m : n;
    for (const vectors of [1, 2]) {
      const rows = Math.min(short, 8);
      tiles.push({ mode: "register", axis, rows, vectors, slices: 1 });
    }
    if (short > 8) continue;
    for (const slices of [8, 32, 128]) {
      tiles.push({ mode: "register", axis, rows: short, vectors: 1, slices });
    }
  }
  if (target.subgroupSize > 0) {
    tiles.push(...broadcastTiles(extents, target.subgroupSize, 64, [1, 2]));
  }
  for (const [rows, columns] of [[32, 32], [64, 64], [128, 64]] as const) {
    const tile = sharedTile(rows, columns);
    // Both tiles hold 32-bit sums' operands.
    const bytes = 4 * (rows + columns) * tile.depth;
    if (bytes <= target.maxWorkgroupStorage && sharedThreads(tile) <= target.maxInvocations) {
      tiles.push(tile);
    }
  }
  return [...new Map(tiles.map((tile) => [JSON.stringify(tile), tile])).values()];
}
