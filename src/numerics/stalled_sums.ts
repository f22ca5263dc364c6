// Sums that half types leave as they were: an update below half the distance to a weight's neighbour.

import { ownHandle } from "../array.ts";
import { isHalf } from "../core/dtype.ts";
import { sameShape } from "../core/shape.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { sumOperation } from "../ops/broadcast.ts";
import { astype } from "../ops/cast.ts";
import { equal, notEqual } from "../ops/comparison.ts";
import { logicalAnd, logicalOr } from "../ops/logic.ts";
import { runTraced } from "../transform/traced_call.ts";
import type { PairedStep } from "./paired_run.ts";

const what = "the report";

/** A value and what it is in float32. */
interface Pair {
  readonly own: Value;
  readonly expected: Value;
}

/** From a sum and what it is in float32, and the same of its terms, to the number of its elements that are a term's. */
function countStalled([x, right, ...pairs]: readonly Value[]): Value[] {
  const tests = [];
  for (let i = 0; i < pairs.length; i += 2) {
    tests.push(logicalAnd(equal(x!, pairs[i]!), notEqual(right!, pairs[i + 1]!)));
  }
  const stalled = tests.reduce((a, b) => logicalOr(a, b));
  const axes = x!.aval.shape.map((_, axis) => axis);
  return [bind1(sumOperation, { axes }, astype(stalled, "int32"))];
}

/** Watches a run for half sums that are one of their terms still. */
export class StalledSums {
  readonly #producers = new Map<Variable, Node>();
  /** The half terms of each half sum, by its variable. */
  readonly #terms = new Map<Variable, readonly Variable[]>();
  readonly #wanted: ReadonlySet<Variable>;
  readonly #seen = new Map<Variable, Pair>();

  constructor(graph: Graph) {
    for (const node of graph.nodes) {
      this.#producers.set(node.outputs[0]!, node);
      const terms = this.#termsOf(node);
      if (terms.length > 0) this.#terms.set(node.outputs[0]!, terms);
    }
    this.#wanted = new Set([...this.#terms.values()].flat());
  }

  /** The terms of a node's result of its shape and type, seen through conversions. */
  #termsOf(node: Node): Variable[] {
    const { aval } = node.outputs[0]!;
    const sum = node.operation.name === "astype" ? this.#producers.get(node.inputs[0]!) : node;
    if (!isHalf(aval.dtype) || !sum || !["add", "sub"].includes(sum.operation.name)) return [];
    return sum.inputs.map((v) => this.#unconverted(v)).filter((v) =>
      v.aval.dtype === aval.dtype && sameShape(v.aval.shape, aval.shape)
    );
  }

  #unconverted(variable: Variable): Variable {
    const node = this.#producers.get(variable);
    return node?.operation.name === "astype" ? this.#unconverted(node.inputs[0]!) : variable;
  }

  /** Remembers a value that a sum further on may leave as it is. */
  note(variable: Variable, own: Value, expected: Value): void {
    if (!this.#wanted.has(variable)) return;
    const [mine, right] = [ownHandle(what, own, own), ownHandle(what, expected, expected)];
    this.#seen.set(variable, { own: mine, expected: right });
  }

  /** How many elements of a sum are those of a term, though not in float32: a scalar on the device. */
  count({ node, outputs: [x], expected: [right] }: PairedStep): Value | undefined {
    const terms = (this.#terms.get(node.outputs[0]!) ?? []).flatMap((v) => this.#seen.get(v) ?? []);
    if (terms.length === 0) return undefined;
    const pairs = terms.flatMap(({ own, expected }) => [own, expected]);
    const [count] = runTraced([x!, right!, ...pairs], countStalled, what);
    return count;
  }

  /** Frees what it remembers. */
  dispose(): void {
    for (const { own, expected } of this.#seen.values()) {
      own.consume(what);
      if (expected !== own) expected.consume(what);
    }
  }
}
