// What a generator needs to know of the device that its text will run on: facts, never a handle.

/** The facts of a device that decide how a kernel is written. */
export interface Target {
  /** `enable f16;` is available: conversions may use `vec4<f16>`. */
  readonly shaderF16: boolean;
  /** float16 arrays are declared `vec4<f16>` (native) or two to a `u32` (packed). */
  readonly nativeFloat16Storage: boolean;
  /** Lanes of a subgroup where every subgroup has this many, or 0 where operations on them cannot be used. */
  readonly subgroupSize: number;
  /** What kind of adapter it is: a CPU driver, a GPU that shares memory with the CPU, or one of its own. */
  readonly kind: "software" | "integrated" | "discrete";
  /** Bytes of workgroup memory a workgroup may declare. */
  readonly maxWorkgroupStorage: number;
  /** Threads a workgroup may have. */
  readonly maxInvocations: number;
  /**
   * Kernels may load `u64`, which is worth it: a CPU driver loads lane by lane, at one price for 32 and 64
   * bits. Not of WebGPU, so absent where nobody asked.
   */
  readonly shaderInt64?: boolean;
  /** Storage arrays a kernel may bind. */
  readonly maxStorageBuffers: number;
}

/** The smallest device WebGPU allows: no float16, no subgroups, default limits. */
export const baselineTarget: Target = Object.freeze({
  shaderF16: false,
  nativeFloat16Storage: false,
  subgroupSize: 0,
  kind: "integrated",
  maxWorkgroupStorage: 16384,
  maxInvocations: 256,
  maxStorageBuffers: 8,
});
