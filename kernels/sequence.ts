// Work that takes several kernels: the steps in order, what each binds, and the memory between them.

import type { Kernel } from "./kernel.ts";

/** An array that a step binds: an operand of the whole sequence, a result of it, or a temporary. */
export interface ArrayReference {
  readonly kind: "input" | "output" | "temporary";
  /** Its number among the operands, the results or {@linkcode KernelSequence.temporaries}. */
  readonly index: number;
}

/** One dispatch of a sequence. */
export interface KernelStep {
  readonly kernel: Kernel;
  /** The arrays in the order of the kernel's bindings; none is there twice unless it is only read. */
  readonly arrays: readonly ArrayReference[];
}

/** Memory that a sequence needs while it runs. */
export interface Temporary {
  /** A multiple of 16. Its contents at the start do not matter and are of no use afterwards. */
  readonly bytes: number;
}

/**
 * Kernels to dispatch one after the other, each seeing what the ones before it wrote. Arrays that a
 * step binds for writing must not share a buffer with others that it binds. Operands and results are
 * padded to whole vectors of four elements. Where no result has elements there are no steps.
 */
export interface KernelSequence {
  readonly steps: readonly KernelStep[];
  readonly temporaries: readonly Temporary[];
}

/** Refers to an operand of the sequence. */
export function inputArray(index: number): ArrayReference {
  return { kind: "input", index };
}

/** Refers to a result of the sequence. */
export function outputArray(index: number): ArrayReference {
  return { kind: "output", index };
}

/** Collects the steps and the temporaries of a sequence as a generator goes along. */
export class SequenceBuilder {
  readonly #steps: KernelStep[] = [];
  readonly #temporaries: Temporary[] = [];

  /** A new temporary of at least `bytes` bytes, rounded up to whole 16-byte vectors. */
  temporary(bytes: number): ArrayReference {
    this.#temporaries.push({ bytes: Math.max(16, Math.ceil(bytes / 16) * 16) });
    return { kind: "temporary", index: this.#temporaries.length - 1 };
  }

  /** Adds a step that binds `arrays` in the order of the kernel's bindings. */
  step(kernel: Kernel, ...arrays: ArrayReference[]): void {
    this.#steps.push({ kernel, arrays });
  }

  /** The sequence as collected so far. */
  finish(): KernelSequence {
    return { steps: [...this.#steps], temporaries: [...this.#temporaries] };
  }
}
