// The device as users see it: opening it, asking about it, and its memory.

import { checkOptions, describe } from "./core/errors.ts";
import {
  activeBackend,
  type Backend,
  currentBackend,
  type DeviceInfo,
  setBackend,
} from "./backend/backend.ts";
import { CpuBackend } from "./backend/cpu.ts";
import "./backend/eager.ts";
import type { MemoryStats } from "./backend/ledger.ts";
import { WebGPUBackend } from "./backend/webgpu.ts";
import { openDevice } from "./gpu/device.ts";

export type { DeviceInfo, MemoryStats };

/** What `init` may be told. */
export interface InitOptions {
  /** `"webgpu"` throws where there is no adapter; without it the CPU reference backend serves then. */
  readonly backend?: "webgpu" | "cpu";
  /** Which adapter to ask for on a machine with several. */
  readonly powerPreference?: "low-power" | "high-performance";
  /** Bytes of live arrays past which allocation throws a RangeError; 8 GiB by default, 64 on a discrete GPU. */
  readonly memoryLimit?: number;
}

const gibibyte = 2 ** 30;

let opening: Promise<unknown> = Promise.resolve();

/**
 * Opens the device that every array lives on. Await it once, before anything else; called again it returns
 * the same device, unless another backend is asked for or the device was lost.
 *
 * @throws {Error} if `backend: "webgpu"` is asked for and there is no adapter.
 *
 * @example
 * ```ts
 * import { init } from "@zenith/jax";
 *
 * const { backend, name } = await init();
 * console.log(backend, name);
 * ```
 */
export function init(options: InitOptions = {}): Promise<DeviceInfo> {
  checkInitOptions(options);
  // Calls that overlap take turns, so that two do not open two devices.
  const turn = opening.then(() => open(options));
  opening = turn.catch(() => {});
  return turn;
}

function checkInitOptions(options: InitOptions): void {
  checkOptions("init", options, ["backend", "powerPreference", "memoryLimit"]);
  const { backend, powerPreference, memoryLimit } = options;
  const oneOf = (name: string, value: unknown, allowed: readonly string[]) => {
    if (value === undefined || allowed.includes(value as string)) return;
    throw new TypeError(
      `Cannot init: ${name} must be one of ${allowed.join(", ")}, got ${describe(value)}`,
    );
  };
  oneOf("backend", backend, ["webgpu", "cpu"]);
  oneOf("powerPreference", powerPreference, ["low-power", "high-performance"]);
  if (memoryLimit !== undefined && !(typeof memoryLimit === "number" && memoryLimit > 0)) {
    throw new RangeError(
      `Cannot init: memoryLimit must be a positive number of bytes, got ${describe(memoryLimit)}`,
    );
  }
}

async function open(options: InitOptions): Promise<DeviceInfo> {
  const present = activeBackend();
  const wanted = options.backend;
  const lost = present instanceof WebGPUBackend && present.lost;
  if (present && !lost && (wanted === undefined || wanted === present.info.backend)) {
    return present.info;
  }
  const backend = wanted === "cpu"
    ? new CpuBackend(options.memoryLimit ?? 8 * gibibyte)
    : await openWebGPU(options);
  setBackend(backend);
  return backend.info;
}

async function openWebGPU(
  { backend, powerPreference, memoryLimit }: InitOptions,
): Promise<Backend> {
  const device = await openDevice({ powerPreference });
  if (device) {
    const limit = memoryLimit ?? (device.target.kind === "discrete" ? 64 : 8) * gibibyte;
    return new WebGPUBackend(device, limit);
  }
  if (backend === "webgpu") {
    throw new Error(
      'Cannot init: no WebGPU adapter was found; install a Vulkan driver (on Debian: apt-get install mesa-vulkan-drivers), or use init({ backend: "cpu" })',
    );
  }
  console.error(
    "zenith: no WebGPU adapter was found; computing on the CPU reference backend, which is slow",
  );
  return new CpuBackend(memoryLimit ?? 8 * gibibyte);
}

/** The device in use. Throws before `init`. */
export function deviceInfo(): DeviceInfo {
  return currentBackend().info;
}

/** Arrays and bytes held on the device: `liveBytes` by arrays, `pooledBytes` kept for reuse. */
export function memoryStats(): MemoryStats {
  return currentBackend().memoryStats();
}

/** Starts `memoryStats().peakBytes` again from what is live now. */
export function resetPeakMemory(): void {
  currentBackend().resetPeakMemory();
}
