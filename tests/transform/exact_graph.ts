// Graphs evaluated in float64 with nothing rounded between: what finite differences are taken of, and what
// derivatives are held to them by.

import "../../mod.ts";
import { expand } from "../../src/compile/expand.ts";
import { isFloating } from "../../src/core/dtype.ts";
import type { Aval } from "../../src/ir/aval.ts";
import type { Graph, Variable } from "../../src/ir/graph.ts";
import type { Operation, Params, Tensor } from "../../src/ir/operation.ts";
import { bind, traceGraph } from "../../src/ir/trace.ts";
import type { Value } from "../../src/ir/value.ts";
import { add, mul } from "../../src/ops/arithmetic.ts";
import { constant } from "../../src/ops/constant.ts";
import { reduce, sumOperation } from "../../src/ops/reduction.ts";
import { pullBack, pushForward, zerosOf } from "../../src/transform/differentiate.ts";
import { randomSource } from "../kernels/random_elements.ts";
import type { Sample } from "../ops/structural_samples.ts";

/** The results of a graph in float64. */
export function evaluate(graph: Graph, inputs: readonly Float64Array[]): Float64Array[] {
  const ready = expand(graph, () => false);
  const values = new Map<Variable, Float64Array>();
  ready.inputs.forEach((v, i) => values.set(v, inputs[i]!));
  for (const node of ready.nodes) {
    const tensors = node.inputs.map((v): Tensor => ({ ...v.aval, values: values.get(v)! }));
    const results = node.operation.evaluate!(tensors, node.params, node.outputs.map((v) => v.aval));
    node.outputs.forEach((v, i) => values.set(v, results[i]!));
  }
  return ready.outputs.map((v) => values.get(v)!);
}

/** A number's value in a graph of one scalar. */
export function scalarOf(graph: Graph, inputs: readonly Float64Array[]): number {
  return evaluate(graph, inputs)[0]![0]!;
}

/** An operation at one place: what its inputs are and what a test feeds to it. */
export interface Case {
  readonly operation: Operation;
  readonly params: Params;
  readonly avals: readonly Aval[];
  readonly values: readonly Float64Array[];
}

/** Random numbers from a range. */
export function randomValues(
  count: number,
  [low, high]: readonly [number, number],
  seed: number,
): Float64Array {
  const next = randomSource(seed);
  return Float64Array.from({ length: count }, () => low + (high - low) * (next() / 2 ** 32));
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A sample of the structural registry in float32. */
export function caseOf(operation: Operation, sample: Sample): Case {
  const dtype = sample.dtypes?.every((d) => d === "bool") ? "bool" as const : "float32" as const;
  const avals = sample.shapes.map((shape, i): Aval => ({
    shape,
    dtype: sample.positions?.[i] ? "int32" : sample.own?.[i] ?? dtype,
  }));
  const values = avals.map(({ shape, dtype }, i) => {
    const positions = sample.positions?.[i];
    const range = positions ?? sample.domain ?? [-3, 3];
    const random = randomValues(sizeOf(shape), range, 77 + i);
    if (dtype === "bool") return random.map((v) => Number(v > 0));
    return positions ? random.map(Math.floor) : random;
  });
  return { operation, params: sample.params ?? {}, avals, values };
}

/** The sum over all float results, each times a weight of its own: any wrong element shows. */
export function lossOf({ operation, params, avals }: Case): Graph {
  return traceGraph((...inputs) => {
    const outputs = bind(operation, params, ...inputs).filter((v) => isFloating(v.aval.dtype));
    return [outputs.map((v, i) => weighted(v, i)).reduce((a, b) => add(a, b))];
  }, avals);
}

function weighted(x: Value, seed: number): Value {
  return dot(x, randomValues(sizeOf(x.aval.shape), [0.5, 1.5], 31 + seed));
}

/** The sum of a value's elements times given numbers. */
function dot(x: Value, weights: Float64Array): Value {
  const { shape } = x.aval;
  const axes = shape.map((_, axis) => axis);
  const literal: Operation = {
    name: "literal",
    precision: "follow",
    lower: { kind: "constant" },
    aval: () => ({ shape, dtype: "float32" }),
    evaluate: () => [weights],
    batch: () => [bind(literal, {})[0]!],
  };
  return reduce(sumOperation, mul(x, bind(literal, {})[0]!), axes);
}

/** A direction in which a graph's float inputs move. */
export function directionOf(avals: readonly Aval[], seed: number): (Float64Array | undefined)[] {
  return avals.map(({ dtype, shape }, i) =>
    isFloating(dtype) ? randomValues(sizeOf(shape), [-1, 1], seed + i) : undefined
  );
}

type Direction = readonly (Float64Array | undefined)[];

/** The derivative of a scalar graph along a direction, in reverse mode, as a graph of the same inputs. */
export function reverseAlong(graph: Graph, direction: Direction): Graph {
  return traceGraph((...inputs) => {
    const [, pullback] = pullBack(graph, inputs);
    const cotangents = pullback([constant(1, "float32")]);
    const terms = direction.map((d, i) => d && dot(cotangents[i] ?? zerosOf(inputs[i]!), d));
    return [terms.reduce((a, b) => a && b ? add(a, b) : a ?? b) ?? constant(0, "float32")];
  }, graph.inputs.map((v) => v.aval));
}

/** The same in forward mode. */
export function forwardAlong(graph: Graph, direction: Direction): Graph {
  return traceGraph((...inputs) => {
    const tangents = direction.map((d, i) => d && moved(inputs[i]!, d));
    const [[value], [tangent]] = pushForward(graph, inputs, tangents);
    return [tangent ?? zerosOf(value!)];
  }, graph.inputs.map((v) => v.aval));
}

function moved(like: Value, values: Float64Array): Value {
  const { shape } = like.aval;
  const literal: Operation = {
    name: "literal",
    precision: "follow",
    lower: { kind: "constant" },
    aval: () => ({ shape, dtype: "float32" }),
    evaluate: () => [values],
  };
  return bind(literal, {})[0]!;
}

/** The derivative along a direction by central differences. */
export function differenceAlong(
  graph: Graph,
  inputs: readonly Float64Array[],
  direction: Direction,
  step = 1e-5,
): number {
  const at = (by: number) =>
    scalarOf(graph, inputs.map((x, i) => x.map((v, j) => v + by * (direction[i]?.[j] ?? 0))));
  // Richardson's extrapolation: the error is of the fourth order in the step.
  const coarse = (at(2 * step) - at(-2 * step)) / (4 * step);
  const fine = (at(step) - at(-step)) / (2 * step);
  return (4 * fine - coarse) / 3;
}
