// Tests of what must hold on either backend: registered once for each.

import { init } from "../mod.ts";
import { webgpuTest } from "./webgpu_test.ts";

/** Registers a test for the CPU reference and one for WebGPU, each with its backend in use. */
export function onBothBackends(name: string, fn: () => Promise<void>): void {
  Deno.test(`${name} (cpu)`, async () => {
    await init({ backend: "cpu" });
    await fn();
  });
  webgpuTest(`${name} (webgpu)`, async () => {
    await init({ backend: "webgpu" });
    await fn();
  });
}
