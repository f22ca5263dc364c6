// Recording: dispatches gather in one compute pass and are submitted together, at a read or when enough
// work waits. A submit costs 45-110 us, a further dispatch in an open pass about 1.

import type { DeviceBuffer } from "./buffer_pool.ts";

/** Dispatches after which recorded work is submitted, so that the device starts while more is recorded. */
const dispatchesPerSubmit = 64;

/** Records commands for one device's queue. */
export class Recorder {
  readonly #device: GPUDevice;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #dispatches = 0;
  /** The number of the submission being recorded. */
  submission = 0;

  /** A recorder for one device. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Records one dispatch. The buffers that `bindGroup` holds are marked as in use. */
  dispatch(
    pipeline: GPUComputePipeline,
    bindGroup: GPUBindGroup,
    [x, y, z]: readonly [number, number, number],
    buffers: readonly DeviceBuffer[],
  ): void {
    this.#pass ??= this.#commands().beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, bindGroup);
    this.#pass.dispatchWorkgroups(x, y, z);
    for (const buffer of buffers) buffer.submission = this.submission;
    if (++this.#dispatches >= dispatchesPerSubmit) this.submit();
  }

  /** Records a copy of a buffer's bytes to one of at least its size. */
  copy(source: DeviceBuffer, target: DeviceBuffer): void {
    this.#pass?.end();
    this.#pass = undefined;
    const bytes = Math.min(source.gpu.size, target.gpu.size);
    this.#commands().copyBufferToBuffer(source.gpu, 0, target.gpu, 0, bytes);
    source.submission = target.submission = this.submission;
  }

  /** Records a copy to a buffer that the host will map, and submits everything. */
  copyAndSubmit(source: DeviceBuffer, target: GPUBuffer, bytes: number): void {
    this.#pass?.end();
    this.#pass = undefined;
    this.#commands().copyBufferToBuffer(source.gpu, 0, target, 0, bytes);
    this.submit();
  }

  /** Submits what was recorded. */
  submit(): void {
    if (!this.#encoder) return;
    this.#pass?.end();
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#pass = undefined;
    this.#encoder = undefined;
    this.#dispatches = 0;
    this.submission++;
  }

  #commands(): GPUCommandEncoder {
    return this.#encoder ??= this.#device.createCommandEncoder();
  }
}
