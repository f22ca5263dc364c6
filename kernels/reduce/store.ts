// What follows a computed value in the kernels of this folder and of rows/: an optional epilogue, then
// one store an output.

import type { Fragment } from "../fragment.ts";
import type { Binding } from "../kernel.ts";
import { packVector, type StorageFormat, vectorElement } from "../storage.ts";

/** How results leave a kernel. */
export interface Results {
  /** How each result is stored: the epilogue's, or the kernel's own value where there is no epilogue. */
  readonly outputs: readonly StorageFormat[];
  /** An expression of the kernel's value, its only anchor, over the elements of the outputs. */
  readonly epilogue?: Fragment;
}

/** The arrays `out0`, `out1`, ... in which results are stored, four elements at a time. */
export function outputBindings(outputs: readonly StorageFormat[]): Binding[] {
  return outputs.map((format, i) => ({
    name: `out${i}`,
    access: "read_write",
    element: vectorElement(format),
  }));
}

/**
 * WGSL that stores four consecutive results.
 * @param value the name of the kernel's vec4 value.
 * @param index the name of the number of the first of the four elements, a multiple of 4.
 * @param first the number of the first of these outputs in the kernel.
 */
export function storeResults(results: Results, value: string, index: string, first = 0): string {
  const text = results.epilogue?.emit(index, [value], "_e") ?? { statements: "", results: [value] };
  const stores = results.outputs.map((format, i) =>
    `let stored${first + i} = ${text.results[i]};
out${first + i}[${index} >> 2u] = ${packVector(format, `stored${first + i}`)};`
  );
  return `${text.statements}\n${stores.join("\n")}`;
}
