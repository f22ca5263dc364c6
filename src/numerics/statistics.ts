// Looking at arrays on the device: statistics are started where an array is at hand and read later, all in a row.

import type { NDArray } from "../array.ts";
import type { FloatDType } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Value } from "../ir/value.ts";
import {
  type RangeStatistics,
  rangeStatistics,
  readRangeStatistics,
} from "../ops/range_statistics.ts";

/** Statistics of an array that the device is about to have. */
export class PendingStatistics {
  readonly #rows: NDArray;
  readonly #size: number;

  /** Looks at an array, which may be given up afterwards. */
  constructor(x: Value, reference?: Value, dtype?: FloatDType) {
    this.#rows = rangeStatistics(x, reference, dtype) as NDArray;
    this.#size = sizeOf(x.aval.shape);
  }

  /** Reads them; once. */
  async read(): Promise<RangeStatistics> {
    const rows = await this.#rows.data() as Uint32Array;
    this.dispose();
    return readRangeStatistics(rows, this.#size);
  }

  /** {@linkcode PendingStatistics.read} at once, where the runtime allows it. */
  readSync(): RangeStatistics {
    const rows = this.#rows.dataSync() as Uint32Array;
    this.dispose();
    return readRangeStatistics(rows, this.#size);
  }

  /** Gives them up. */
  dispose(): void {
    this.#rows.consume("the statistics that read it");
  }
}
