// What each operation of a graph gives in its own types, and how far that is from float32.

import type { NDArray } from "../array.ts";
import { isFloating } from "../core/dtype.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import { unobserved } from "../ir/run_observer.ts";
import type { Value } from "../ir/value.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import { isComposite, overflowingInside } from "./inside_composites.ts";
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
}

/** Statistics of the variables of a graph, by the variable whose elements they are. */
type KnownStatistics = ReadonlyMap<Variable, RangeStatistics>;

/** Runs a graph in its own types and in float32, and compares. */
export async function observe(graph: Graph, inputs: readonly Value[]): Promise<Observation[]> {
  const original = withoutRearrangements(graph);
  const known = new Map<Variable, RangeStatistics>();
  const enters = new Set(
    graph.nodes.filter(isComposite).flatMap((node) => node.inputs.map(original)),
  );
  for (const [v, statistics] of startLooking(graph, inputs, enters)) {
    known.set(v, await statistics.read());
  }
  const given = (node: Node) => node.inputs.flatMap((v) => known.get(original(v)) ?? []);
  const found: Omit<Observation, "absorbedOverflow">[] = [];
  for (const { node, statistics, stalled } of unobserved(() => startObserving(graph, inputs))) {
    known.set(node.outputs[0]!, await statistics.read());
    found.push({
      node,
      statistics: known.get(node.outputs[0]!)!,
      stalled: stalled ? Number(await (stalled as NDArray).item()) : 0,
      inputError: Math.max(0, ...given(node).map(({ relativeError }) => relativeError)),
    });
    stalled?.consume("the report");
  }
  const inside = await absorbedInside(graph, inputs, known, given);
  return found.map((own) => ({
    ...own,
    absorbedOverflow: inside.has(own.node) || absorbs(own.node, own.statistics, given(own.node)),
  }));
}

/** Starts looking at floating inputs of a graph, those of a set. */
function startLooking(
  graph: Graph,
  inputs: readonly Value[],
  wanted: ReadonlySet<Variable>,
): [variable: Variable, statistics: PendingStatistics][] {
  const all = [...inputs, ...graph.captures];
  return graph.inputs.flatMap((v, i): [Variable, PendingStatistics][] =>
    wanted.has(v) && isFloating(v.aval.dtype) ? [[v, new PendingStatistics(all[i]!)]] : []
  );
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
    const statistics = new PendingStatistics(x!, right!);
    found.push({ node, statistics, stalled: sums.count(step) });
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
  { operation }: Node,
  own: RangeStatistics,
  given: readonly RangeStatistics[],
): boolean {
  const worst = Math.max(0, ...given.map(({ overflowed, size }) => overflowed / size));
  if (worst === 0) return false;
  const isElementwise = operation.lower.kind === "elementwise";
  return isElementwise ? (own.infinite + own.nan) / own.size < worst : isFinite(own);
}

/** Squares of what is larger may be infinite in float32. */
const smallestSuspect = 2 ** 60;

/** The composites of finite results that pass through an infinity inside, where they compute in float32. */
async function absorbedInside(
  graph: Graph,
  inputs: readonly Value[],
  known: KnownStatistics,
  given: (node: Node) => readonly RangeStatistics[],
): Promise<ReadonlySet<Node>> {
  const isSuspect = (node: Node) =>
    isComposite(node) &&
    given(node).every(isFinite) &&
    node.outputs.every((v) => !known.has(v) || isFinite(known.get(v)!)) &&
    given(node).some(({ maxMagnitude }) => maxMagnitude >= smallestSuspect);
  const suspects = graph.nodes.filter(isSuspect);
  return suspects.length === 0 ? new Set() : await overflowingInside(graph, inputs, suspects);
}
