// Elementwise kernels: every thread computes four consecutive elements of each output.

import type { Fragment } from "./fragment.ts";
import {
  assembleKernel,
  type Binding,
  type Kernel,
  linearGroup,
  spreadWorkgroups,
} from "./kernel.ts";
import { packVector, type StorageFormat, storageFunctions, vectorElement } from "./storage.ts";
import type { Target } from "./target.ts";

/** An expression stored to one or more arrays of the same number of elements. */
export interface ElementwiseDescription {
  /** Elements of the iteration space. */
  readonly size: number;
  readonly fragment: Fragment;
  /** How each of the fragment's results is stored. */
  readonly outputs: readonly StorageFormat[];
}

const workgroupSize = 64;

/** The kernel of an expression. Its length is a parameter: one text serves every batch size. */
export function elementwiseKernel(description: ElementwiseDescription, target: Target): Kernel {
  const { fragment, outputs } = description;
  const vectors = Math.ceil(description.size / 4);
  const stores = outputs.map((format, i): Binding => ({
    name: `out${i}`,
    access: "read_write",
    element: vectorElement(format),
  }));
  const text = fragment.emit("index", [], "");
  const body = `let thread = ${linearGroup} * ${workgroupSize}u + lane;
if (thread >= params.vectors) { return; }
let index = thread * 4u;
${text.statements}
${
    outputs.map((format, i) => `out${i}[thread] = ${packVector(format, text.results[i]!)};`).join(
      "\n",
    )
  }`;
  return assembleKernel({
    name: "elementwise",
    bindings: [...fragment.bindings, ...stores],
    parameters: [{ name: "vectors", type: "u32", value: vectors }, ...fragment.parameters],
    functions: storageFunctions + fragment.functions,
    workgroupSize: `${workgroupSize}`,
    body,
    workgroups: spreadWorkgroups(Math.ceil(vectors / workgroupSize)),
  }, target);
}
