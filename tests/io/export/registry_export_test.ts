// Every operation of the registry as StableHLO, in each dtype, run by JAX: it gives what it gives here.

import { assertEquals } from "@std/assert";
import { init } from "../../../mod.ts";
import { asNDArray } from "../../../src/array.ts";
import { toStableHLO } from "../../../src/io/stablehlo/to_stablehlo.ts";
import { allOperations, type Operation } from "../../../src/ir/operation.ts";
import { bind } from "../../../src/ir/trace.ts";
import { ShapeDtype } from "../../../src/transform/trace_tree.ts";
import {
  firstWrong,
  type HostArray,
  run,
  type Tolerance,
  use,
} from "../../ops/registry_harness.ts";
import { checkModule } from "./module_syntax.ts";
import { jaxTest, type Job, runInJax } from "./jax_runner.ts";
import { type Case, casesOf, describeCase } from "./registry_cases.ts";

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

Deno.test("every operation has a StableHLO text in every dtype that reads as it should", () => {
  for (const operation of allOperations()) checkModule(exported(operation, casesOf(operation)));
});

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
    for (const own of cases) {
      const { params, inputs, tolerance } = own;
      const what = describeCase(operation, own);
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
