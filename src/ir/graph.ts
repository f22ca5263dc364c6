// Graphs: a traced function as a list of operations in the order in which they run.

import { showAval, type Variable } from "./aval.ts";
import { type Operation, type Params, paramsKey } from "./operation.ts";
import type { SourceLine } from "./source_line.ts";
import type { Value } from "./value.ts";

export type { Variable };

/** One application of an operation. */
export interface Node {
  readonly operation: Operation;
  readonly params: Params;
  readonly inputs: readonly Variable[];
  readonly outputs: readonly Variable[];
  /** Module path from the name scopes that were open, e.g. `encoder/block0/attn`. */
  readonly path: string;
  /** The line of the user's program, where sources are recorded. */
  readonly source?: SourceLine;
  /** Set, where sources are recorded, in what takes cotangents back. */
  readonly pass?: "backward";
}

/** A function of arrays. Captured arrays are hidden inputs, listed after the explicit ones. */
export interface Graph {
  readonly inputs: readonly Variable[];
  /** The values that the last `captures.length` inputs stand for. */
  readonly captures: readonly Value[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Variable[];
}

/** Prints a graph in JAX's jaxpr notation: `b:float16[2,3] = exp a`. */
export function showGraph(graph: Graph): string {
  const names = new Map<Variable, string>();
  const name = (v: Variable) => {
    if (!names.has(v)) names.set(v, letters(names.size));
    return names.get(v)!;
  };
  const typed = (v: Variable) => `${name(v)}:${showAval(v.aval)}`;
  const explicit = graph.inputs.slice(0, graph.inputs.length - graph.captures.length);
  const captured = graph.inputs.slice(explicit.length);
  const lines = graph.nodes.map((node) => {
    const params = Object.entries(node.params).filter(([, v]) => v !== undefined);
    const shown = params.length
      ? `[${params.map(([k, v]) => `${k}=${paramsKey({ v }).slice(5, -1)}`).join(" ")}]`
      : "";
    const operands = node.inputs.map((v) => ` ${name(v)}`).join("");
    const scope = node.path ? `  # ${node.path}` : "";
    return `    ${
      node.outputs.map(typed).join(" ")
    } = ${node.operation.name}${shown}${operands}${scope}`;
  });
  const head = `{ lambda ${captured.map(typed).join(" ")}; ${explicit.map(typed).join(" ")}. let`;
  return `${head}\n${lines.join("\n")}${lines.length ? "\n" : ""}  in (${
    graph.outputs.map(name).join(", ")
  }) }`;
}

/** a, b, ..., z, aa, ab, ... */
function letters(index: number): string {
  const last = String.fromCharCode(97 + index % 26);
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}
