// The kernels of attention on devices of every kind: with and without subgroups, 64-bit integers and float16, and
// as GPUs get them.

import { assertEquals } from "@std/assert";
import type { Target } from "../../kernels/target.ts";
import { init } from "../../mod.ts";
import { currentBackend, setBackend } from "../../src/backend/backend.ts";
import { WebGPUBackend } from "../../src/backend/webgpu.ts";
import { type DeviceRequest, openDevice } from "../../src/gpu/device.ts";
import { webgpuTest } from "../webgpu_test.ts";
import { type AttentionCase, wrongAttention } from "./attention_reference.ts";

const cases: readonly AttentionCase[] = [
  { batch: 2, queries: 37, keys: 70, heads: 4, keyHeads: 2, headSize: 20, isCausal: true },
  {
    queries: 70,
    keys: 37,
    heads: 2,
    headSize: 64,
    mask: [1, 2, 70, 37],
    bias: [1, 1, 1, 37],
    blind: 3,
  },
  { queries: 3, keys: 150, heads: 1, headSize: 256 },
];

const devices: readonly (readonly [string, DeviceRequest, Partial<Target>])[] = [
  ["without subgroups", { without: ["subgroups"] }, {}],
  ["without 64-bit integers", { without: ["wgpu-shader-int64"] }, {}],
  ["without float16", { without: ["shader-f16", "subgroups", "wgpu-shader-int64"] }, {}],
  ["with native float16 storage", { nativeFloat16Storage: true }, {}],
  ["that binds eight arrays", {}, { maxStorageBuffers: 8 }],
  ["as a GPU with memory of its own", {}, { kind: "discrete" }],
  ["as a GPU that shares memory", { without: ["wgpu-shader-int64"] }, {
    kind: "integrated",
    maxWorkgroupStorage: 16384,
  }],
];

for (const [name, request, facts] of devices) {
  webgpuTest(`attention is right on a device ${name}`, async () => {
    await init({ backend: "webgpu" });
    const usual = currentBackend();
    const open = (await openDevice(request))!;
    try {
      setBackend(new WebGPUBackend({ ...open, target: { ...open.target, ...facts } }, 2 ** 30));
      const wrong: string[] = [];
      for (const [i, at] of cases.entries()) {
        const dtype = (["float32", "float16", "bfloat16"] as const)[i % 3]!;
        wrong.push(...await wrongAttention(at, dtype));
      }
      assertEquals(wrong, []);
    } finally {
      setBackend(usual);
      open.device.destroy();
    }
  });
}
