// Every operation of the registry as ONNX, run by onnxruntime: it gives what it gives here, or is refused by name.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { init } from "../../../mod.ts";
import { asNDArray } from "../../../src/array.ts";
import { toOnnx } from "../../../src/io/onnx/to_onnx.ts";
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
import { type OnnxJob, onnxTest, runInOnnxRuntime } from "./onnx_runner.ts";
import { type Case, casesOf, describeCase } from "./registry_cases.ts";

/** What onnxruntime has no tensors or few operators for on a CPU. */
const isLeftOut = (dtype: unknown) => dtype === "bfloat16" || dtype === "uint32";

const isRun = ({ params, inputs }: Case) =>
  !isLeftOut(params.dtype) && !inputs.some(({ dtype }) => isLeftOut(dtype));

/** Operations that shift or reinterpret bits, for which ONNX has nothing. */
const refused = ["leftShift", "rightShift", "integerPow", "bitcast", "threefry2x32"];

/** The engine's own logistic function and exponential are right to so much, not relative to small results. */
const loose = new Set(["sigmoid", "silu", "gate", "geluTanh", "geluErf", "exponentialLinear"]);

/** Where the standard leaves open what becomes of numbers that are out of range, they are not looked at. */
const onlyModerate = new Set(["astype", "gate"]);

function toleranceOf({ name }: Operation, { tolerance }: Case, result: HostArray): Tolerance {
  const own = tolerance(result.dtype);
  return loose.has(name) ? { ...own, absolute: 1e-6 } : own;
}

/** Results as they are compared: without the sign of zeros, and without what is not looked at. */
function compared({ name }: Operation, { inputs }: Case, values: ArrayLike<number>): Float64Array {
  const isLooked = (at: number) => inputs.every((x) => Math.abs(x.values[at]!) < 2 ** 31);
  return Float64Array.from(values, (value, at) => {
    if (onlyModerate.has(name) && !isLooked(at)) return 0;
    return value === 0 ? 0 : value;
  });
}

function exported(operation: Operation, { params, inputs }: Case): Uint8Array {
  const types = inputs.map(({ shape, dtype }) => new ShapeDtype(shape, dtype));
  return toOnnx((...xs: never[]) => bind(operation, params, ...xs).map(asNDArray), ...types);
}

Deno.test("every operation but those on bits has an ONNX model in every dtype", () => {
  for (const operation of allOperations()) {
    if (refused.includes(operation.name)) {
      const [own] = casesOf(operation);
      assertThrows(() => exported(operation, own!), TypeError, "Cannot toOnnx: every operation");
      continue;
    }
    for (const own of casesOf(operation)) assert(exported(operation, own).length > 0);
  }
});

onnxTest(
  "every operation exported to ONNX gives its own result, or is refused by name",
  async () => {
    await init({ backend: "cpu" });
    await use("cpu");
    const jobs: OnnxJob[] = [];
    const expected: { operation: Operation; own: Case; results: readonly HostArray[] }[] = [];
    for (const operation of allOperations()) {
      if (refused.includes(operation.name)) continue;
      for (const own of casesOf(operation).filter(isRun)) {
        const results = await run(operation, own.params, own.inputs);
        expected.push({ operation, own, results });
        jobs.push({
          model: exported(operation, own),
          inputs: Object.fromEntries(own.inputs.map((x, i) => [`arg${i}`, x])),
          outputs: results.map(({ shape, dtype }, i) => ({ name: `result.${i}`, shape, dtype })),
        });
      }
    }
    assert(jobs.length > 300);
    const outcomes = await runInOnnxRuntime(jobs);
    const failures = outcomes.flatMap((outcome, i) => {
      const { operation, own, results } = expected[i]!;
      const what = describeCase(operation, own);
      if (typeof outcome === "string") return [`${what}: ${outcome.slice(0, 300)}`];
      return results.map((result, j) => {
        const got = { ...outcome[j]!, values: compared(operation, own, outcome[j]!.values) };
        const wanted = compared(operation, own, result.values);
        return firstWrong(what, got, wanted, toleranceOf(operation, own, result));
      });
    });
    assertEquals(failures.filter((failure) => failure), []);
  },
);
