// The WebGPU backend: arrays in buffers, programs as recorded dispatches.

import { byteSize } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { compile, paddedBytes } from "../compile/compile.ts";
import { BufferPool, type DeviceBuffer } from "../gpu/buffer_pool.ts";
import type { OpenDevice } from "../gpu/device.ts";
import { PipelineCache } from "../gpu/pipelines.ts";
import { Reader } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import { type Aval, showAval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import type { Storage } from "../ir/value.ts";
import type { Backend, DeviceInfo, Executable } from "./backend.ts";
import { CountedStorage, Ledger, type MemoryStats } from "./ledger.ts";
import { GpuProgram } from "./gpu_program.ts";

/** An array's bytes in a device buffer. */
export class BufferStorage extends CountedStorage implements Storage {
  readonly backend: WebGPUBackend;
  readonly bytes: number;
  readonly buffer: DeviceBuffer;
  readonly label: string;

  /** Takes over a buffer that is entered in the ledger already. */
  constructor(backend: WebGPUBackend, buffer: DeviceBuffer, bytes: number, label: string) {
    super();
    this.backend = backend;
    this.buffer = buffer;
    this.bytes = bytes;
    this.label = label;
  }

  protected free(): void {
    this.backend.ledger.leave(this.label, this.bytes);
    this.backend.pool.give(this.buffer);
  }
}

/** Arrays and programs on one WebGPU device. */
export class WebGPUBackend implements Backend {
  readonly info: DeviceInfo;
  readonly device: GPUDevice;
  readonly target: OpenDevice["target"];
  readonly pool: BufferPool;
  readonly recorder: Recorder;
  readonly pipelines: PipelineCache;
  readonly ledger: Ledger;
  readonly #reader: Reader;
  #failure: Error | undefined;

  /** @param memoryLimit bytes of live arrays past which allocation is refused. */
  constructor(open: OpenDevice, memoryLimit: number) {
    const { device, info, features, target } = open;
    this.device = device;
    this.target = target;
    this.pool = new BufferPool(device);
    this.recorder = new Recorder(device);
    this.pipelines = new PipelineCache(device);
    this.ledger = new Ledger(memoryLimit);
    this.#reader = new Reader(device, this.recorder);
    this.info = {
      backend: "webgpu",
      name: info.description || info.device || "unknown adapter",
      vendor: info.vendor,
      software: target.kind === "software",
      features,
      limits: limitsOf(device),
    };
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= new Error(
        `The device reported an error: ${(event as GPUUncapturedErrorEvent).error.message}`,
      );
    });
    device.lost.then((lost) => {
      this.#failure = new Error(
        `The device was lost (${lost.reason}: ${lost.message}); call init() for a new one and load your arrays again`,
      );
      this.#lost = true;
    });
    const probe = this.pool.take(16);
    this.#reader.canReadSynchronously(probe);
    this.pool.give(probe);
  }

  #lost = false;

  /** Whether the device is gone for good. */
  get lost(): boolean {
    return this.#lost;
  }

  get canReadSync(): boolean {
    const probe = this.pool.take(16);
    this.pool.give(probe);
    return this.#reader.canReadSynchronously(probe);
  }

  /** Throws what the device reported since it was last asked; a lost device is reported every time. */
  checkHealth(): void {
    const failure = this.#failure;
    if (!this.#lost) this.#failure = undefined;
    if (failure) throw failure;
    this.pipelines.throwFailure();
  }

  /** Memory for an array, counted as live. Refused with a RangeError before anything is allocated. */
  allocate(label: string, bytes: number): BufferStorage {
    this.checkBindable(label, bytes);
    this.ledger.enter(label, bytes);
    return new BufferStorage(this, this.pool.take(bytes), bytes, label);
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

  upload(aval: Aval, bytes: Uint8Array): BufferStorage {
    this.checkHealth();
    const label = showAval(aval);
    const size = paddedBytes(aval);
    this.checkBindable(label, size);
    this.ledger.enter(label, size);
    const buffer = this.pool.take(size, this.recorder.submission);
    const whole = bytes.length % 4 === 0 ? bytes : padToWord(bytes);
    // A size beyond the data aborts the process, so none is given.
    if (whole.length > 0) {
      this.device.queue.writeBuffer(buffer.gpu, 0, whole as Uint8Array<ArrayBuffer>);
    }
    buffer.submission = this.recorder.submission - 1;
    return new BufferStorage(this, buffer, size, label);
  }

  async read(storage: Storage, bytes: number): Promise<Uint8Array> {
    await this.pipelines.settle();
    this.checkHealth();
    const copy = await this.#reader.read((storage as BufferStorage).buffer, wholeWords(bytes));
    await this.pipelines.settle();
    this.checkHealth();
    return copy.subarray(0, bytes);
  }

  readSync(storage: Storage, bytes: number): Uint8Array {
    this.checkHealth();
    return this.#reader.readSync((storage as BufferStorage).buffer, wholeWords(bytes)).subarray(
      0,
      bytes,
    );
  }

  compile(graph: Graph, donated: readonly boolean[]): Executable {
    return new GpuProgram(this, compile(graph, donated, this.target));
  }

  async wait(): Promise<void> {
    this.recorder.submit();
    await this.pipelines.settle();
    if (this.canReadSync) {
      // Reading one word waits for all that was submitted before, without the event loop's 10 ms.
      const probe = this.pool.take(16);
      this.#reader.readSync(probe, 16);
      this.pool.give(probe);
    } else await this.device.queue.onSubmittedWorkDone();
    this.checkHealth();
  }

  memoryStats(): MemoryStats {
    return this.ledger.stats(this.pool.pooledBytes);
  }

  resetPeakMemory(): void {
    this.ledger.resetPeak();
  }
}

function wholeWords(bytes: number): number {
  return Math.max(4, Math.ceil(bytes / 4) * 4);
}

function padToWord(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(wholeWords(bytes.length));
  padded.set(bytes);
  return padded;
}

function limitsOf(device: GPUDevice): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const name in device.limits) {
    const value = device.limits[name as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[name] = value;
  }
  return limits;
}

/** Bytes of an array's elements, without padding. */
export function elementBytes(aval: Aval): number {
  return byteSize(aval.dtype, sizeOf(aval.shape));
}
