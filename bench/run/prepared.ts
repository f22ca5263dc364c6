// Programs of the table made ready to run on this library, with arguments on the device.

import { blockUntilReady, jit, type Jitted, type NDArray, numpy as jnp } from "../../mod.ts";
import type { HostArray } from "../host_data.ts";
import type { Precision } from "../precision.ts";
import type { FunctionProgram } from "../programs.ts";
import { largestError, SAMPLED_ELEMENTS } from "../reference.ts";
import type { Contender } from "./timing.ts";

/** Bytes on the device. */
export interface Memory {
  /** What a program keeps between its kernels. */
  readonly tempBytes: number;
  /** Arguments, temporaries and results together. */
  readonly peakBytes: number;
}

/** A program that is ready to be measured. */
export interface Prepared extends Contender {
  /** What is compared with float64. */
  result(): Promise<ArrayLike<number>>;
  /** The largest difference from float64, relative to the largest value. */
  error(): Promise<number>;
  memory(): Promise<Memory>;
  dispose(): void;
}

/** One function with its arguments in one type. */
export class PreparedFunction implements Prepared {
  readonly #program: FunctionProgram;
  readonly #host: readonly HostArray[];
  readonly #inputs: readonly NDArray[];
  readonly #compiled: Jitted<NDArray[], NDArray>;

  /** Puts the arguments on the device; nothing is compiled before the first call. */
  constructor(program: FunctionProgram, precision: Precision, host: readonly HostArray[]) {
    this.#program = program;
    this.#host = host;
    this.#inputs = host.map((array) => toDevice(array, precision));
    this.#compiled = jit(program.run, { name: program.name });
  }

  async run(calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) this.#compiled(...this.#inputs).dispose();
    await blockUntilReady(this.#inputs);
  }

  /** The elements of the result. */
  async result(): Promise<ArrayLike<number>> {
    using result = this.#compiled(...this.#inputs);
    return await result.data();
  }

  /**
   * The largest difference of the result from float64, relative to the largest value. The reference is
   * computed from the float32 numbers before they were cast, so the error of casting them counts too.
   */
  async error(): Promise<number> {
    return largestError(await this.result(), this.#program.reference, this.#host, SAMPLED_ELEMENTS);
  }

  memory(): Promise<Memory> {
    const { tempBytes, peakBytes } = this.#compiled.lower(...this.#inputs).memoryAnalysis();
    return Promise.resolve({ tempBytes, peakBytes });
  }

  /** Frees the arguments. */
  dispose(): void {
    for (const input of this.#inputs) input.dispose();
  }
}

/** An array of the host on the device, cast there. */
export function toDevice({ shape, values }: HostArray, precision: Precision): NDArray {
  using flat = jnp.array(values);
  using whole = flat.reshape(shape);
  return whole.astype(precision);
}
