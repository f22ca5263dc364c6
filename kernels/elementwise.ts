// Elementwise kernels: every thread computes four consecutive elements of each output.

import type { Fragment } from "./fragment.ts";
import {
  assembleKernel,
  type Binding,
  type Kernel,
  linearGroup,
  spreadWorkgroups,
} from "./kernel.ts";
import {
  packVector,
  type StorageFormat,
  storageFunctions,
  vectorElement,
  vectorLoad,
  vectorLoadFunctions,
} from "./storage.ts";
import type { Target } from "./target.ts";

/** An array that a kernel stores. */
export interface ElementwiseOutput {
  readonly format: StorageFormat;
  /** Whether the fragment reads the array too, under its name as an output, each element before it is stored. */
  readonly inPlace?: boolean;
}

/** An expression stored to one or more arrays of the same number of elements. */
export interface ElementwiseDescription {
  /** Elements of the iteration space. */
  readonly size: number;
  readonly fragment: Fragment;
  /** Where each of the fragment's results goes. */
  readonly outputs: readonly ElementwiseOutput[];
}

const workgroupSize = 64;

/** The WGSL name of an elementwise kernel's output. */
export function outputName(index: number): string {
  return `out${index}`;
}

/** The kernel of an expression. Its length is a parameter: one text serves every batch size. */
export function elementwiseKernel(description: ElementwiseDescription, target: Target): Kernel {
  const { fragment, outputs } = description;
  const vectors = Math.ceil(description.size / 4);
  const text = fragment.emit("index", [], "");
  const stores = outputs.map(({ format, inPlace }, i) => {
    const value = text.results[i]!;
    const packed = inPlace ? vectorLoad(format, target).pack(value) : packVector(format, value);
    return `${outputName(i)}[thread] = ${packed};`;
  });
  return assembleKernel({
    name: "elementwise",
    bindings: [...fragment.bindings, ...outputs.map((output, i) => binding(output, i, target))],
    parameters: [{ name: "vectors", type: "u32", value: vectors }, ...fragment.parameters],
    functions: storageFunctions + vectorLoadFunctions(target) + fragment.functions,
    workgroupSize: `${workgroupSize}`,
    body: `let thread = ${linearGroup} * ${workgroupSize}u + lane;
if (thread >= params.vectors) { return; }
let index = thread * 4u;
${text.statements}
${stores.join("\n")}`,
    workgroups: spreadWorkgroups(Math.ceil(vectors / workgroupSize)),
    sharesDispatch: true,
  }, target);
}

/** How an output is declared; one that is read too, as its loads are. */
function binding({ format, inPlace }: ElementwiseOutput, index: number, target: Target): Binding {
  const element = inPlace ? vectorLoad(format, target).element : vectorElement(format);
  return { name: outputName(index), access: "read_write", element };
}
