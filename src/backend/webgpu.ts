// The WebGPU backend: arrays in buffers, programs as recorded dispatches.

import { compile, paddedBytes } from "../compile/compile.ts";
import type { OpenDevice } from "../gpu/device.ts";
import { Reader } from "../gpu/readback.ts";
import { type Aval, showAval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import type { Storage } from "../ir/value.ts";
import type { Backend, DeviceInfo, Executable } from "./backend.ts";
import { type BufferStorage, GpuContext } from "./gpu_context.ts";
import { GpuProgram } from "./gpu_program.ts";
import type { MemoryStats } from "./ledger.ts";

/** Arrays and programs on one WebGPU device. */
export class WebGPUBackend extends GpuContext implements Backend {
  readonly info: DeviceInfo;
  readonly canReadSync: boolean;
  readonly #reader: Reader;

  /** @param memoryLimit bytes of live arrays past which allocation is refused. */
  constructor(open: OpenDevice, memoryLimit: number) {
    super(open, memoryLimit);
    const { device, info, features, target } = open;
    this.info = {
      backend: "webgpu",
      name: info.description || info.device || "unknown adapter",
      vendor: info.vendor,
      software: target.kind === "software",
      features,
      limits: limitsOf(device),
    };
    this.#reader = new Reader(device, this.recorder);
    const probe = this.pool.take(16);
    this.canReadSync = this.#reader.canReadSynchronously(probe);
    this.pool.give(probe);
  }

  upload(aval: Aval, bytes: Uint8Array): Storage {
    this.checkHealth();
    // `writeBuffer` takes effect before commands recorded but not yet submitted: no buffer of theirs will do.
    const storage = this.allocate(showAval(aval), paddedBytes(aval), this.recorder.submission);
    const whole = bytes.length % 4 === 0 ? bytes : padToWord(bytes);
    // A size beyond the data aborts the process, so none is given.
    if (whole.length > 0) {
      this.device.queue.writeBuffer(storage.buffer.gpu, 0, whole as Uint8Array<ArrayBuffer>);
    }
    return storage;
  }

  async read(storage: Storage, bytes: number): Promise<Uint8Array> {
    await this.#settle();
    const copy = await this.#reader.read((storage as BufferStorage).buffer, wholeWords(bytes));
    await this.#settle();
    return copy.subarray(0, bytes);
  }

  readSync(storage: Storage, bytes: number): Uint8Array {
    this.checkHealth();
    const copy = this.#reader.readSync((storage as BufferStorage).buffer, wholeWords(bytes));
    return copy.subarray(0, bytes);
  }

  compile(graph: Graph, donated: readonly boolean[]): Executable {
    return new GpuProgram(this, compile(graph, donated, this.target));
  }

  async wait(): Promise<void> {
    this.recorder.submit();
    if (this.canReadSync) {
      // Reading one word waits for all that was submitted before, without the event loop's 10 ms.
      const probe = this.pool.take(16);
      this.#reader.readSync(probe, 16);
      this.pool.give(probe);
    } else await this.device.queue.onSubmittedWorkDone();
    await this.#settle();
  }

  memoryStats(): MemoryStats {
    return this.ledger.stats(this.pool.pooledBytes);
  }

  resetPeakMemory(): void {
    this.ledger.resetPeak();
  }

  async #settle(): Promise<void> {
    await this.pipelines.settle();
    this.checkHealth();
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
  // The limits are getters of a prototype, so for-in alone lists them.
  for (const name in device.limits) {
    if (typeof device.limits[name as keyof GPUSupportedLimits] !== "number") continue;
    limits[name] = device.limits[name as keyof GPUSupportedLimits] as number;
  }
  return limits;
}
