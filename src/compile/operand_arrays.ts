// The stored arrays that an expression reads, each bound once for every way in which it is read.

import type { Variable } from "../ir/graph.ts";
import type { AccessKind } from "../../kernels/access.ts";
import type { Binding } from "../../kernels/kernel.ts";
import { scalarElement, storageFormat, vectorLoad } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";

/** Names and declares the arrays of one expression. */
export class OperandArrays {
  readonly #prefix: string;
  readonly #target: Target;
  readonly #updated: ReadonlyMap<Variable, string>;
  readonly #names = new Map<Variable, Map<AccessKind, string>>();
  readonly #bindings: Binding[] = [];
  readonly #operands: Variable[] = [];

  /**
   * @param prefix what the names begin with.
   * @param updated variables that the kernel stores over, and the names of the outputs that they become.
   */
  constructor(prefix: string, target: Target, updated?: ReadonlyMap<Variable, string>) {
    this.#prefix = prefix;
    this.#target = target;
    this.#updated = updated ?? new Map();
  }

  /** The arrays in the order in which they were first read, without those that are stored over. */
  get bindings(): readonly Binding[] {
    return this.#bindings;
  }

  /** The variables of the bindings, in order. */
  get operands(): readonly Variable[] {
    return this.#operands;
  }

  /** The WGSL name of a variable's array. */
  nameOf(variable: Variable, kind: AccessKind): string {
    const output = this.#updated.get(variable);
    if (output !== undefined) {
      if (kind === "vector") return output;
      throw new Error("an array that is stored over is read out of place");
    }
    let names = this.#names.get(variable);
    if (!names) this.#names.set(variable, names = new Map());
    let name = names.get(kind);
    if (name === undefined) {
      names.set(kind, name = `${this.#prefix}in${this.#operands.length}`);
      this.#bindings.push({ name, access: "read", element: this.#element(variable, kind) });
      this.#operands.push(variable);
    }
    return name;
  }

  #element(variable: Variable, kind: AccessKind): string {
    const format = storageFormat(variable.aval.dtype, this.#target);
    return kind === "vector" ? vectorLoad(format, this.#target).element : scalarElement(format);
  }
}
