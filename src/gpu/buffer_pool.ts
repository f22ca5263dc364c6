// The buffer pool. Dropped GPUBuffers are not collected in Deno (V8 does not see their memory), so every
// buffer is destroyed explicitly or kept here to be used again.

/** A buffer on the device, known to the pool by its number. */
export interface DeviceBuffer {
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly bytes: number;
  /** The last submission that reads or writes it; see {@linkcode BufferPool.take}. */
  submission: number;
}

const usage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Hands out storage buffers and takes them back. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<number, DeviceBuffer[]>();
  #ids = 0;
  /** Bytes of buffers that wait here for a next use. */
  pooledBytes = 0;

  /** A pool of buffers on one device. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * A buffer of at least `bytes`.
   * @param writableBefore a submission number: the buffer must not be used in that one or later, because
   * `writeBuffer` takes effect before commands that are recorded but not yet submitted.
   */
  take(bytes: number, writableBefore = Infinity): DeviceBuffer {
    const size = sizeClass(bytes);
    const free = this.#free.get(size);
    const found = free?.findLastIndex((b) => b.submission < writableBefore) ?? -1;
    if (found >= 0) {
      const [buffer] = free!.splice(found, 1) as [DeviceBuffer];
      this.pooledBytes -= size;
      return buffer;
    }
    return {
      id: this.#ids++,
      gpu: this.#device.createBuffer({ size, usage: usage() }),
      bytes: size,
      submission: -1,
    };
  }

  /** Takes a buffer back. */
  give(buffer: DeviceBuffer): void {
    let free = this.#free.get(buffer.bytes);
    if (!free) this.#free.set(buffer.bytes, free = []);
    free.push(buffer);
    this.pooledBytes += buffer.bytes;
  }

  /** Destroys every waiting buffer. Commands that use them must have been submitted. */
  trim(): void {
    for (const free of this.#free.values()) free.forEach((b) => b.gpu.destroy());
    this.#free.clear();
    this.pooledBytes = 0;
  }
}

/** Sizes are rounded up to eighths of a power of two, so that similar arrays share buffers at 12.5 % waste. */
export function sizeClass(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(bytes, 1))) - 3));
  return Math.max(256, Math.ceil(bytes / step) * step);
}
