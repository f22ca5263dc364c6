// What the rest of the library asks of a backend.

import type { Aval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import type { Storage } from "../ir/value.ts";
import type { MemoryStats } from "./ledger.ts";

/** What a compiled program takes of memory, in bytes. */
export interface MemoryAnalysis {
  /** What goes in. */
  readonly argumentBytes: number;
  /** What comes out. */
  readonly outputBytes: number;
  /** Buffers that live only while the program runs. */
  readonly tempBytes: number;
  /** Arguments, results and temporaries together. */
  readonly peakBytes: number;
}

/** A graph made ready to run. */
export interface Executable {
  /** Runs on stored arrays; the results carry one reference each. Donated inputs may be taken over. */
  run(inputs: readonly Storage[]): readonly Storage[];
  /** Kernels launched by a run. */
  readonly dispatches: number;
  /** The program's WGSL, kernel by kernel; empty where there is none. */
  wgsl(): string;
  memoryAnalysis(): MemoryAnalysis;
  /** The graph that runs, after simplification. */
  readonly graph: Graph;
}

/** What `deviceInfo()` reports. */
export interface DeviceInfo {
  /** What computes. */
  readonly backend: "webgpu" | "cpu";
  /** The adapter's name. */
  readonly name: string;
  /** The adapter's maker. */
  readonly vendor: string;
  /** Whether the work is done by a CPU. */
  readonly software: boolean;
  /** The WebGPU features in use. */
  readonly features: readonly string[];
  /** The device's WebGPU limits. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Where arrays live and programs run. */
export interface Backend {
  readonly info: DeviceInfo;
  /** Stores an array given in the device's layout. */
  upload(aval: Aval, bytes: Uint8Array): Storage;
  /** The first `bytes` of an array. */
  read(storage: Storage, bytes: number): Promise<Uint8Array>;
  /** The same at once; throws an error that names the async form where the runtime cannot. */
  readSync(storage: Storage, bytes: number): Uint8Array;
  readonly canReadSync: boolean;
  compile(graph: Graph, donated: readonly boolean[]): Executable;
  /** Resolves when everything recorded so far has run. */
  wait(): Promise<void>;
  memoryStats(): MemoryStats;
  resetPeakMemory(): void;
}

let active: Backend | undefined;

/** The backend in use. */
export function currentBackend(): Backend {
  if (!active) {
    throw new Error("Cannot compute: there is no device yet; call `await init()` first");
  }
  return active;
}

/** Puts a backend in use; undefined leaves none. */
export function setBackend(backend: Backend | undefined): void {
  active = backend;
}

/** The backend in use, if any. */
export function activeBackend(): Backend | undefined {
  return active;
}
