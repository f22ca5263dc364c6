// A device for the tests of matrix products: with 64-bit integers where the adapter has them, and with
// pipelines kept by their text, because many products differ in parameters alone.

import type { Kernel } from "../../kernels/kernel.ts";
import { formatBytes } from "../../kernels/storage.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { decode, type KernelDevice, makePipeline, type Wanted } from "./run_kernel.ts";

let opened: Promise<KernelDevice> | undefined;

/** The device of a test file. */
export function openMatmulDevice(): Promise<KernelDevice> {
  return opened ??= open();
}

async function open(): Promise<KernelDevice> {
  const found = await openDevice();
  if (!found) throw new Error("no WebGPU adapter");
  const wide = await openWide(found.device, found.features);
  const device = wide ?? found.device;
  const target = { ...found.target, shaderInt64: wide !== undefined };
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  return {
    device,
    target,
    run: async (kernel, inputs, outputs) => {
      let pipeline = pipelines.get(kernel.code);
      if (!pipeline) pipelines.set(kernel.code, pipeline = makePipeline(device, kernel));
      return runPipeline(device, await pipeline, kernel, inputs, outputs);
    },
  };
}

/** The same device with 64-bit integers, which Deno knows by a name of its own; undefined without. */
async function openWide(
  device: GPUDevice,
  features: readonly string[],
): Promise<GPUDevice | undefined> {
  const adapter = await navigator.gpu.requestAdapter();
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = device.limits;
  try {
    return await adapter?.requestDevice({
      requiredFeatures: [...features, "wgpu-shader-int64"] as GPUFeatureName[],
      requiredLimits: { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup },
    });
  } catch {
    return undefined;
  }
}

const storageUsage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** A buffer of whole vectors and a little more: what is not data has all bits set, a NaN in every format. */
function makeStorage(device: GPUDevice, bytes: number, data?: Uint8Array): GPUBuffer {
  const filled = new Uint8Array(Math.ceil(bytes / 16) * 16 + 64).fill(0xff);
  if (data) filled.set(data);
  const buffer = device.createBuffer({ size: filled.byteLength, usage: storageUsage });
  device.queue.writeBuffer(buffer, 0, filled);
  return buffer;
}

function makeUniform(device: GPUDevice, { parameters }: Kernel): GPUBuffer {
  const words = new Uint32Array(Math.ceil((parameters.length + 1) / 4) * 4);
  for (const [i, { type, value }] of parameters.entries()) {
    if (type === "f32") throw new Error("a matrix product has no fractional parameters");
    words[i + 1] = value;
  }
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: words.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

async function runPipeline(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  kernel: Kernel,
  inputs: readonly Uint8Array[],
  outputs: readonly Wanted[],
): Promise<(ArrayLike<number> & Iterable<number>)[]> {
  const results = outputs.map(({ format, size }) =>
    makeStorage(device, formatBytes(format) * size)
  );
  const buffers = [
    makeUniform(device, kernel),
    ...inputs.map((data) => makeStorage(device, data.byteLength, data)),
    ...results,
  ];
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...kernel.workgroups);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const values = [];
  for (const [i, { format, size }] of outputs.entries()) {
    const bytes = await readAll(device, results[i]!);
    const end = formatBytes(format) * size;
    if (bytes.subarray(Math.ceil(end / 16) * 16).some((byte) => byte !== 0xff)) {
      throw new Error(`${kernel.name} writes past the end of a result`);
    }
    values.push(decode(format, bytes.subarray(0, end)));
  }
  for (const buffer of buffers) buffer.destroy();
  return values;
}

async function readAll(device: GPUDevice, buffer: GPUBuffer): Promise<Uint8Array> {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const staging = device.createBuffer({ size: buffer.size, usage });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = new Uint8Array(staging.getMappedRange().slice(0));
  staging.unmap();
  staging.destroy();
  return bytes;
}
