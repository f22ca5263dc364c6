// Every operation of the registry as StableHLO, in each dtype, run by JAX: it gives what it gives here.

import { assertEquals } from "@std/assert";
import { init } from "../../../mod.ts";
import { asNDArray } from "../../../src/array.ts";
import { type DType, isFloating, isHalf } from "../../../src/core/dtype.ts";
import { toStableHLO } from "../../../src/io/stablehlo/to_stablehlo.ts";
import { allOperations, type Operation, type Params } from "../../../src/ir/operation.ts";
import { bind } from "../../../src/ir/trace.ts";
import { ShapeDtype } from "../../../src/transform/trace_tree.ts";
import {
  firstWrong,
  type HostArray,
  run,
  type Tolerance,
  use,
} from "../../ops/registry_harness.ts";
import {
  elementwiseInputs,
  elementwiseParams,
  inputDTypes,
  randomInput,
} from "../../ops/registry_samples.ts";
import { structuralSamples } from "../../ops/structural_samples.ts";
import { jaxTest, type Job, runInJax } from "./jax_runner.ts";

/** One application of an operation. */
interface Case {
  readonly params: Params;
  readonly inputs: readonly HostArray[];
  readonly tolerance: (dtype: DType) => Tolerance;
}

const defaultDTypes: readonly DType[] = ["float32", "float16", "bfloat16", "int32", "uint32"];

/** Formulas of ours stand against formulas of XLA's. */
function elementwiseTolerance({ lower }: Operation): Case["tolerance"] {
  const formula = lower.kind === "elementwise" && lower.functions?.length;
  return (dtype) => {
    if (!isFloating(dtype)) return { ulp: 0 };
    return isHalf(dtype) ? { ulp: 1 } : { ulp: formula ? 32 : 2 };
  };
}

function casesOf(operation: Operation): Case[] {
  if (operation.lower.kind === "elementwise") {
    const all = elementwiseParams[operation.name] ?? [{}];
    return all.flatMap((params) =>
      inputDTypes(operation, params).map((dtypes) => ({
        params,
        inputs: elementwiseInputs(operation, dtypes, 101),
        tolerance: elementwiseTolerance(operation),
      }))
    );
  }
  const samples = structuralSamples[operation.name] ?? [];
  return samples.slice(0, 8).flatMap((sample, number) => {
    const given = sample.shapes.length ? sample.dtypes ?? defaultDTypes : ["float32" as const];
    const dtypes = number === 0 ? given : [given[number % given.length]!];
    return dtypes.map((dtype) => ({
      params: sample.params ?? {},
      inputs: sample.shapes.map((shape, i) => {
        const positions = sample.positions?.[i];
        return positions
          ? randomInput("int32", shape, i, [positions[0], positions[1] - 1])
          : randomInput(sample.own?.[i] ?? dtype, shape, i + shape.length, sample.domain);
      }),
      tolerance: (result: DType) =>
        isFloating(result) && sample.ulp
          ? { ulp: isHalf(result) ? 1 : Math.max(sample.ulp, 8), absolute: sample.absolute }
          : { ulp: 0 },
    }));
  });
}

/** All cases of an operation as one module. */
function exported(operation: Operation, cases: readonly Case[]): string {
  const types = cases.map(({ inputs }) =>
    inputs.map(({ shape, dtype }) => new ShapeDtype(shape, dtype))
  );
  return toStableHLO(
    (given: never[][]) =>
      given.map((inputs, i) => bind(operation, cases[i]!.params, ...inputs).map(asNDArray)),
    types,
  );
}

const sameZeros = (values: ArrayLike<number>) => Float64Array.from(values, (v) => v === 0 ? 0 : v);

jaxTest("every operation exported to StableHLO gives its own result in every dtype", async () => {
  await init({ backend: "cpu" });
  await use("cpu");
  const operations = allOperations();
  const jobs: Job[] = [];
  const expected: { what: string; result: HostArray; tolerance: Tolerance }[][] = [];
  for (const operation of operations) {
    const cases = casesOf(operation);
    const results: { what: string; result: HostArray; tolerance: Tolerance }[] = [];
    for (const { params, inputs, tolerance } of cases) {
      const what = `${operation.name} ${JSON.stringify(params)} of ${
        inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`)
      }`;
      for (const result of await run(operation, params, inputs)) {
        results.push({ what, result, tolerance: tolerance(result.dtype) });
      }
    }
    expected.push(results);
    jobs.push({
      text: exported(operation, cases),
      inputs: cases.flatMap(({ inputs }) => inputs),
      outputs: results.map(({ result }) => result),
    });
  }
  const outcomes = await runInJax(jobs);
  const failures = outcomes.flatMap((outcome, i) => {
    if (typeof outcome === "string") return [`${operations[i]!.name}: ${outcome.slice(0, 600)}`];
    return expected[i]!.map(({ what, result, tolerance }, j) => {
      const got = { ...outcome[j]!, values: sameZeros(outcome[j]!.values) };
      return firstWrong(what, got, sameZeros(result.values), tolerance);
    });
  });
  assertEquals(failures.filter((failure) => failure), []);
});
