// Cumulative sums, products, maxima and minima: which kernels a scan takes.

import type { CombineOperation } from "../combine.ts";
import { inputArray, type KernelSequence, outputArray, SequenceBuilder } from "../sequence.ts";
import type { StorageFormat } from "../storage.ts";
import type { Target } from "../target.ts";
import {
  chunkCarriesKernel,
  chunkLength,
  chunkTotals,
  chunkTotalsKernel,
  type ColumnScanDescription,
  columnScanKernel,
  needsPacking,
  packResultsKernel,
} from "./column_scan.ts";
import {
  tileCarriesKernel,
  type TileScanDescription,
  tileScanKernel,
  tileTotalsKernel,
  tilingOf,
} from "./tile_scan.ts";

/** What {@linkcode scanSteps} computes. */
export interface ScanDescription {
  /** How the operand and the output are stored. */
  readonly format: StorageFormat;
  /** add: cumulative sum; mul: product; max and min: the extremum so far. */
  readonly operation: CombineOperation;
  /** From the end of the axis to its beginning. */
  readonly reverse: boolean;
  /** Operand and output are `[outer, length, inner]`; the scan goes along the middle axis. */
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Bytes of an accumulator: float32 or a 32-bit integer. */
const accumulatorBytes = 4;

function addTileScan(
  builder: SequenceBuilder,
  description: TileScanDescription,
  target: Target,
): void {
  const tiling = tilingOf(description, target);
  const scan = tileScanKernel(description, tiling, target);
  if (!tiling.carries) {
    builder.step(scan, inputArray(0), outputArray(0));
    return;
  }
  const totals = builder.temporary(tiling.tiles * 2 * accumulatorBytes);
  builder.step(tileTotalsKernel(description, tiling, target), inputArray(0), totals);
  builder.step(tileCarriesKernel(description, tiling, target), totals);
  builder.step(scan, inputArray(0), totals, outputArray(0));
}

function addColumnScan(
  builder: SequenceBuilder,
  description: ColumnScanDescription,
  target: Target,
): void {
  const { format, outer, length, inner } = description;
  const size = outer * length * inner;
  const chunk = chunkLength(description);
  const packing = needsPacking(description);
  const results = packing ? builder.temporary(size * accumulatorBytes) : outputArray(0);
  const scan = columnScanKernel(description, chunk, target);
  if (chunk < length) {
    const totals = builder.temporary(chunkTotals(description, chunk) * accumulatorBytes);
    builder.step(chunkTotalsKernel(description, chunk, target), inputArray(0), totals);
    builder.step(chunkCarriesKernel(description, chunk, target), totals);
    builder.step(scan, inputArray(0), totals, results);
  } else builder.step(scan, inputArray(0), results);
  if (packing) builder.step(packResultsKernel(size, format, target), results, outputArray(0));
}

/**
 * Scans along the middle axis of `[outer, length, inner]`: element `l` of the output combines elements 0
 * to `l` of the operand (`l` to the last in reverse), in float32 and rounded once on the store; integers
 * wrap around; booleans take "or" for add and max, "and" for mul and min. A NaN stays in a maximum or a
 * minimum from where it stands on, and -0 is less than +0 there.
 *
 * Input 0 is the operand, output 0 has its shape and format. Long rows are cut up, totalled, and scanned
 * from what came before; the grouping depends on the
 * extents and the workgroup's size only, so the same bits come every time.
 */
export function scanSteps(description: ScanDescription, target: Target): KernelSequence {
  const { format, operation, reverse, outer, length, inner } = description;
  const builder = new SequenceBuilder();
  if (outer * length * inner === 0) return builder.finish();
  if (inner === 1) {
    addTileScan(builder, { format, operation, reverse, rows: outer, length }, target);
  } else addColumnScan(builder, { format, operation, reverse, outer, length, inner }, target);
  return builder.finish();
}
