// A user's function as exporters take it: its graph, with names for what goes in and comes out.

import { asNDArray, type NDArray } from "../../array.ts";
import { describe } from "../../core/errors.ts";
import { flatten, type TreeStructure } from "../../core/pytree.ts";
import type { Aval } from "../../ir/aval.ts";
import type { Graph } from "../../ir/graph.ts";
import { leafAval, traceTree } from "../../transform/trace_tree.ts";
import { dottedNames } from "../leaf_names.ts";

/** What goes into a program or comes out of it. */
export interface Port {
  /** The path of the leaf, as in `arg0.dense.kernel` and `result.0`; no two ports share one. */
  readonly name: string;
  /** Its shape and dtype. */
  readonly aval: Aval;
}

/** A traced function of trees, its leaves in order. */
export interface TracedProgram {
  /** The function's own name, or `main`. */
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The arrays that the function uses without taking them, which the last inputs of the graph stand for. */
  readonly captures: readonly NDArray[];
}

/** Traces a function of the arguments, of which only shapes and dtypes matter; `roots` are names for them. */
export function traceProgram(
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
  what: string,
  roots: readonly string[] = args.map((_, i) => `arg${i}`),
): TracedProgram {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot ${what}: a function is required first, got ${describe(fn)}`);
  }
  const [leaves, structure] = flatten<unknown>(args) as [unknown[], TreeStructure];
  const avals = leaves.map((leaf) => leafAval(leaf, what));
  const call = fn as (...args: unknown[]) => unknown;
  const traced = traceTree((tree) => call(...(tree as unknown[])), structure, avals, what);
  const inputs = args.flatMap((arg, i) => portNames(flatten(arg)[1], roots[i]!));
  const outputs = portNames(traced.structure, "result");
  return {
    name: identifier(fn.name) || "main",
    graph: traced.graph,
    inputs: distinct(inputs).map((name, i) => ({ name, aval: avals[i]! })),
    outputs: distinct(outputs).map((name, i) => ({ name, aval: traced.graph.outputs[i]!.aval })),
    captures: traced.graph.captures.map(asNDArray),
  };
}

/** The paths of a tree's leaves below its root. */
function portNames(structure: TreeStructure, root: string): string[] {
  return dottedNames(structure).map((name) => name === "" ? root : `${root}.${name}`);
}

/** The names, with a number behind those that came before: keys may hold dots. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 1; taken.has(own); n++) own = `${name}_${n}`;
    taken.add(own);
    return own;
  });
}

/** A name of letters, digits and underscores alone. */
function identifier(name: string): string {
  return name.replace(/\W+/g, "_").replace(/^_+|_+$/g, "");
}
