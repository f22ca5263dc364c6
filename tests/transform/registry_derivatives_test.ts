// Every operation of the registry: its derivatives, forwards and backwards and to second order, against
// finite differences in float64, and vmap against a loop.

import { assertEquals } from "@std/assert";
import { isFloating } from "../../src/core/dtype.ts";
import { allOperations, type Operation, outputAvals, type Params } from "../../src/ir/operation.ts";
import { bind, traceGraph } from "../../src/ir/trace.ts";
import { batchGraph, withBatchAxis } from "../../src/transform/batch.ts";
import { arityOf, elementwiseParams, inputDTypes } from "../ops/registry_samples.ts";
import { structuralSamples } from "../ops/structural_samples.ts";
import { scatterSamples } from "./scatter_samples.ts";
import {
  type Case,
  caseOf,
  differenceAlong,
  directionOf,
  evaluate,
  forwardAlong,
  lossOf,
  randomValues,
  reverseAlong,
  scalarOf,
} from "./exact_graph.ts";

/** Elements of a case: finite differences and loops need no more. */
const mostElements = 150;

/** The inner part of a domain: at its ends slopes are infinite or there are none. */
function inner([low, high]: readonly [number, number]): readonly [number, number] {
  return [low + 0.08 * (high - low), high - 0.08 * (high - low)];
}

function elementwiseCases(operation: Operation): Case[] {
  const known = operation.name === "bitcast" ? [{ dtype: "int32" }] : undefined;
  return (known ?? elementwiseParams[operation.name] ?? [{}]).flatMap((params: Params) => {
    const dtypes = inputDTypes(operation, params).find((d) => d.includes("float32")) ??
      inputDTypes(operation, params)[0]!;
    const domain = operation.domain ?? [-3, 3];
    // Different shapes: whatever broadcasting stretched is summed on the way back.
    const shapes = [[4, 3], [3], [4, 1]];
    const avals = dtypes.map((dtype, i) => ({ dtype, shape: shapes[i % 3]! }));
    const values = avals.map(({ dtype, shape }, i) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const own = (typeof domain[0] === "number" ? domain : domain[i]) as readonly [number, number];
      const random = randomValues(count, inner(own), 91 + i);
      if (isFloating(dtype)) return random;
      return dtype === "bool" ? random.map((v) => Number(v > 0)) : random.map(Math.round);
    });
    return arityOf(operation, params) === avals.length
      ? [{ operation, params, avals, values }]
      : [];
  });
}

function casesOf(operation: Operation): Case[] {
  if (operation.lower.kind === "elementwise") return elementwiseCases(operation);
  const samples = structuralSamples[operation.name] ?? [];
  const extra = operation.name === "scatter" ? scatterSamples : [];
  return [...samples, ...extra].map((sample) => caseOf(operation, sample)).filter(({ values }) =>
    values.reduce((sum, v) => sum + v.length, 0) <= mostElements
  );
}

/** Whether there is anything to differentiate; extremes and deviations of nothing are not. */
function isDifferentiable({ operation, params, avals, values }: Case): boolean {
  // Its derivative is what it is for: another than finite differences give.
  if (operation.name === "stopGradient") return false;
  const isReduced = (params.axes as readonly number[] | undefined)?.length !== 0;
  if (values.some((x) => x.length === 0) || !isReduced) return false;
  return avals.some(({ dtype }) => isFloating(dtype)) &&
    outputAvals(operation, avals, params).some(({ dtype }) => isFloating(dtype));
}

/** What is wrong with a derivative, if anything is. */
function compare(what: string, got: number, wanted: number, tolerance: number): string | undefined {
  const error = Math.abs(got - wanted);
  return error <= tolerance * Math.max(1, Math.abs(wanted))
    ? undefined
    : `${what}: got ${got}, finite differences give ${wanted}`;
}

/** Checks one case's derivatives of first and second order. */
function checkDerivatives(at: Case): (string | undefined)[] {
  const name = `${at.operation.name} ${JSON.stringify(at.params)} ${
    at.avals.map(({ shape }) => `[${shape}]`).join(" ")
  }`;
  const loss = lossOf(at);
  const [first, second] = [directionOf(at.avals, 5), directionOf(at.avals, 15)];
  const slope = differenceAlong(loss, at.values, first);
  const reverse = reverseAlong(loss, first);
  const forward = forwardAlong(loss, first);
  const curvature = differenceAlong(reverse, at.values, second);
  const twice = [
    ["reverse over reverse", reverseAlong(reverse, second)],
    ["forward over reverse", forwardAlong(reverse, second)],
    ["reverse over forward", reverseAlong(forward, second)],
  ] as const;
  return [
    compare(`${name} reverse`, scalarOf(reverse, at.values), slope, 1e-6),
    compare(`${name} forward`, scalarOf(forward, at.values), slope, 1e-6),
    ...twice.map(([mode, graph]) =>
      compare(`${name} ${mode}`, scalarOf(graph, at.values), curvature, 1e-5)
    ),
  ];
}

/** Runs an operation on `size` examples at once and one by one. */
function checkBatch({ operation, params, avals, values }: Case, batched: boolean[]): string[] {
  const size = 3;
  const examples = values.map((x, i) =>
    Array.from(
      { length: size },
      (_, at) => batched[i] ? x.map((_, j) => x[(j + at) % x.length]!) : x,
    )
  );
  const single = traceGraph((...inputs) => bind(operation, params, ...inputs), avals);
  const whole = avals.map((aval, i) =>
    batched[i] ? { ...aval, shape: [size, ...aval.shape] } : aval
  );
  const graph = traceGraph((...inputs) => {
    const out = batchGraph(single, { values: inputs, batched }, size);
    return out.values.map((x, i) => out.batched[i] ? x : withBatchAxis(x, size));
  }, whole);
  const joined = values.map((x, i) =>
    batched[i] ? Float64Array.from(examples[i]!.flatMap((e) => [...e])) : x
  );
  const got = evaluate(graph, joined).map((x) => [...x]);
  const loop = Array.from(
    { length: size },
    (_, at) => evaluate(single, examples.map((e) => e[at]!)),
  );
  const wanted = single.outputs.map((_, i) => loop.flatMap((results) => [...results[i]!]));
  const close = got.every((x, i) =>
    x.length === wanted[i]!.length && x.every((v, j) => {
      const w = wanted[i]![j]!;
      return Object.is(v, w) || Math.abs(v - w) <= 1e-9 * Math.max(1, Math.abs(w));
    })
  );
  const shapes = graph.outputs.every((v, i) =>
    v.aval.shape.join() === [size, ...single.outputs[i]!.aval.shape].join()
  );
  return close && shapes ? [] : [`${operation.name} ${JSON.stringify(params)} batched ${batched}`];
}

for (const operation of allOperations()) {
  const cases = casesOf(operation).filter(isDifferentiable);
  if (cases.length > 0) {
    Deno.test(`${operation.name} has the derivatives that finite differences give`, () => {
      assertEquals(cases.flatMap(checkDerivatives).filter((wrong) => wrong), []);
    });
  }
  const batches = casesOf(operation).filter(({ avals }) => avals.length > 0);
  if (batches.length > 0) {
    Deno.test(`${operation.name} under vmap gives what a loop gives`, () => {
      const wrong = batches.flatMap((at) => {
        const all = at.avals.map(() => true);
        const one = at.avals.length < 2 ? [] : at.avals.map((_, i) => all.map((_, j) => i === j));
        return [all, ...one].flatMap((batched) => checkBatch(at, batched));
      });
      assertEquals(wrong, []);
    });
  }
}

Deno.test("every operation has a case that is differentiated and batched", () => {
  const missing = allOperations().filter((operation) => casesOf(operation).length === 0);
  assertEquals(missing.map(({ name }) => name), []);
});
