// A compiled program on the GPU: its kernels recorded one after the other on planned memory.

import type { Compiled } from "../compile/compile.ts";
import { paddedBytes } from "../compile/compile.ts";
import type { Location, OutputPlan } from "../compile/plan.ts";
import type { DeviceBuffer } from "../gpu/buffer_pool.ts";
import { parameterBytes, type Pipeline } from "../gpu/pipelines.ts";
import { showAval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import type { Storage } from "../ir/value.ts";
import type { Kernel, Parameter } from "../../kernels/kernel.ts";
import type { Executable, MemoryAnalysis } from "./backend.ts";
import type { BufferStorage, GpuContext } from "./gpu_context.ts";

/** A step with all that recording it takes. */
interface RecordedStep {
  readonly kernel: Kernel;
  readonly arrays: readonly Location[];
  readonly parameterOffset: number;
  pipeline?: Pipeline;
  /** Bind groups by the numbers of the buffers they hold. */
  readonly bindGroups: Map<string, GPUBindGroup>;
}

/** WebGPU's guaranteed alignment of uniform buffer offsets. */
const uniformAlignment = 256;

/** Bind groups kept a step: enough for buffers that take turns, bounded for those that never come again. */
const keptBindGroups = 64;

/** A program and its parameters on one device. */
export class GpuProgram implements Executable {
  readonly graph: Graph;
  readonly #backend: GpuContext;
  readonly #compiled: Compiled;
  readonly #steps: readonly RecordedStep[];
  readonly #labels: readonly string[];
  #parameters: GPUBuffer | undefined;

  /** Nothing is compiled by the driver before the first run. */
  constructor(backend: GpuContext, compiled: Compiled) {
    this.#backend = backend;
    this.#compiled = compiled;
    this.graph = compiled.graph;
    this.#labels = compiled.graph.outputs.map((v) => showAval(v.aval));
    let offset = 0;
    this.#steps = compiled.plan.steps.map(({ kernel, arrays }) => {
      const step = {
        kernel,
        arrays,
        parameterOffset: offset,
        bindGroups: new Map<string, GPUBindGroup>(),
      };
      offset += Math.ceil(parameterBytes(kernel) / uniformAlignment) * uniformAlignment;
      return step;
    });
  }

  get dispatches(): number {
    return this.#steps.length;
  }

  run(inputs: readonly Storage[]): readonly Storage[] {
    const backend = this.#backend;
    backend.checkHealth();
    const { plan } = this.#compiled;
    const arguments_ = inputs as readonly BufferStorage[];
    const outputs = this.#allocateOutputs(plan.outputs, arguments_);
    const temporaries = this.#takeTemporaries();
    const bufferAt = (location: Location): DeviceBuffer => {
      if (location.kind === "input") return arguments_[location.index]!.buffer;
      if (location.kind === "output") return outputs[location.index]!.buffer;
      return temporaries[location.index]!;
    };
    for (const step of this.#steps) this.#record(step, step.arrays.map(bufferAt));
    // Commands run in order, so a temporary may be handed out again at once.
    temporaries.forEach((buffer) => backend.reclaim(buffer));
    return outputs;
  }

  #takeTemporaries(): DeviceBuffer[] {
    const { pool, ledger } = this.#backend;
    const sizes = this.#compiled.plan.temporaries;
    sizes.forEach((bytes) => this.#backend.checkBindable("a temporary", bytes));
    ledger.note(sizes.reduce((a, b) => a + b, 0));
    return sizes.map((bytes) => pool.take(bytes));
  }

  #allocateOutputs(
    plans: readonly OutputPlan[],
    inputs: readonly BufferStorage[],
  ): BufferStorage[] {
    const outputs: BufferStorage[] = [];
    plans.forEach((plan, i) => {
      if (plan.kind === "fresh") outputs[i] = this.#backend.allocate(this.#labels[i]!, plan.bytes);
      else if (plan.kind === "donated") {
        outputs[i] = this.#takeOver(inputs[plan.index]!, i, plan.inPlace);
      }
    });
    plans.forEach((plan, i) => {
      if (plan.kind !== "input" && plan.kind !== "output") return;
      outputs[i] = plan.kind === "input" ? inputs[plan.index]! : outputs[plan.index]!;
      outputs[i]!.retain();
    });
    return outputs;
  }

  /** A result in a donated argument's memory, unless another handle still holds that: then in a copy. */
  #takeOver(input: BufferStorage, output: number, inPlace: boolean): BufferStorage {
    if (input.references > 1) {
      const fresh = this.#backend.allocate(this.#labels[output]!, input.bytes);
      if (inPlace) this.#backend.recorder.copy(input.buffer, fresh.buffer);
      return fresh;
    }
    input.retain();
    return input;
  }

  #record(step: RecordedStep, buffers: readonly DeviceBuffer[]): void {
    const { recorder, pipelines } = this.#backend;
    const pipeline = step.pipeline ??= pipelines.get(step.kernel);
    let key = "";
    for (const buffer of buffers) key += `${buffer.id},`;
    let bindGroup = step.bindGroups.get(key);
    if (!bindGroup) {
      if (step.bindGroups.size >= keptBindGroups) step.bindGroups.clear();
      step.bindGroups.set(key, bindGroup = this.#bind(step, pipeline, buffers));
    }
    recorder.dispatch(pipeline.gpu, bindGroup, step.kernel.workgroups, buffers);
  }

  #bind(step: RecordedStep, pipeline: Pipeline, buffers: readonly DeviceBuffer[]): GPUBindGroup {
    const params = {
      buffer: this.#parameters ??= this.#writeParameters(),
      offset: step.parameterOffset,
      size: parameterBytes(step.kernel),
    };
    const entries = [params, ...buffers.map((b) => ({ buffer: b.gpu }))];
    return this.#backend.device.createBindGroup({
      layout: pipeline.layout,
      entries: entries.map((resource, binding) => ({ binding, resource })),
    });
  }

  #writeParameters(): GPUBuffer {
    const last = this.#steps[this.#steps.length - 1]!;
    const size = last.parameterOffset +
      Math.ceil(parameterBytes(last.kernel) / uniformAlignment) * uniformAlignment;
    const words = new Uint32Array(size / 4);
    for (const { kernel, parameterOffset } of this.#steps) {
      // Word 0 is `zero`: a 0 that the compiler cannot know.
      kernel.parameters.forEach((p, i) => words[parameterOffset / 4 + 1 + i] = parameterBits(p));
    }
    const { device } = this.#backend;
    const buffer = device.createBuffer({
      size,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, words);
    return buffer;
  }

  wgsl(): string {
    return this.#steps.map(({ kernel }, i) =>
      `// kernel ${i}: ${kernel.name}, ${kernel.workgroups.join(" x ")} workgroups\n${kernel.code}`
    ).join("\n");
  }

  memoryAnalysis(): MemoryAnalysis {
    const { plan } = this.#compiled;
    const total = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);
    const argumentBytes = total(this.graph.inputs.map(paddedBytesOf));
    const outputBytes = total(this.graph.outputs.map(paddedBytesOf));
    const fresh = total(plan.outputs.map((o) => o.kind === "fresh" ? o.bytes : 0));
    const tempBytes = total(plan.temporaries);
    return { argumentBytes, outputBytes, tempBytes, peakBytes: argumentBytes + fresh + tempBytes };
  }
}

function paddedBytesOf(variable: Graph["inputs"][number]): number {
  return paddedBytes(variable.aval);
}

const word = new DataView(new ArrayBuffer(4));

function parameterBits({ type, value }: Parameter): number {
  if (type === "f32") word.setFloat32(0, value);
  else if (type === "i32") word.setInt32(0, value);
  else word.setUint32(0, value);
  return word.getUint32(0);
}
