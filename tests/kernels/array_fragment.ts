// The simplest fragments: one array, loaded by vectors or by elements, and an expression of it.

import type { Fragment } from "../../kernels/fragment.ts";
import {
  loadScalar,
  scalarElement,
  type StorageFormat,
  unpackVector,
  vectorElement,
} from "../../kernels/storage.ts";

/** What to load and what to make of it. */
export interface ArrayFragmentOptions {
  readonly format: StorageFormat;
  readonly aligned: boolean;
  /** The array's variable. */
  readonly name?: string;
  /** An expression of `x`, the four elements loaded. */
  readonly expression?: string;
}

/** A fragment that reads an array at the index it is asked for. */
export function arrayFragment(options: ArrayFragmentOptions): Fragment {
  const { format, aligned, name = "source", expression = "x" } = options;
  const element = aligned ? vectorElement(format) : scalarElement(format);
  const lanes = (index: string) =>
    [0, 1, 2, 3].map((lane) => loadScalar(format, name, `(${index} + ${lane}u)`)).join(", ");
  const wide = { int32: "vec4i", uint32: "vec4u", bool: "vec4<bool>" }[format as string] ?? "vec4f";
  return {
    bindings: [{ name, access: "read", element }],
    parameters: [],
    functions: "",
    aligned,
    emit: (index, _anchors, suffix) => {
      const [word, x] = [`${name}_word${suffix}`, `${name}_x${suffix}`];
      const load = aligned
        ? `let ${word} = ${name}[${index} >> 2u];\nlet ${x} = ${unpackVector(format, word)};`
        : `let ${x} = ${wide}(${lanes(index)});`;
      return { statements: load, results: [expression.replaceAll(/\bx\b/g, x)] };
    },
  };
}

/** An expression of the kernel's own value `a` and of one more array, `x`. */
export function epilogueFragment(options: ArrayFragmentOptions): Fragment {
  const fragment = arrayFragment({ ...options, name: options.name ?? "other" });
  return {
    ...fragment,
    emit: (index, anchors, suffix) => {
      const text = fragment.emit(index, anchors, suffix);
      return {
        statements: text.statements,
        results: text.results.map((r) => r.replaceAll(/\ba\b/g, anchors[0])),
      };
    },
  };
}
