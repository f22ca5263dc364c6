// The CPU reference backend: runs graphs node by node with the operations' own references, in float64,
// rounding every result to its dtype. It is the oracle for the GPU and the fallback where there is none.

import { byteSize, isFloating } from "../core/dtype.ts";
import { decodeBytes, encodeValues } from "../core/element_data.ts";
import { sizeOf } from "../core/shape.ts";
import { expand } from "../compile/expand.ts";
import { simplify } from "../compile/simplify.ts";
import { type Aval, showAval } from "../ir/aval.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import type { Tensor } from "../ir/operation.ts";
import type { Storage } from "../ir/value.ts";
import type { Backend, DeviceInfo, Executable, MemoryAnalysis } from "./backend.ts";
import { CountedStorage, Ledger, type MemoryStats } from "./ledger.ts";

/** An array's bytes in host memory, in the device's layout. */
class HostStorage extends CountedStorage implements Storage {
  readonly backend: CpuBackend;
  readonly data: Uint8Array;
  readonly label: string;

  constructor(backend: CpuBackend, data: Uint8Array, label: string) {
    super();
    this.backend = backend;
    this.data = data;
    this.label = label;
    backend.ledger.enter(label, data.length);
  }

  get bytes(): number {
    return this.data.length;
  }

  protected free(): void {
    this.backend.ledger.leave(this.label, this.bytes);
  }
}

/** Arrays and programs in host memory. */
export class CpuBackend implements Backend {
  readonly info: DeviceInfo = {
    backend: "cpu",
    name: "CPU reference",
    vendor: "",
    software: true,
    features: [],
    limits: {},
  };
  readonly canReadSync = true;
  readonly ledger: Ledger;

  /** @param memoryLimit bytes of live arrays past which allocation is refused. */
  constructor(memoryLimit: number) {
    this.ledger = new Ledger(memoryLimit);
  }

  upload(aval: Aval, bytes: Uint8Array): Storage {
    return new HostStorage(this, bytes.slice(), showAval(aval));
  }

  read(storage: Storage, bytes: number): Promise<Uint8Array> {
    return Promise.resolve(this.readSync(storage, bytes));
  }

  readSync(storage: Storage, bytes: number): Uint8Array {
    return (storage as HostStorage).data.slice(0, bytes);
  }

  compile(graph: Graph, _donated: readonly boolean[]): Executable {
    const ready = simplify(expand(simplify(graph), () => false));
    return new CpuProgram(this, ready);
  }

  wait(): Promise<void> {
    return Promise.resolve();
  }

  memoryStats(): MemoryStats {
    return this.ledger.stats(0);
  }

  resetPeakMemory(): void {
    this.ledger.resetPeak();
  }
}

/** A graph whose nodes are evaluated in order. */
class CpuProgram implements Executable {
  readonly graph: Graph;
  readonly #backend: CpuBackend;
  readonly #lastUse = new Map<Variable, Node>();

  constructor(backend: CpuBackend, graph: Graph) {
    this.#backend = backend;
    this.graph = graph;
    for (const node of graph.nodes) node.inputs.forEach((v) => this.#lastUse.set(v, node));
    graph.outputs.forEach((v) => this.#lastUse.delete(v));
  }

  get dispatches(): number {
    return this.graph.nodes.length;
  }

  run(inputs: readonly Storage[]): readonly Storage[] {
    const tensors = new Map<Variable, Tensor>();
    this.graph.inputs.forEach((v, i) =>
      tensors.set(v, tensorOf(v.aval, (inputs[i] as HostStorage).data))
    );
    for (const node of this.graph.nodes) {
      const results = evaluate(node, node.inputs.map((v) => tensors.get(v)!));
      node.outputs.forEach((v, i) => tensors.set(v, results[i]!));
      for (const v of node.inputs) if (this.#lastUse.get(v) === node) tensors.delete(v);
    }
    return this.graph.outputs.map((v) => {
      const position = this.graph.inputs.indexOf(v);
      if (position >= 0) {
        inputs[position]!.retain();
        return inputs[position]!;
      }
      return new HostStorage(
        this.#backend,
        encodeValues(v.aval.dtype, tensors.get(v)!.values),
        showAval(v.aval),
      );
    });
  }

  wgsl(): string {
    return "";
  }

  /** No plan is made here: every result of the graph counts as a temporary. */
  memoryAnalysis(): MemoryAnalysis {
    const total = (variables: readonly Variable[]) =>
      variables.reduce((sum, { aval }) => sum + byteSize(aval.dtype, sizeOf(aval.shape)), 0);
    const argumentBytes = total(this.graph.inputs);
    const outputBytes = total(this.graph.outputs);
    const made = this.graph.nodes.flatMap((node) => node.outputs);
    const tempBytes = total(made.filter((v) => !this.graph.outputs.includes(v)));
    return {
      argumentBytes,
      outputBytes,
      tempBytes,
      peakBytes: argumentBytes + outputBytes + tempBytes,
    };
  }
}

function tensorOf(aval: Aval, data: Uint8Array): Tensor {
  const values = Float64Array.from(decodeBytes(aval.dtype, data, sizeOf(aval.shape)));
  return { shape: aval.shape, dtype: aval.dtype, values };
}

/** Runs one node and rounds its results to their dtypes, as a store would. */
function evaluate(node: Node, inputs: readonly Tensor[]): Tensor[] {
  const { operation, params, outputs } = node;
  if (!operation.evaluate) throw new Error(`operation ${operation.name} has no reference`);
  const results = operation.evaluate(inputs, params, outputs.map((v) => v.aval));
  return outputs.map(({ aval }, i) => ({ ...aval, values: rounded(aval, results[i]!) }));
}

function rounded({ dtype, shape }: Aval, values: Float64Array): Float64Array {
  if (!isFloating(dtype) && dtype === "bool") return values;
  return Float64Array.from(decodeBytes(dtype, encodeValues(dtype, values), sizeOf(shape)));
}
