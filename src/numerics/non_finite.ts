// Where infinities and NaN come from: the search through a graph that has run, and what is said of the place.

import { type NDArray, ownHandle } from "../array.ts";
import { type DType, isFloating } from "../core/dtype.ts";
import type { DataArray } from "../core/element_data.ts";
import { showShape } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Graph, Node, Variable } from "../ir/graph.ts";
import type { Value } from "../ir/value.ts";
import type { RangeStatistics } from "../ops/range_statistics.ts";
import { PendingStatistics } from "./statistics.ts";
import { stepsOf } from "./traced_program.ts";

/** What an operation that went wrong was given. */
export interface OriginInput {
  /** Its shape. */
  readonly shape: Shape;
  /** Its element type. */
  readonly dtype: DType;
  /** Its elements at the indices of the result, where it has the result's shape. */
  readonly values?: readonly number[];
  /** The smallest magnitude in it that is not 0, of floats. */
  readonly minMagnitude?: number;
  /** The largest magnitude in it, of floats. */
  readonly maxMagnitude?: number;
}

/** The statistics of every floating variable of a graph. */
export type Survey<Statistics> = ReadonlyMap<Variable, Statistics>;

/** Runs a graph and starts looking at everything in it. */
export function survey(graph: Graph, inputs: readonly Value[]): Survey<PendingStatistics> {
  const found = new Map<Variable, PendingStatistics>();
  const look = (variable: Variable, value: Value) => {
    if (isFloating(variable.aval.dtype)) found.set(variable, new PendingStatistics(value));
  };
  const all = [...inputs, ...graph.captures];
  graph.inputs.forEach((v, i) => look(v, all[i]!));
  for (const { node, outputs } of stepsOf(graph, inputs)) {
    node.outputs.forEach((v, i) => look(v, outputs[i]!));
  }
  return found;
}

/** Where it starts: an operation, or an input of the graph by number. */
export type OriginPlace =
  | { readonly kind: "operation"; readonly node: Node }
  | { readonly kind: "input"; readonly index: number };

function holdsFinite({ infinite, nan }: RangeStatistics): boolean {
  return infinite === 0 && nan === 0;
}

/**
 * The first operation whose inputs are finite and whose result is not, among those from which infinities or NaN go on
 * to a result of the graph; or an input that brought them along. Where every result is finite, the first such
 * operation of all: an infinity was absorbed.
 */
export function placeOfOrigin(
  graph: Graph,
  statistics: Survey<RangeStatistics>,
): OriginPlace | undefined {
  const isBad = (v: Variable) => statistics.has(v) && !holdsFinite(statistics.get(v)!);
  const reaching = new Set(graph.outputs.filter(isBad));
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((v) => reaching.has(v))) continue;
    node.inputs.filter(isBad).forEach((v) => reaching.add(v));
  }
  const starts = (node: Node) => node.outputs.some(isBad) && !node.inputs.some(isBad);
  // An infinity that the program states is meant, as in a mask.
  const computes = ({ operation }: Node) => operation.lower.kind !== "constant";
  const index = graph.inputs.findIndex((v) => reaching.has(v));
  if (index >= 0) return { kind: "input", index };
  const leading = graph.nodes.filter((n) => starts(n) && n.outputs.some((v) => reaching.has(v)));
  const node = leading.find(computes) ?? leading[0] ??
    graph.nodes.find((n) => starts(n) && computes(n));
  return node && { kind: "operation", node };
}

/** Elements that are listed. */
const listed = 8;

/** Where infinities or NaN start; as text a few lines. */
export class NonFiniteOrigin {
  /** The operation, as the printed graph names it; `"input"` where an argument brought them along. */
  readonly op: string;
  /** The module path; of an argument its own. */
  readonly path: string;
  /** File, line and column of the user's program. */
  readonly source: string;
  /** Whether it takes cotangents back. */
  readonly pass: "forward" | "backward";
  /** The result's element type. */
  readonly dtype: DType;
  /** The result's shape. */
  readonly shape: Shape;
  /** How many elements are NaN. */
  readonly nan: number;
  /** How many elements are infinite. */
  readonly infinite: number;
  /** The indices of the first elements that are not finite. */
  readonly indices: readonly (readonly number[])[];
  /** Their values. */
  readonly values: readonly number[];
  /** What the operation was given. */
  readonly inputs: readonly OriginInput[];

  /** Made by {@linkcode findNonFiniteOrigin}. */
  constructor(
    fields: Omit<NonFiniteOrigin, "nan" | "infinite" | "toString">,
    elements: DataArray,
  ) {
    this.op = fields.op;
    this.path = fields.path;
    this.source = fields.source;
    this.pass = fields.pass;
    this.dtype = fields.dtype;
    this.shape = fields.shape;
    this.indices = fields.indices;
    this.values = fields.values;
    this.inputs = fields.inputs;
    this.nan = count(elements, Number.isNaN);
    this.infinite = count(elements, (x) => Math.abs(x) === Infinity);
  }

  /** One line for the place, one for the elements, one for each input. */
  toString(): string {
    const { op, path, source, pass, dtype, shape, nan, infinite, indices, values, inputs } = this;
    const where = [path && (op === "input" ? path : `in ${path}`), source && `at ${source}`].filter(
      (part) => part,
    ).join(" ");
    const elements = indices.map((index, i) => `${showShape(index)} ${values[i]}`).join(", ");
    const given = inputs.map((input, i) => {
      const range = input.maxMagnitude === undefined
        ? ""
        : input.maxMagnitude === 0
        ? ", all 0"
        : `, magnitudes ${short(input.minMagnitude!)} to ${short(input.maxMagnitude)}`;
      const here = input.values ? `; there ${input.values.map(short).join(", ")}` : "";
      return `  input ${i}: ${input.dtype}${showShape(input.shape)}${range}${here}`;
    });
    return [
      `${op}${pass === "backward" ? ", backward," : ""} ${where}`.trim(),
      `  ${nan} NaN and ${infinite} infinite of ${dtype}${showShape(shape)}: ${elements}`,
      ...given,
    ].join("\n");
  }

  /** What `console.log` prints. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}

function count(elements: DataArray, test: (x: number) => boolean): number {
  let n = 0;
  for (const x of elements) if (test(x)) n++;
  return n;
}

const short = (x: number): string => String(Number(x.toPrecision(4)));

/** Handles on the arrays that a description needs; who asked for them frees them. */
export interface OriginArrays {
  readonly place: OriginPlace;
  readonly outputs: readonly NDArray[];
  readonly inputs: readonly NDArray[];
}

/** Runs a graph again, up to the place. */
export function arraysAt(
  graph: Graph,
  inputs: readonly Value[],
  place: OriginPlace,
): OriginArrays {
  const own = (values: readonly Value[]) => values.map((x) => ownHandle("look", x, x));
  if (place.kind === "input") {
    return { place, outputs: own([[...inputs, ...graph.captures][place.index]!]), inputs: [] };
  }
  for (const step of stepsOf(graph, inputs)) {
    if (step.node !== place.node) continue;
    return { place, outputs: own(step.outputs), inputs: own(step.inputs) };
  }
  throw new Error("the place of origin is no node of its graph");
}

/** Puts the description together from the elements of the arrays, and frees these. */
export function describeOrigin(
  { place, outputs, inputs }: OriginArrays,
  data: ReadonlyMap<NDArray, DataArray>,
  names: readonly string[],
): NonFiniteOrigin {
  const isBad = (x: NDArray) =>
    isFloating(x.dtype) && data.get(x)!.some((e: number) => !Number.isFinite(e));
  const output = outputs.find(isBad)!;
  const elements = data.get(output)!;
  const positions: number[] = [];
  for (let i = 0; i < elements.length && positions.length < listed; i++) {
    if (!Number.isFinite(elements[i]!)) positions.push(i);
  }
  const at = place.kind === "operation"
    ? placeOf(place.node)
    : { op: "input", path: names[place.index]!, source: "", pass: "forward" as const };
  const origin = new NonFiniteOrigin({
    ...at,
    dtype: output.dtype,
    shape: output.shape,
    indices: positions.map((position) => indexOf(position, output.shape)),
    values: positions.map((position) => elements[position]!),
    inputs: inputs.map((x) => describeInput(x, data.get(x)!, output.shape, positions)),
  }, elements);
  [...outputs, ...inputs].forEach((x) => x.dispose());
  return origin;
}

function placeOf({ operation, path, source, pass }: Node) {
  return {
    op: operation.name,
    path,
    source: String(source ?? ""),
    pass: pass ?? "forward" as const,
  };
}

function describeInput(
  { shape, dtype }: NDArray,
  elements: DataArray,
  result: Shape,
  positions: readonly number[],
): OriginInput {
  const same = shape.length === result.length && shape.every((n, axis) => n === result[axis]);
  const values = same ? positions.map((position) => elements[position]!) : undefined;
  if (!isFloating(dtype)) return { shape, dtype, ...values && { values } };
  let [minMagnitude, maxMagnitude] = [Infinity, 0];
  for (const x of elements) {
    const magnitude = Math.abs(x);
    if (magnitude > 0 && magnitude < minMagnitude) minMagnitude = magnitude;
    if (magnitude > maxMagnitude) maxMagnitude = magnitude;
  }
  return { shape, dtype, minMagnitude, maxMagnitude, ...values && { values } };
}

function indexOf(position: number, shape: Shape): number[] {
  const index: number[] = [];
  let rest = position;
  for (const extent of [...shape].reverse()) {
    index.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index;
}
