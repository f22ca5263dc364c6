// A program of the table made ready to run on this library, with arguments on the device.

import { blockUntilReady, jit, type Jitted, type NDArray, numpy as jnp } from "../../mod.ts";
import { type HostArray, makeArguments } from "../host_data.ts";
import type { Precision } from "../precision.ts";
import type { Program } from "../programs.ts";
import { largestError, SAMPLED_ELEMENTS } from "../reference.ts";
import type { Contender } from "./timing.ts";

/** One program with its arguments in one type. */
export class PreparedProgram implements Contender {
  readonly #program: Program;
  readonly #host: readonly HostArray[];
  readonly #inputs: readonly NDArray[];
  readonly #compiled: Jitted<NDArray[], NDArray>;

  /** Puts the arguments on the device; nothing is compiled before the first call. */
  constructor(program: Program, precision: Precision, host: readonly HostArray[]) {
    this.#program = program;
    this.#host = host;
    this.#inputs = host.map((array) => toDevice(array, precision));
    this.#compiled = jit(program.run, { name: program.name });
  }

  /** A program with arguments of its own. */
  static of(program: Program, precision: Precision, size: number): PreparedProgram {
    return new PreparedProgram(program, precision, makeArguments(program.arguments(size)));
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

  /** Bytes of arguments, temporaries and results together. */
  get bytes(): number {
    return this.#compiled.lower(...this.#inputs).memoryAnalysis().peakBytes;
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
