// Tracing functions of trees: what jit, grad and their like do to a user's function before anything else.

import { checkDType, type DType } from "../core/dtype.ts";
import { describe } from "../core/errors.ts";
import { flatten, leavesWithPath, type TreeStructure, unflatten } from "../core/pytree.ts";
import { checkShape, type Shape } from "../core/shape.ts";
import { asArray, NDArray } from "../array.ts";
import type { Aval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { literalType } from "../ops/operand.ts";

/** A traced function of trees: its graph and the structure of its result. */
export interface TracedTree {
  readonly graph: Graph;
  readonly structure: TreeStructure;
}

/**
 * The aval of a leaf that may enter a traced function: an array, or a number or boolean as a scalar.
 *
 * @throws {TypeError} for anything else, with `advice` at the end.
 */
export function leafAval(leaf: unknown, what: string, advice = ""): Aval {
  if (leaf instanceof NDArray) return leaf.aval;
  if (typeof leaf === "number" || typeof leaf === "boolean") {
    return { shape: [], ...literalType(leaf) };
  }
  if (leaf instanceof ShapeDtype) return { shape: leaf.shape, dtype: leaf.dtype };
  throw new TypeError(
    `Cannot ${what}: arguments must be arrays, numbers, booleans or trees of them, got ${
      describe(leaf)
    }${advice}`,
  );
}

/** A shape and a dtype in place of an array: what `evalShape` returns, and what it and `lower` take. */
export class ShapeDtype {
  /** The extents of the axes. */
  readonly shape: Shape;
  /** The element type. */
  readonly dtype: DType;

  /** Checks both. */
  constructor(shape: Shape, dtype: DType) {
    this.shape = Object.freeze(checkShape("describe an array", shape));
    this.dtype = checkDType(dtype, "dtype");
    Object.freeze(this);
  }
}

/** A leaf as an array on the device. */
export function leafValue(leaf: unknown, what: string): NDArray {
  return leaf instanceof NDArray ? leaf : asArray(leaf as number, what);
}

/** Traces a function of one tree. Leaves of the result that are numbers become arrays. */
export function traceTree(
  fn: (tree: unknown) => unknown,
  structure: TreeStructure,
  avals: readonly Aval[],
  what: string,
): TracedTree {
  let result: TreeStructure | undefined;
  const graph = traceGraph((...inputs: Value[]) => {
    const [leaves, shape] = flattenResult(fn(unflatten(structure, inputs)), what);
    result = shape;
    return leaves;
  }, avals);
  return { graph, structure: result! };
}

/** The leaves of a user function's result as arrays, with an error that names the path of anything else. */
export function flattenResult(tree: unknown, what: string): [NDArray[], TreeStructure] {
  if (tree instanceof Promise) {
    throw new TypeError(
      `Cannot ${what}: the function returned a Promise; a traced function must not be async`,
    );
  }
  const [leaves, structure] = flatten<unknown>(tree) as [unknown[], TreeStructure];
  const arrays = leaves.map((leaf, i) => {
    if (leaf instanceof NDArray || typeof leaf === "number" || typeof leaf === "boolean") {
      return leafValue(leaf, what);
    }
    const { path } = leavesWithPath(tree, "result")[i]!;
    throw new TypeError(
      `Cannot ${what}: ${path} of the function's result must be an array or a number, got ${
        describe(leaf)
      }`,
    );
  });
  return [arrays, structure];
}
