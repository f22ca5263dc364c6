// Reading arrays back. Awaiting `mapAsync` costs 11 ms in Deno, because its event loop sleeps between polls;
// a buffer that was mapped once at creation can be read at once instead, which is 0.05-0.3 ms.

import type { DeviceBuffer } from "./buffer_pool.ts";
import type { Recorder } from "./recorder.ts";

/** Staging buffers larger than this are destroyed after use instead of kept. */
const largestKept = 64 * 2 ** 20;

/** Reads buffers of one device. */
export class Reader {
  readonly #device: GPUDevice;
  readonly #recorder: Recorder;
  #staging: GPUBuffer | undefined;
  #synchronous: boolean | undefined;

  /** A reader for one device, behind everything that its recorder holds. */
  constructor(device: GPUDevice, recorder: Recorder) {
    this.#device = device;
    this.#recorder = recorder;
  }

  /**
   * Whether reading without waiting for the event loop works here: `getMappedRange` directly after
   * `mapAsync`, which relies on Deno's internals. Tried once, on a buffer made so that failure is an
   * exception: on one that was never mapped the same call aborts the process.
   */
  canReadSynchronously(probe: DeviceBuffer): boolean {
    if (this.#synchronous === undefined) {
      try {
        const expected = new Uint32Array([0x5eed1234, 0, 0, 0]);
        this.#device.queue.writeBuffer(probe.gpu, 0, expected);
        const [word] = new Uint32Array(this.#readNow(probe, 16).buffer);
        this.#synchronous = word === expected[0];
      } catch {
        this.#staging = undefined;
        this.#synchronous = false;
      }
    }
    return this.#synchronous;
  }

  /** The first `bytes` (a multiple of 4) of a buffer, at once. Only where that is known to work. */
  readSync(source: DeviceBuffer, bytes: number): Uint8Array {
    if (!this.#synchronous) {
      throw new Error(
        "Cannot read synchronously: this runtime has to wait for its event loop; use the async form, `await x.data()`",
      );
    }
    return this.#readNow(source, bytes);
  }

  /** The first `bytes` (a multiple of 4) of a buffer. */
  async read(source: DeviceBuffer, bytes: number): Promise<Uint8Array> {
    if (this.#synchronous) return this.#readNow(source, bytes);
    const staging = this.#makeStaging(bytes);
    this.#recorder.copyAndSubmit(source, staging, bytes);
    await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const copy = new Uint8Array(staging.getMappedRange(0, bytes).slice(0));
    staging.destroy();
    return copy;
  }

  #readNow(source: DeviceBuffer, bytes: number): Uint8Array {
    let staging = this.#staging;
    if (!staging || staging.size < bytes) {
      staging?.destroy();
      staging = this.#staging = this.#makeStaging(Math.max(bytes, 4096));
    }
    this.#recorder.copyAndSubmit(source, staging, bytes);
    staging.mapAsync(GPUMapMode.READ, 0, bytes).catch(
      () => {/* unmapped again before it resolved */},
    );
    const copy = new Uint8Array(staging.getMappedRange(0, bytes).slice(0));
    staging.unmap();
    if (staging.size > largestKept) {
      staging.destroy();
      this.#staging = undefined;
    }
    return copy;
  }

  /** A staging buffer that was mapped once, since `getMappedRange` on one that never was aborts the process. */
  #makeStaging(bytes: number): GPUBuffer {
    const staging = this.#device.createBuffer({
      size: Math.max(16, Math.ceil(bytes / 16) * 16),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      mappedAtCreation: true,
    });
    staging.unmap();
    return staging;
  }
}
