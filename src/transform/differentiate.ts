// Differentiation of graphs: the forward and the reverse pass, as walks that apply each operation's rule in
// the trace in force. What comes out is itself made of operations, and can be differentiated again.

import { type DType, isFloating } from "../core/dtype.ts";
import type { Aval } from "../ir/aval.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import type { Tangent } from "../ir/operation.ts";
import { bind, onBehalfOf, traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { add, mul, neg } from "../ops/arithmetic.ts";
import { astype } from "../ops/cast.ts";
import { constant } from "../ops/constant.ts";
import { broadcastTo, unbroadcast, widened } from "../ops/broadcast.ts";
import { where } from "../ops/selection.ts";

/** Zeros of a value's shape and dtype. */
export function zerosOf({ aval: { shape, dtype } }: { readonly aval: Aval }): Value {
  return broadcastTo(constant(0, dtype), shape);
}

/** Multiplies by a partial derivative, whose dtype may differ where a rule used float32; truth values select. */
function scaled(tangent: Value, partial: Value | number): Value {
  if (partial === 1) return tangent;
  if (partial === -1) return neg(tangent);
  if (typeof partial !== "number" && partial.aval.dtype === "bool") {
    return where(partial, tangent, 0);
  }
  // What a rule made of numbers alone is weak, and would be rounded to a half type before it multiplies.
  const factor = typeof partial === "number" ? partial : astype(partial, partial.aval.dtype);
  return astype(mul(tangent, factor), tangent.aval.dtype);
}

/** Tangents that meet in one value are summed in float32 and rounded once. */
function sumTangents(parts: readonly Value[], dtype: DType): Value {
  return astype(
    parts.length === 1 ? parts[0]! : parts.map(widened).reduce((a, b) => add(a, b)),
    dtype,
  );
}

/** The graph of what a composite stands for. */
function decompositionOf(node: Node): Graph {
  const { lower, name } = node.operation;
  if (!("decompose" in lower)) {
    throw new TypeError(
      `Cannot differentiate ${name}: it has no derivative; wrap its argument in lax.stopGradient if none is wanted`,
    );
  }
  return traceGraph(
    (...inputs) => lower.decompose(inputs, node.params),
    node.inputs.map((v) => v.aval),
  );
}

/** Whether values of a variable can have tangents. */
function isDifferentiable(variable: Variable): boolean {
  return isFloating(variable.aval.dtype);
}

/** Runs a graph with tangents beside its values: [results, their tangents]. */
export function pushForward(
  graph: Graph,
  inputs: readonly Value[],
  inputTangents: readonly Tangent[],
): [results: readonly Value[], tangents: readonly Tangent[]] {
  const values = new Map<Variable, Value>();
  const tangents = new Map<Variable, Tangent>();
  const all = [...inputs, ...graph.captures];
  graph.inputs.forEach((v, i) => {
    values.set(v, all[i]!);
    tangents.set(v, inputTangents[i]);
  });
  for (const node of graph.nodes) {
    const args = node.inputs.map((v) => values.get(v)!);
    const moving = node.inputs.map((v) => tangents.get(v));
    const run = () => bind(node.operation, node.params, ...args);
    const results = onBehalfOf(node, run);
    const out = moving.some((t) => t) ? jvpOf(node, args, moving, results) : [];
    node.outputs.forEach((v, i) => {
      values.set(v, results[i]!);
      tangents.set(v, isDifferentiable(v) ? out[i] : undefined);
    });
  }
  return [graph.outputs.map((v) => values.get(v)!), graph.outputs.map((v) => tangents.get(v))];
}

function jvpOf(
  node: Node,
  inputs: readonly Value[],
  tangents: readonly Tangent[],
  outputs: readonly Value[],
): readonly Tangent[] {
  const { derivative } = node.operation;
  switch (derivative?.kind) {
    case "zero":
      return [];
    case "partials": {
      const [output] = outputs as [Value];
      const partials = derivative.partials(inputs, output, node.params);
      const terms = tangents.flatMap((t, i) =>
        t && partials[i] !== undefined
          ? [broadcastTo(scaled(t, partials[i]!), output.aval.shape)]
          : []
      );
      return [terms.length ? sumTangents(terms, output.aval.dtype) : undefined];
    }
    case "linear": {
      const linear = derivative.inputs ?? inputs.map((_, i) => i);
      if (!linear.some((i) => tangents[i])) return [];
      const moved = inputs.map((x, i) => linear.includes(i) ? tangents[i] ?? zerosOf(x) : x);
      return bind(node.operation, node.params, ...moved);
    }
    case "structured":
      if (derivative.jvp) return derivative.jvp(inputs, tangents, outputs, node.params);
      return pushForward(decompositionOf(node), inputs, tangents)[1];
    case undefined:
      if (!node.outputs.some(isDifferentiable)) return [];
      return pushForward(decompositionOf(node), inputs, tangents)[1];
  }
}

/** The variables through which a derivative reaches the wanted inputs. */
function activeVariables(graph: Graph, wanted: readonly boolean[]): ReadonlySet<Variable> {
  const active = new Set(graph.inputs.filter((v, i) => wanted[i] && isDifferentiable(v)));
  for (const node of graph.nodes) {
    if (node.operation.derivative?.kind === "zero") continue;
    if (!node.inputs.some((v) => active.has(v))) continue;
    node.outputs.filter(isDifferentiable).forEach((v) => active.add(v));
  }
  return active;
}

/**
 * A graph run forward, and the walk back from cotangents of its results to those of its inputs.
 *
 * @param wanted which inputs' cotangents are asked for, by default all; captured arrays have none.
 */
export function pullBack(
  graph: Graph,
  inputs: readonly Value[],
  wanted: readonly boolean[] = inputs.map(() => true),
): [results: readonly Value[], pullback: (cotangents: readonly Tangent[]) => readonly Tangent[]] {
  const values = new Map<Variable, Value>();
  const all = [...inputs, ...graph.captures];
  graph.inputs.forEach((v, i) => values.set(v, all[i]!));
  for (const node of graph.nodes) {
    const run = () => bind(node.operation, node.params, ...node.inputs.map((v) => values.get(v)!));
    const results = onBehalfOf(node, run);
    node.outputs.forEach((v, i) => values.set(v, results[i]!));
  }
  const active = activeVariables(graph, wanted);
  const pullback = (cotangents: readonly Tangent[]) =>
    onBehalfOf(
      { path: "", pass: "backward" },
      () => reverse(graph, values, active, cotangents),
    );
  return [graph.outputs.map((v) => values.get(v)!), pullback];
}

function reverse(
  graph: Graph,
  values: ReadonlyMap<Variable, Value>,
  active: ReadonlySet<Variable>,
  cotangents: readonly Tangent[],
): readonly Tangent[] {
  // Summed as they come: a shared weight's many gradients need no more memory than one.
  const met = new Map<Variable, Value>();
  const give = (variable: Variable, cotangent: Tangent) => {
    if (!cotangent || !active.has(variable)) return;
    const before = met.get(variable);
    met.set(variable, before ? add(widened(before), widened(cotangent)) : cotangent);
  };
  const take = (variable: Variable): Tangent => {
    const sum = met.get(variable);
    return sum && astype(sum, variable.aval.dtype);
  };
  graph.outputs.forEach((v, i) => give(v, cotangents[i]));
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((v) => met.has(v))) continue;
    const given = node.outputs.map(take);
    const args = node.inputs.map((v) => values.get(v)!);
    const results = node.outputs.map((v) => values.get(v)!);
    const run = () => vjpOf(node, given, args, results);
    const back = onBehalfOf(node, run);
    node.inputs.forEach((v, i) => give(v, back[i]));
  }
  return graph.inputs.map(take);
}

function vjpOf(
  node: Node,
  cotangents: readonly Tangent[],
  inputs: readonly Value[],
  outputs: readonly Value[],
): readonly Tangent[] {
  const { derivative } = node.operation;
  const [cotangent] = cotangents as [Value];
  switch (derivative?.kind) {
    case "zero":
      return [];
    case "partials": {
      const partials = derivative.partials(inputs, outputs[0]!, node.params);
      return inputs.map((x, i) => {
        const partial = partials[i];
        if (partial === undefined || !isFloating(x.aval.dtype)) return undefined;
        return unbroadcast(scaled(cotangent, partial), x.aval.shape);
      });
    }
    case "linear": {
      const linear = derivative.inputs ?? inputs.map((_, i) => i);
      const back = derivative.transpose(cotangent, inputs, node.params);
      return inputs.map((x, i) =>
        linear.includes(i) && back[i] ? astype(back[i]!, x.aval.dtype) : undefined
      );
    }
    case "structured":
      return derivative.vjp(cotangents, inputs, outputs, node.params);
    case undefined: {
      const graph = decompositionOf(node);
      const [, pullback] = pullBack(graph, inputs);
      return pullback(cotangents);
    }
  }
}
