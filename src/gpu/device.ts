// The adapter and the device: what to ask for, and what was got.

import type { Target } from "../../kernels/target.ts";

/** What `openDevice` may be told. */
export interface DeviceRequest {
  readonly powerPreference?: GPUPowerPreference;
  /** Features not to use even where the adapter has them, so that fallbacks can be tested. */
  readonly without?: readonly ("shader-f16" | "subgroups" | "wgpu-shader-int64")[];
  /** Store float16 natively as `vec4<f16>` where the adapter can; by default the profile decides. */
  readonly nativeFloat16Storage?: boolean;
}

/** An open device and the facts about it that kernels are written for. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo;
  readonly features: readonly string[];
  readonly target: Target;
}

const wantedFeatures = [
  "shader-f16",
  "subgroups",
  "timestamp-query",
  // Deno's own name for 64-bit integers in WGSL.
  "wgpu-shader-int64",
] as const;

const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
] as const;

/**
 * Requests an adapter and a device with all that it offers. Returns undefined where there is no adapter.
 *
 * `adapter.features` is masked in Deno, so features beyond it are found out by asking: a request with
 * one the adapter lacks fails as a whole, and is made again without.
 */
export async function openDevice(request: DeviceRequest = {}): Promise<OpenDevice | undefined> {
  const { powerPreference, without = [] } = request;
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference });
  if (!adapter) return undefined;
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) requiredLimits[name] = adapter.limits[name];
  const features = wantedFeatures.filter((f) => !without.includes(f as "shader-f16"));
  for (const attempt of subsets(features)) {
    const device = await tryDevice(adapter, attempt, requiredLimits);
    if (!device) continue;
    const target = targetOf(adapter.info, attempt, device.limits, request);
    return { device, info: adapter.info, features: attempt, target };
  }
  return undefined;
}

/** All features, then all but some, most wanted last to go. */
function subsets(features: readonly string[]): string[][] {
  const all = Array.from(
    { length: 2 ** features.length },
    (_, mask) => features.filter((_, i) => mask & (1 << i)),
  );
  return all.sort((a, b) => b.length - a.length);
}

async function tryDevice(
  adapter: GPUAdapter,
  features: readonly string[],
  requiredLimits: Record<string, number>,
): Promise<GPUDevice | undefined> {
  try {
    return await adapter.requestDevice({
      requiredFeatures: features as GPUFeatureName[],
      requiredLimits,
    });
  } catch {
    return undefined;
  }
}

function targetOf(
  info: GPUAdapterInfo,
  features: readonly string[],
  limits: GPUSupportedLimits,
  request: DeviceRequest,
): Target {
  const sizes = info as GPUAdapterInfo & { subgroupMinSize?: number; subgroupMaxSize?: number };
  const kind = adapterKind(info);
  const shaderF16 = features.includes("shader-f16");
  const fixedSize = sizes.subgroupMinSize === sizes.subgroupMaxSize
    ? sizes.subgroupMinSize ?? 0
    : 0;
  return {
    shaderF16,
    // Packed words beat vec4<f16> on a CPU driver, whose native half arithmetic is emulated.
    nativeFloat16Storage: shaderF16 && (request.nativeFloat16Storage ?? kind !== "software"),
    // Kernels name lanes by number, so they need a size that every subgroup has.
    subgroupSize: features.includes("subgroups") ? fixedSize : 0,
    kind,
    shaderInt64: kind === "software" && features.includes("wgpu-shader-int64"),
    maxWorkgroupStorage: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
  };
}

/** WebGPU does not tell an integrated GPU from a discrete one, so their makers must. */
function adapterKind(info: GPUAdapterInfo): Target["kind"] {
  const words = `${info.description} ${info.vendor} ${info.architecture}`.toLowerCase();
  const fallback = (info as GPUAdapterInfo & { isFallbackAdapter?: boolean }).isFallbackAdapter;
  if (fallback || /llvmpipe|lavapipe|swiftshader|warp|software/.test(words)) return "software";
  return /nvidia|geforce|quadro|tesla|radeon rx|radeon pro|arc\(tm\) a/.test(words)
    ? "discrete"
    : "integrated";
}
