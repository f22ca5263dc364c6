// Compute pipelines, kept by their text: equal kernels of different programs share one.

import type { Kernel } from "../../kernels/kernel.ts";

/** A pipeline and the layout that its bind groups need. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Makes and keeps the pipelines of one device. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<
    string,
    { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout }
  >();
  readonly #checks = new Set<Promise<void>>();
  #failure: Error | undefined;

  /** A cache for one device. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** How many different kernels were compiled. */
  get size(): number {
    return this.#pipelines.size;
  }

  /** The pipeline of a kernel. Compilation errors surface in {@linkcode PipelineCache.settle}. */
  get(kernel: Kernel): Pipeline {
    let pipeline = this.#pipelines.get(kernel.code);
    if (!pipeline) this.#pipelines.set(kernel.code, pipeline = this.#create(kernel));
    return pipeline;
  }

  /** Waits for outstanding compilations to be checked. */
  async settle(): Promise<void> {
    if (this.#checks.size > 0) await Promise.all(this.#checks);
    this.throwFailure();
  }

  /** Throws if a kernel is known not to have compiled. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure;
  }

  #create(kernel: Kernel): Pipeline {
    const device = this.#device;
    const { layout, pipelineLayout } = this.#layoutOf(kernel);
    // The scope stands around the module: the pipeline's own error says no more than "invalid".
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: kernel.name, code: kernel.code });
    const gpu = device.createComputePipeline({
      label: kernel.name,
      layout: pipelineLayout,
      compute: { module, entryPoint: "main" },
    });
    const check = device.popErrorScope().then((error) => {
      if (error) this.#failure ??= compilationError(kernel, error.message);
    }, () => {/* the device is lost, which every later operation reports */}).finally(() =>
      this.#checks.delete(check)
    );
    this.#checks.add(check);
    return { gpu, layout };
  }

  #layoutOf(kernel: Kernel): { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout } {
    // The size is fixed in the layout because wgpu, where sizes are left to each dispatch, goes on checking
    // the one that the pipeline before wanted if both share a layout.
    const minBindingSize = parameterBytes(kernel);
    const key = kernel.bindings.map((b) => b.access === "read" ? "r" : "w").join("") +
      minBindingSize;
    let entry = this.#layouts.get(key);
    if (!entry) {
      const storage = kernel.bindings.map(({ access }, i): GPUBindGroupLayoutEntry => ({
        binding: i + 1,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: access === "read" ? "read-only-storage" : "storage" },
      }));
      const params: GPUBindGroupLayoutEntry = {
        binding: 0,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: "uniform", minBindingSize },
      };
      const layout = this.#device.createBindGroupLayout({ entries: [params, ...storage] });
      const pipelineLayout = this.#device.createPipelineLayout({ bindGroupLayouts: [layout] });
      this.#layouts.set(key, entry = { layout, pipelineLayout });
    }
    return entry;
  }
}

/** An error that quotes the WGSL line the compiler complains about. */
function compilationError(kernel: Kernel, message: string): Error {
  const line = Number(/:(\d+):\d+/.exec(message)?.[1] ?? 0);
  const quoted = line > 0 ? `\n  WGSL line ${line}: ${kernel.code.split("\n")[line - 1]}` : "";
  return new Error(`Cannot compile kernel ${kernel.name}: ${message}${quoted}`);
}

/** Bytes of a kernel's parameters: a struct of words, `zero` first, bound in multiples of 16. */
export function parameterBytes(kernel: Kernel): number {
  return Math.ceil((kernel.parameters.length + 1) / 4) * 16;
}
