// Runs a sequence of kernels on this machine's adapter: operands, temporaries and results in buffers of
// their own, all in one pass, and results checked for writes past their end.

import { assertEquals } from "@std/assert";
import type { Kernel } from "../../kernels/kernel.ts";
import type { ArrayReference, KernelSequence } from "../../kernels/sequence.ts";
import { formatBytes, type StorageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { decode, encode, makePipeline, openKernelDevice } from "./run_kernel.ts";

export { decode, encode };

/** The formats that this file's device can store: native float16 needs `shader-f16`. */
export function formatsOf(target: Target): StorageFormat[] {
  const everywhere: StorageFormat[] = [
    "float32",
    "float16_packed",
    "bfloat16",
    "int32",
    "uint32",
    "bool",
  ];
  return target.shaderF16 ? [...everywhere, "float16_native"] : everywhere;
}

/** A result to read back: so many elements of a format. */
export interface Result {
  readonly format: StorageFormat;
  readonly size: number;
}

const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Bytes of an array padded to whole vectors of four elements. */
function paddedBytes(format: StorageFormat, size: number): number {
  return Math.ceil(size / 4) * 4 * formatBytes(format);
}

/** Bytes after every result that no kernel may write. */
const guardBytes = 64;
const guard = 0xa5;

/** A buffer of the padded size and a guard, all of it the guard's pattern where there is no data. */
function makeBuffer(device: GPUDevice, bytes: number, data?: Uint8Array): GPUBuffer {
  const filled = new Uint8Array(Math.ceil(bytes / 16) * 16 + guardBytes).fill(guard);
  if (data) filled.set(data);
  const buffer = device.createBuffer({ size: filled.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, filled);
  return buffer;
}

function makeParameters(device: GPUDevice, kernel: Kernel): GPUBuffer {
  const words = new DataView(new ArrayBuffer(Math.ceil((kernel.parameters.length + 1) / 4) * 16));
  kernel.parameters.forEach(({ value }, i) => words.setUint32(4 * (i + 1), value, true));
  const buffer = device.createBuffer({
    size: words.byteLength,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

/** Reads several buffers with one wait: a wait costs 10 ms whatever it waits for. */
async function readBuffers(
  device: GPUDevice,
  buffers: readonly GPUBuffer[],
): Promise<Uint8Array<ArrayBuffer>[]> {
  const total = buffers.reduce((sum, { size }) => sum + size, 0);
  const staging = device.createBuffer({
    size: total,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  let at = 0;
  for (const buffer of buffers) {
    encoder.copyBufferToBuffer(buffer, 0, staging, at, buffer.size);
    at += buffer.size;
  }
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const mapped = new Uint8Array(staging.getMappedRange());
  at = 0;
  const read = buffers.map(({ size }) => mapped.slice(at, at += size));
  staging.unmap();
  staging.destroy();
  return read;
}

const pipelines = new Map<string, Promise<GPUComputePipeline>>();

/** The number of different texts that {@linkcode runSequence} has compiled. */
export function compiledTexts(): number {
  return pipelines.size;
}

function pipelineOf(device: GPUDevice, kernel: Kernel): Promise<GPUComputePipeline> {
  const known = pipelines.get(kernel.code);
  if (known) return known;
  const made = makePipeline(device, kernel);
  pipelines.set(kernel.code, made);
  return made;
}

/** A kernel as a sequence of one step: its bindings are `inputs` operands and the results. */
export function singleStep(kernel: Kernel, inputs: number): KernelSequence {
  const arrays = kernel.bindings.map((_, i): ArrayReference =>
    i < inputs ? { kind: "input", index: i } : { kind: "output", index: i - inputs }
  );
  return { steps: [{ kernel, arrays }], temporaries: [] };
}

/** Runs a sequence and gives the bytes of its results, without padding. */
export async function runSequence(
  sequence: KernelSequence,
  inputs: readonly Uint8Array[],
  results: readonly Result[],
): Promise<Uint8Array<ArrayBuffer>[]> {
  const { device } = await openKernelDevice();
  const outputs = results.map(({ format, size }) => makeBuffer(device, paddedBytes(format, size)));
  const buffers = {
    input: inputs.map((data) => makeBuffer(device, data.byteLength, data)),
    output: outputs,
    temporary: sequence.temporaries.map(({ bytes }) => makeBuffer(device, bytes)),
  };
  const compiled: GPUComputePipeline[] = [];
  for (const { kernel } of sequence.steps) compiled.push(await pipelineOf(device, kernel));
  const parameters = sequence.steps.map(({ kernel }) => makeParameters(device, kernel));
  device.pushErrorScope("validation");
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  sequence.steps.forEach(({ kernel, arrays }, s) => {
    assertEquals(arrays.length, kernel.bindings.length, `arrays of ${kernel.name}`);
    const bound = [parameters[s], ...arrays.map(({ kind, index }) => buffers[kind][index])];
    const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setPipeline(compiled[s]);
    pass.setBindGroup(
      0,
      device.createBindGroup({ layout: compiled[s].getBindGroupLayout(0), entries }),
    );
    pass.dispatchWorkgroups(...kernel.workgroups);
  });
  pass.end();
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);
  const read = await readBuffers(device, outputs);
  for (const list of [buffers.input, outputs, buffers.temporary, parameters]) {
    for (const buffer of list) buffer.destroy();
  }
  return read.map((bytes, i) => {
    const { format, size } = results[i];
    const beyond = bytes.subarray(paddedBytes(format, size));
    assertEquals(beyond.every((byte) => byte === guard), true, "nothing past the end is written");
    return bytes.slice(0, size * formatBytes(format));
  });
}
