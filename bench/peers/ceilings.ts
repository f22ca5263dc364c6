// What the machine could do at best: a kernel that only copies, and OpenBLAS where numpy is at hand.

import { rate } from "../report/quantities.ts";
import { median } from "../run/timing.ts";
import { QueueDrain } from "./queue_drain.ts";

/** A ceiling, or why there is none. */
export interface Ceiling {
  readonly name: string;
  readonly rate?: number;
  readonly unit: "GFLOP/s" | "GB/s";
  readonly note?: string;
}

const COPIED_BYTES = 64 * 2 ** 20;
const SAMPLES = 5;
const WORKGROUP = 256;

const COPY = `
@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> target_words: array<vec4<u32>>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  target_words[id.x] = source[id.x];
}`;

/** Bytes read and written a second by a kernel that copies. */
async function deviceCopy(bytes: number): Promise<Ceiling> {
  const name = `copy kernel, ${bytes / 2 ** 20} MiB`;
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return { name, unit: "GB/s", note: "no WebGPU adapter" };
  const device = await adapter.requestDevice();
  try {
    return { name, unit: "GB/s", rate: rate(2 * bytes, timeCopies(device, bytes)) };
  } finally {
    device.destroy();
  }
}

/** The median of some copies, in milliseconds. */
function timeCopies(device: GPUDevice, bytes: number): number {
  const [source, target] = [0, 1].map(() =>
    device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE })
  );
  const module = device.createShaderModule({ code: COPY });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [source, target].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const drain = new QueueDrain(device);
  const copy = () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(bytes / 16 / WORKGROUP);
    pass.end();
    device.queue.submit([encoder.finish()]);
    drain.wait();
  };
  copy();
  const samples = Array.from({ length: SAMPLES }, () => {
    const started = performance.now();
    copy();
    return performance.now() - started;
  });
  source.destroy();
  target.destroy();
  return median(samples);
}

/** Multiplies two float32 matrices some times and prints the median in milliseconds. */
const NUMPY = `
import sys, time
import numpy as np
n = int(sys.argv[1])
a = np.random.rand(n, n).astype(np.float32)
b = np.random.rand(n, n).astype(np.float32)
a @ b
samples = []
for _ in range(${SAMPLES}):
    started = time.perf_counter()
    a @ b
    samples.append(time.perf_counter() - started)
print(sorted(samples)[len(samples) // 2] * 1e3)
`;

/** Operations a second of a float32 product in numpy, which is OpenBLAS where it is Debian's or PyPI's. */
async function openBlas(n: number): Promise<Ceiling> {
  const name = `numpy float32 matmul ${n}, on the processor`;
  try {
    const { code, stdout } = await new Deno.Command("python3", {
      args: ["-c", NUMPY, String(n)],
      stdin: "null",
      stderr: "null",
    }).output();
    if (code !== 0) return { name, unit: "GFLOP/s", note: "numpy is not installed" };
    const ms = Number(new TextDecoder().decode(stdout));
    return { name, unit: "GFLOP/s", rate: rate(2 * n ** 3, ms) };
  } catch {
    return { name, unit: "GFLOP/s", note: "python3 is not installed" };
  }
}

/** Measures the ceilings. */
export async function measureCeilings(smoke: boolean): Promise<Ceiling[]> {
  return [
    await deviceCopy(smoke ? 2 ** 20 : COPIED_BYTES),
    await openBlas(smoke ? 64 : 1024),
  ];
}
