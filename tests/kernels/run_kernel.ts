// Runs a kernel's text on this machine's adapter: buffers whose padding is NaN, and whose results are
// checked for writes past their end.

import { assertEquals } from "@std/assert";
import { formatBytes, type StorageFormat } from "../../kernels/storage.ts";
import type { Kernel } from "../../kernels/kernel.ts";
import type { Target } from "../../kernels/target.ts";
import {
  fromBfloat16Bits,
  fromFloat16Bits,
  toBfloat16Bits,
  toFloat16Bits,
} from "../../src/core/half.ts";
import { openDevice } from "../../src/gpu/device.ts";

/** The bytes of numbers in a storage format; booleans are 0 and 1. */
export function encode(format: StorageFormat, values: ArrayLike<number>): Uint8Array {
  switch (format) {
    case "float16_native":
    case "float16_packed":
      return new Uint8Array(toFloat16Bits(values).buffer);
    case "bfloat16":
      return new Uint8Array(toBfloat16Bits(values).buffer);
    case "float32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "int32":
      return new Uint8Array(Int32Array.from(values).buffer);
    case "uint32":
    case "bool":
      return new Uint8Array(Uint32Array.from(values).buffer);
  }
}

/** The numbers that bytes in a storage format hold. */
export function decode(
  format: StorageFormat,
  bytes: Uint8Array,
): ArrayLike<number> & Iterable<number> {
  const buffer = bytes.slice().buffer;
  switch (format) {
    case "float16_native":
    case "float16_packed":
      return fromFloat16Bits(new Uint16Array(buffer));
    case "bfloat16":
      return fromBfloat16Bits(new Uint16Array(buffer));
    case "float32":
      return new Float32Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
    case "bool":
      return new Uint32Array(buffer);
  }
}

/** An array for a kernel to write. */
export interface Wanted {
  readonly format: StorageFormat;
  readonly size: number;
}

/** A device and the facts of it that generators ask for. */
export interface KernelDevice {
  readonly device: GPUDevice;
  readonly target: Target;
  /** Runs a kernel on the inputs' bytes, in the order of its bindings; results come last. */
  run(
    kernel: Kernel,
    inputs: readonly Uint8Array[],
    outputs: readonly Wanted[],
  ): Promise<(ArrayLike<number> & Iterable<number>)[]>;
}

let opened: Promise<KernelDevice> | undefined;

/** The device of this test file. */
export function openKernelDevice(): Promise<KernelDevice> {
  return opened ??= open();
}

async function open(): Promise<KernelDevice> {
  const found = await openDevice();
  if (!found) throw new Error("no WebGPU adapter");
  const { device, target } = found;
  // Many cases differ in parameters alone, and share their text.
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

const storageUsage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** A buffer of whole vectors and a little more: what is not data has all bits set, a NaN in every format. */
function makeBuffer(device: GPUDevice, bytes: number, data?: Uint8Array): GPUBuffer {
  const filled = new Uint8Array(Math.ceil(bytes / 16) * 16 + 64).fill(0xff);
  if (data) filled.set(data);
  const buffer = device.createBuffer({ size: filled.byteLength, usage: storageUsage });
  device.queue.writeBuffer(buffer, 0, filled);
  return buffer;
}

function makeParameters(device: GPUDevice, kernel: Kernel): GPUBuffer {
  const view = new DataView(new ArrayBuffer(Math.ceil((kernel.parameters.length + 1) / 4) * 16));
  kernel.parameters.forEach(({ type, value }, i) => {
    const at = 4 * (i + 1);
    if (type === "f32") view.setFloat32(at, value, true);
    else if (type === "i32") view.setInt32(at, value, true);
    else view.setUint32(at, value, true);
  });
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: view.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, view);
  return buffer;
}

/** Compiles a kernel's text; the error of a text that is wrong shows it. */
export async function makePipeline(device: GPUDevice, kernel: Kernel): Promise<GPUComputePipeline> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: kernel.code });
  const entries = [0, ...kernel.bindings].map((binding, i): GPUBindGroupLayoutEntry => ({
    binding: i,
    visibility: GPUShaderStage.COMPUTE,
    buffer: {
      type: binding === 0
        ? "uniform"
        : (binding as { access: string }).access === "read"
        ? "read-only-storage"
        : "storage",
    },
  }));
  const layout = device.createPipelineLayout({
    bindGroupLayouts: [device.createBindGroupLayout({ entries })],
  });
  const pipeline = device.createComputePipeline({
    layout,
    compute: { module, entryPoint: "main" },
  });
  const error = await device.popErrorScope();
  if (error) throw new Error(`${error.message}\n${kernel.code}`);
  return pipeline;
}

async function readBuffer(device: GPUDevice, buffer: GPUBuffer): Promise<Uint8Array> {
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

async function runPipeline(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  kernel: Kernel,
  inputs: readonly Uint8Array[],
  outputs: readonly Wanted[],
): Promise<(ArrayLike<number> & Iterable<number>)[]> {
  const lengths = outputs.map(({ format, size }) => formatBytes(format) * size);
  const results = lengths.map((bytes) => makeBuffer(device, bytes));
  const buffers = [
    makeParameters(device, kernel),
    ...inputs.map((data) => makeBuffer(device, data.byteLength, data)),
    ...results,
  ];
  assertEquals(buffers.length, kernel.bindings.length + 1, "one buffer for each binding");
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
    const bytes = await readBuffer(device, results[i]);
    const written = Math.ceil(size / 4) * 4 * formatBytes(format);
    const beyond = bytes.subarray(written);
    assertEquals(beyond.every((byte) => byte === 0xff), true, "writes past the end of a result");
    values.push(decode(format, bytes.subarray(0, lengths[i])));
  }
  for (const buffer of buffers) buffer.destroy();
  return values;
}
