// A traced function as one operation, with rules of its own for derivatives: what checkpoint, customVjp and
// cond put into a graph. It is replaced by its body before anything is compiled.

import { isFloating } from "../core/dtype.ts";
import type { Aval } from "../ir/aval.ts";
import { type Graph, showGraph } from "../ir/graph.ts";
import type { Operation, Params, Tangent } from "../ir/operation.ts";
import { bind, replayGraph, traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { allBatched, unbroadcast } from "../ops/broadcast.ts";
import { batchGraph } from "./batch.ts";
import { zerosOf } from "./differentiate.ts";

/** A function of arrays with its rules. */
export interface FunctionRules {
  readonly name: string;
  /** Static arguments that tell it from every other function of its name. */
  readonly params: Params;
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  run(inputs: readonly Value[]): readonly Value[];
  jvp(inputs: readonly Value[], tangents: readonly Tangent[]): readonly Tangent[];
  vjp(cotangents: readonly Tangent[], inputs: readonly Value[]): readonly Tangent[];
  /** The same function of rewritten graphs; without it, mixed precision leaves the function as it is. */
  rewritten?(rewrite: GraphRewrite): FunctionRules;
}

/**
 * Makes another graph of one that captures nothing, with other dtypes. `positions` says which of the function's
 * inputs are those of the graph.
 */
export type GraphRewrite = (graph: Graph, positions: readonly number[]) => Graph;

const rulesOfOperations = new WeakMap<Operation, FunctionRules>();

/** The rules of an operation that stands for a function; undefined for all others. */
export function functionRulesOf(operation: Operation): FunctionRules | undefined {
  return rulesOfOperations.get(operation);
}

/** Positions from `start` up to `end`, which is left out. */
export function positionsFrom(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/** Applies a function as one operation of the graph being traced. */
export function bindFunction(rules: FunctionRules, inputs: readonly Value[]): readonly Value[] {
  return bind(operationOf(rules), rules.params, ...inputs);
}

/** A graph as a function whose captured arrays are inputs like all others. */
export function closedGraph(graph: Graph): {
  readonly graph: Graph;
  readonly text: string;
  run(inputs: readonly Value[]): readonly Value[];
} {
  const closed = { ...graph, captures: [] };
  return { graph: closed, text: showGraph(closed), run: (inputs) => replayGraph(closed, inputs) };
}

function operationOf(rules: FunctionRules): Operation {
  const operation: Operation = {
    name: rules.name,
    precision: rules.rewritten ? "follow" : "keep",
    aval: () => rules.outputs,
    lower: { kind: "composite", decompose: (inputs) => rules.run(inputs) },
    derivative: {
      kind: "structured",
      jvp: (inputs, tangents) => rules.jvp(inputs, tangents),
      vjp: (cotangents, inputs) => rules.vjp(cotangents, inputs),
    },
    batch: (inputs, batched, _, size) => bindFunction(batchedRules(rules, batched, size), inputs),
  };
  rulesOfOperations.set(operation, rules);
  return operation;
}

/** The same function of a batch, its rules batched too. */
function batchedRules(
  rules: FunctionRules,
  batched: readonly boolean[],
  size: number,
): FunctionRules {
  const lead = (aval: Aval): Aval => ({ ...aval, shape: [size, ...aval.shape] });
  const over = (
    avals: readonly Aval[],
    values: readonly Value[],
    flags: readonly boolean[],
    body: (values: readonly Value[]) => readonly Value[],
  ): Value[] => {
    const graph = traceGraph((...xs) => body(xs), avals);
    const out = batchGraph(graph, { values, batched: flags }, size);
    return allBatched(out.values, out.batched, size);
  };
  return {
    ...rules,
    params: { ...rules.params, batch: `${rules.params.batch ?? ""}${size}:${batched};` },
    inputs: rules.inputs.map((aval, i) => batched[i] ? lead(aval) : aval),
    outputs: rules.outputs.map(lead),
    rewritten: rules.rewritten &&
      ((rewrite) => batchedRules(rules.rewritten!(rewrite), batched, size)),
    run: (inputs) => over(rules.inputs, inputs, batched, rules.run),
    jvp: (inputs, tangents) => {
      const moving = tangents.flatMap((t, i) => t ? [i] : []);
      const n = inputs.length;
      return over(
        [...rules.inputs, ...moving.map((i) => rules.inputs[i]!)],
        [...inputs, ...moving.map((i) => tangents[i]!)],
        [...batched, ...moving.map((i) => batched[i]!)],
        (xs) => {
          const given = tangents.map((t, i) => t && xs[n + moving.indexOf(i)]);
          const out = rules.jvp(xs.slice(0, n), given);
          return rules.outputs.map((aval, i) => out[i] ?? zerosOf({ aval }));
        },
      );
    },
    vjp: (cotangents, inputs) => {
      const given = cotangents.flatMap((t, i) => t ? [i] : []);
      const floating = inputs.flatMap((x, i) => isFloating(x.aval.dtype) ? [i] : []);
      const out = over(
        [...given.map((i) => rules.outputs[i]!), ...rules.inputs],
        [...given.map((i) => cotangents[i]!), ...inputs],
        [...given.map(() => true), ...batched],
        (xs) => {
          const own = xs.slice(given.length);
          const back = rules.vjp(cotangents.map((t, i) => t && xs[given.indexOf(i)]), own);
          return floating.map((i) => back[i] ?? zerosOf(own[i]!));
        },
      );
      // What all examples share receives the sum of what they give back.
      return inputs.map((x, i) => {
        const back = out[floating.indexOf(i)];
        return back && unbroadcast(back, x.aval.shape);
      });
    },
  };
}
