// Waits for a WebGPU queue without Deno's event loop, which sleeps 10 ms between polls.

const BYTES = 16;

/**
 * Waits until a device has done all that was submitted. `await queue.onSubmittedWorkDone()` would add up to
 * 11 ms to every sample; reading a word back at once, from a staging buffer that was mapped when it was made,
 * adds 0.05 to 0.3 ms, and it is what this library does itself. So every library is waited for alike.
 */
export class QueueDrain {
  readonly #device: GPUDevice;
  readonly #source: GPUBuffer;
  readonly #staging: GPUBuffer;

  /** A drain for the queue of one device. */
  constructor(device: GPUDevice) {
    this.#device = device;
    this.#source = device.createBuffer({ size: BYTES, usage: GPUBufferUsage.COPY_SRC });
    this.#staging = device.createBuffer({
      size: BYTES,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      // `getMappedRange` on a buffer that never was mapped aborts the process.
      mappedAtCreation: true,
    });
    this.#staging.unmap();
  }

  /** Returns when the queue is empty. */
  wait(): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#source, 0, this.#staging, 0, BYTES);
    this.#device.queue.submit([encoder.finish()]);
    this.#staging.mapAsync(GPUMapMode.READ).catch(() => {/* unmapped before it resolved */});
    this.#staging.getMappedRange();
    this.#staging.unmap();
  }
}
