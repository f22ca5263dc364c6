// Tiles: which kernel computes a product, and how much of it a workgroup takes.

import { baselineTarget, type Target } from "../target.ts";
import type { MatmulDescription } from "./description.ts";

/** How the work is laid out; a plain record, so that tuning results can be kept in a file. */
export type MatmulTile =
  /** One subgroup a workgroup: lanes own columns and share rows of A by broadcast. */
  | { readonly mode: "broadcast"; readonly rows: number; readonly vectors: number }
  /** Tiles of A and B in workgroup memory. */
  | {
    readonly mode: "shared";
    readonly rows: number;
    readonly columns: number;
    readonly depth: number;
  }
  /** Each thread for itself, a few rows by four columns. */
  | { readonly mode: "register"; readonly rows: number };

/** Multiples of `step` that cover `extent`, at most `most`. */
function cover(extent: number, step: number, most: number): number {
  return Math.min(most, Math.ceil(extent / step) * step);
}

/** The tile for a product. It depends on shapes alone, never on dtypes: so fused casts change no sum. */
export function defaultTile({ m, n }: MatmulDescription, target: Target): MatmulTile {
  const lanes = target.subgroupSize;
  if (target.kind !== "software") {
    if (m >= 32 && n >= 32) return { mode: "shared", rows: 64, columns: 64, depth: 16 };
    return { mode: "register", rows: Math.min(m, 4) };
  }
  if (lanes === 0 || m < 4) return { mode: "register", rows: Math.min(m, 8) };
  // On a CPU driver a load costs as much as twenty multiply-adds: tiles are as tall as registers allow.
  const vectors = n >= 8 * lanes && m >= 64 ? 2 : 1;
  return { mode: "broadcast", rows: cover(m, lanes, 4 * lanes), vectors };
}

/** Tiles worth measuring for a product; each is right on every target that is given it. */
export function candidateTiles(description: MatmulDescription, target: Target): MatmulTile[] {
  const { m } = description;
  const candidates: MatmulTile[] = [1, 2, 4, 8].map((rows) => ({ mode: "register", rows }));
  const lanes = target.subgroupSize;
  if (lanes > 0) {
    for (const times of [1, 2, 4]) {
      for (const vectors of [1, 2]) {
        if (lanes * times <= 64) {
          candidates.push({ mode: "broadcast", rows: lanes * times, vectors });
        }
      }
    }
  }
  const fits = target.maxWorkgroupStorage >= baselineTarget.maxWorkgroupStorage;
  if (fits) {
    candidates.push({ mode: "shared", rows: 64, columns: 64, depth: 16 });
    candidates.push({ mode: "shared", rows: 32, columns: 64, depth: 16 });
    if (m >= 128) candidates.push({ mode: "shared", rows: 128, columns: 64, depth: 8 });
  }
  return candidates;
}
