// What each operation of a graph gives in its own types, and how far that is from float32.

import type { NDArray } from "../array.ts";
import { isFloating, isHalf } from "../core/dtype.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import { traceGraph } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import { runPaired } from "./paired_run.ts";
import { StalledSums } from "./stalled_sums.ts";
import { PendingStatistics } from "./statistics.ts";

/** What was seen of one operation with a floating result. */
export interface Observation {
  readonly node: Node;
  /** The result in its own type; its histogram and extremes are those of float32. */
  readonly statistics: RangeStatistics;
  /** Elements that an addition left as they were, though not in float32. */
  readonly stalled: number;
  /** Whether infinities that float32 has not went in, or were made inside, and did not come out. */
  readonly absorbedOverflow: boolean;
  /** The largest relative error among the inputs. */
  readonly inputError: number;
}

interface PendingObservation {
  readonly node: Node;
  readonly statistics: PendingStatistics;
  readonly stalled: Value | undefined;
  /** Of what a composite is made of, where that is held in a half type. */
  readonly inside: readonly PendingStatistics[];
}

/** Runs a graph in its own types and in float32, and compares. */
export async function observe(graph: Graph, inputs: readonly Value[]): Promise<Observation[]> {
  const known = new Map<Variable, RangeStatistics>();
  const original = withoutRearrangements(graph);
  const observations: Observation[] = [];
  for (const { node, statistics, stalled, inside } of startObserving(graph, inputs)) {
    const own = await statistics.read();
    known.set(node.outputs[0]!, own);
    const within = await Promise.all(inside.map((part) => part.read()));
    const count = stalled ? Number(await (stalled as NDArray).item()) : 0;
    stalled?.consume("the report");
    const given = node.inputs.flatMap((v) => known.get(original(v)) ?? []);
    observations.push({
      node,
      statistics: own,
      stalled: count,
      absorbedOverflow: absorbs(node, own, given) ||
        (isFinite(own) && within.some(({ overflowed }) => overflowed > 0)),
      inputError: Math.max(0, ...given.map(({ relativeError }) => relativeError)),
    });
  }
  return observations;
}

function startObserving(graph: Graph, inputs: readonly Value[]): PendingObservation[] {
  const all = [...inputs, ...graph.captures];
  const sums = new StalledSums(graph);
  const found: PendingObservation[] = [];
  graph.inputs.forEach((v, i) => sums.note(v, all[i]!, all[i]!));
  for (const step of runPaired(graph, all)) {
    const { node, outputs: [x], expected: [right] } = step;
    sums.note(node.outputs[0]!, x!, right!);
    if (!isFloating(x!.aval.dtype) || isRearrangement(node)) continue;
    found.push({
      node,
      statistics: new PendingStatistics(x!, right!),
      stalled: sums.count(step),
      inside: lookInside(node, step.inputs),
    });
  }
  sums.dispose();
  return found;
}

const isFinite = ({ infinite, nan }: RangeStatistics) => infinite === 0 && nan === 0;

const rearrangements: ReadonlySet<string> = new Set(["view", "constant", "iota"]);

/** Whether an operation only moves elements, or states them. */
function isRearrangement({ operation }: Node): boolean {
  return rearrangements.has(operation.lower.kind);
}

/** From a variable to the one whose elements it has in another order. */
function withoutRearrangements(graph: Graph): (variable: Variable) => Variable {
  const sources = new Map<Variable, Variable>();
  const original = (v: Variable) => sources.get(v) ?? v;
  for (const node of graph.nodes) {
    const [from] = node.inputs;
    if (from && isRearrangement(node)) sources.set(node.outputs[0]!, original(from));
  }
  return original;
}

/** Whether an operation was given infinities that float32 has not, and passes on fewer, or none. */
function absorbs(
  node: Node,
  own: RangeStatistics,
  given: readonly RangeStatistics[],
): boolean {
  const worst = Math.max(0, ...given.map(({ overflowed, size }) => overflowed / size));
  if (worst === 0) return false;
  const isElementwise = node.operation.lower.kind === "elementwise";
  return isElementwise ? (own.infinite + own.nan) / own.size < worst : isFinite(own);
}

/**
 * What a composite is made of, where that is held in a half type: an infinity may hide there. The library's own
 * composites compute in float32 inside, so that there is usually nothing to look at.
 */
function lookInside(node: Node, inputs: readonly Value[]): PendingStatistics[] {
  const { lower } = node.operation;
  if (lower.kind !== "composite" && lower.kind !== "rows") return [];
  const graph = traceGraph(
    (...xs) => lower.decompose(xs, node.params),
    node.inputs.map((v) => v.aval),
  );
  const held = graph.nodes.filter((inner) =>
    isHalf(inner.outputs[0]!.aval.dtype) && inner.operation.name !== "astype" &&
    !isRearrangement(inner) && !graph.outputs.includes(inner.outputs[0]!)
  );
  if (held.length === 0) return [];
  const found: PendingStatistics[] = [];
  for (const { node: inner, outputs: [x], expected: [right] } of runPaired(graph, inputs)) {
    if (held.includes(inner)) found.push(new PendingStatistics(x!, right!));
  }
  return found;
}
