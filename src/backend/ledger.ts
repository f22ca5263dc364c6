// The ledger of live arrays: how many bytes are held, the most there have been, and the limit.

/** What `memoryStats()` reports. */
export interface MemoryStats {
  /** Arrays that are held. */
  readonly liveArrays: number;
  /** Bytes that they take on the device. */
  readonly liveBytes: number;
  /** Bytes kept for reuse that no array holds. */
  readonly pooledBytes: number;
  /** The most that was live at once. */
  readonly peakBytes: number;
}

/** Counts arrays and bytes, and refuses what goes past the limit. */
export class Ledger {
  readonly #limit: number;
  readonly #labels = new Map<string, { count: number; bytes: number }>();
  #arrays = 0;
  #bytes = 0;
  #peak = 0;

  /** @param limit bytes that may be live at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Enters an array; throws a RangeError that lists what is live where the limit would be passed. */
  enter(label: string, bytes: number): void {
    if (this.#bytes + bytes > this.#limit) throw this.#exceeded(label, bytes);
    this.#arrays++;
    this.#bytes += bytes;
    const entry = this.#labels.get(label) ?? { count: 0, bytes: 0 };
    this.#labels.set(label, { count: entry.count + 1, bytes: entry.bytes + bytes });
    this.note(0);
  }

  /** Removes an array. */
  leave(label: string, bytes: number): void {
    this.#arrays--;
    this.#bytes -= bytes;
    const { count, bytes: held } = this.#labels.get(label)!;
    if (count === 1) this.#labels.delete(label);
    else this.#labels.set(label, { count: count - 1, bytes: held - bytes });
  }

  /** Counts bytes that are held for a moment beside the live arrays. */
  note(temporaryBytes: number): void {
    this.#peak = Math.max(this.#peak, this.#bytes + temporaryBytes);
  }

  /** Starts the peak again from what is live. */
  resetPeak(): void {
    this.#peak = this.#bytes;
  }

  /** The figures now. */
  stats(pooledBytes: number): MemoryStats {
    return { liveArrays: this.#arrays, liveBytes: this.#bytes, pooledBytes, peakBytes: this.#peak };
  }

  #exceeded(label: string, bytes: number): RangeError {
    const largest = [...this.#labels].sort((a, b) => b[1].bytes - a[1].bytes).slice(0, 8)
      .map(([name, e]) => `  ${e.count} x ${name}: ${e.bytes} bytes`);
    return new RangeError(
      `Cannot allocate ${label}: ${bytes} bytes more would pass the memory limit of ${this.#limit}; live are ${this.#arrays} arrays of ${this.#bytes} bytes:\n${
        largest.join("\n")
      }\nRelease arrays with scope(fn), dispose() or jit's donateArgnums, or raise init({ memoryLimit })`,
    );
  }
}

/** Reference counting that storages of every backend share. */
export abstract class CountedStorage {
  /** Handles that hold this storage. */
  references = 1;

  /** One more handle holds it. */
  retain(): void {
    this.references++;
  }

  /** One handle fewer; the last one frees the memory. */
  release(): void {
    if (--this.references === 0) this.free();
  }

  /** Gives the memory back. */
  protected abstract free(): void;
}
