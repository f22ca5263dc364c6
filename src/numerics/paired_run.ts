// A graph run in its own types and, operation by operation beside it, with every floating type in it made float32.

import { ownHandle } from "../array.ts";
import { type DType, isFloating, isHalf } from "../core/dtype.ts";
import type { Graph, Node } from "../ir/graph.ts";
import type { Params } from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { astype } from "../ops/cast.ts";
import { runStepwise } from "./traced_program.ts";

const what = "the report";

/** One operation run both ways. Values are freed where they are used last. */
export interface PairedStep {
  readonly node: Node;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The same results in float32. */
  readonly expected: readonly Value[];
}

/** Runs a graph both ways. Inputs stand for all inputs of the graph, captured ones too, and are left to the caller. */
export function* runPaired(graph: Graph, inputs: readonly Value[]): Generator<PairedStep, void> {
  const closed = { ...graph, captures: [] };
  const wide = inputs.map((x) => isHalf(x.aval.dtype) ? astype(x, "float32") : x);
  const [own, right] = [runStepwise(closed, inputs), runStepwise(closed, wide, inFloat32)];
  const given = new Set<Value>([...inputs, ...wide]);
  try {
    for (;;) {
      const [mine, other] = [own.next(), right.next()];
      if (mine.done || other.done) {
        const results = [mine.value, other.value].flat() as Value[];
        results.forEach((x) => given.has(x) || x.consume(what));
        return;
      }
      yield { ...mine.value, expected: other.value.outputs };
    }
  } finally {
    wide.forEach((x, i) => x === inputs[i] || x.consume(what));
  }
}

/** Applies a node in float32. */
function inFloat32({ operation, params }: Node, inputs: readonly Value[]): readonly Value[] {
  const [x] = inputs;
  const isConversion = operation.name === "astype" && isFloating(x!.aval.dtype) &&
    isFloating(params.dtype as DType);
  return isConversion ? [ownHandle(what, x!, x)] : bind(operation, widened(params), ...inputs);
}

/** Static arguments with the half types that they name made float32. */
function widened(params: Params): Params {
  const named = ["dtype", "preferredElementType"].filter((key) => isHalf(params[key] as DType));
  return named.length === 0
    ? params
    : { ...params, ...Object.fromEntries(named.map((key) => [key, "float32"])) };
}
