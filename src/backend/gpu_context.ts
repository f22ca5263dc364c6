// What the parts of the WebGPU backend share: the device with its pool, recorder, pipelines and ledger, and
// arrays as counted buffers.

import { BufferPool, type DeviceBuffer } from "../gpu/buffer_pool.ts";
import type { OpenDevice } from "../gpu/device.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { Recorder } from "../gpu/recorder.ts";
import type { Storage } from "../ir/value.ts";
import type { Target } from "../../kernels/target.ts";
import { CountedStorage, Ledger } from "./ledger.ts";

/** Bytes that may always wait for reuse: 512 MiB. */
const leastPooled = 2 ** 29;

/** An array's bytes in a device buffer. */
export class BufferStorage extends CountedStorage implements Storage {
  readonly backend: GpuContext;
  readonly bytes: number;
  readonly buffer: DeviceBuffer;
  readonly label: string;

  /** Takes over a buffer that is entered in the ledger already. */
  constructor(backend: GpuContext, buffer: DeviceBuffer, bytes: number, label: string) {
    super();
    this.backend = backend;
    this.buffer = buffer;
    this.bytes = bytes;
    this.label = label;
  }

  protected free(): void {
    this.backend.ledger.leave(this.label, this.bytes);
    this.backend.reclaim(this.buffer);
  }
}

/** One device and what is kept about it. */
export class GpuContext {
  readonly device: GPUDevice;
  readonly target: Target;
  readonly pool: BufferPool;
  readonly recorder: Recorder;
  readonly pipelines: PipelineCache;
  readonly ledger: Ledger;
  #failure: Error | undefined;
  #lost = false;

  /** @param memoryLimit bytes of live arrays past which allocation is refused. */
  constructor({ device, target }: OpenDevice, memoryLimit: number) {
    this.device = device;
    this.target = target;
    this.pool = new BufferPool(device);
    this.recorder = new Recorder(device);
    this.pipelines = new PipelineCache(device);
    this.ledger = new Ledger(memoryLimit);
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { message } = (event as GPUUncapturedErrorEvent).error;
      this.#failure ??= new Error(`The device reported an error: ${message}`);
    });
    device.lost.then(({ reason, message }) => {
      this.#lost = true;
      this.#failure = new Error(
        `The device was lost (${reason}: ${message}); call init() for a new one and load your arrays again`,
      );
    });
  }

  /** Whether the device is gone for good. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Throws what the device reported since it was last asked; a lost device is reported every time. */
  checkHealth(): void {
    const failure = this.#failure;
    if (!this.#lost) this.#failure = undefined;
    if (failure) throw failure;
    this.pipelines.throwFailure();
  }

  /** Memory for an array, counted as live. Refused with a RangeError before anything is allocated. */
  allocate(label: string, bytes: number, writableBefore?: number): BufferStorage {
    this.checkBindable(label, bytes);
    this.ledger.enter(label, bytes);
    return new BufferStorage(this, this.pool.take(bytes, writableBefore), bytes, label);
  }

  /** Keeps a buffer for its next use; where far more wait than were ever live at once, all are destroyed. */
  reclaim(buffer: DeviceBuffer): void {
    this.pool.give(buffer);
    const limit = Math.max(leastPooled, this.ledger.stats(0).peakBytes);
    if (this.pool.pooledBytes <= limit) return;
    // Commands that are recorded but not submitted must not find their buffers destroyed.
    this.recorder.submit();
    this.pool.trim();
  }

  /** Too large a buffer would be a validation error long after the call that asked for it. */
  checkBindable(label: string, bytes: number): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes <= limit) return;
    throw new RangeError(
      `Cannot allocate ${label}: one array may take ${limit} bytes on this device, got ${bytes}; split it along an axis`,
    );
  }
}
