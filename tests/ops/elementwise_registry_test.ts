// Every elementwise operation of the registry: WebGPU against its float64 reference in each dtype, its edges
// included, over shapes with and without whole vectors, and fused against alone.

import { assertEquals } from "@std/assert";
import "../../mod.ts";
import { asNDArray, type NDArray } from "../../src/array.ts";
import { type DType, isFloating, isHalf } from "../../src/core/dtype.ts";
import { broadcastShapes } from "../../src/core/shape.ts";
import { allOperations, type Operation, outputAvals, type Params } from "../../src/ir/operation.ts";
import { bind1 } from "../../src/ir/trace.ts";
import type { Value } from "../../src/ir/value.ts";
import { add, mul } from "../../src/ops/arithmetic.ts";
import { astype } from "../../src/ops/cast.ts";
import { jit } from "../../src/transform/jit.ts";
import { webgpuTest } from "../webgpu_test.ts";
import {
  asTensor,
  firstWrong,
  type HostArray,
  type Place,
  readBack,
  run,
  type Tolerance,
  upload,
  use,
} from "./registry_harness.ts";
import {
  elementwiseInputs,
  elementwiseParams,
  inputDTypes,
  randomInput,
} from "./registry_samples.ts";

const elementwise = allOperations().filter((o) => o.lower.kind === "elementwise");

/** Every way to run an operation: its parameters and the dtypes of its inputs. */
function* cases(operation: Operation): Generator<[Params, DType[]]> {
  for (const params of elementwiseParams[operation.name] ?? [{}]) {
    for (const inputs of inputDTypes(operation, params)) yield [params, inputs];
  }
}

/** 8 ulp for what takes a formula, 2 for one instruction, and in half types the one final rounding. */
function toleranceOf({ name, lower }: Operation, output: DType): Tolerance {
  // The larger argument and what is added to it may cancel: the error is one of the argument's.
  if (name === "logaddexp" && output === "float32") return { ulp: 8, absolute: 2 ** -24 };
  if (lower.kind !== "elementwise" || lower.exact || !isFloating(output)) return { ulp: 0 };
  return { ulp: isHalf(output) ? 1 : lower.functions?.length ? 8 : 2 };
}

function expected(
  operation: Operation,
  params: Params,
  inputs: readonly HostArray[],
): Float64Array {
  const outputs = outputAvals(operation, inputs, params);
  return operation.evaluate!(inputs.map(asTensor), params, outputs)[0]!;
}

async function check(
  operation: Operation,
  params: Params,
  inputs: readonly HostArray[],
): Promise<string | undefined> {
  const [got] = await run(operation, params, inputs) as [HostArray];
  const [output] = outputAvals(operation, inputs, params);
  assertEquals([got.shape, got.dtype], [output!.shape, output!.dtype]);
  const what = `${operation.name} ${JSON.stringify(params)} of ${inputs.map((x) => x.dtype)}`;
  const exact = expected(operation, params, inputs);
  return firstWrong(what, got, exact, toleranceOf(operation, got.dtype), inputs);
}

for (const operation of elementwise) {
  webgpuTest(`${operation.name} on WebGPU agrees with its reference in every dtype`, async () => {
    await use("packed");
    const failures: (string | undefined)[] = [];
    for (const [params, dtypes] of cases(operation)) {
      failures.push(await check(operation, params, elementwiseInputs(operation, dtypes, 301)));
    }
    if (await use("native")) {
      for (const [params, dtypes] of cases(operation)) {
        if (!dtypes.includes("float16")) continue;
        failures.push(await check(operation, params, elementwiseInputs(operation, dtypes, 301)));
      }
    }
    assertEquals(failures.filter((f) => f), []);
  });
}

/** An operation in the middle of others that a fused kernel takes in, stored or not. */
function chain(operation: Operation, params: Params, inputs: readonly Value[]): Value {
  const before = inputs.map((x) => x.aval.dtype === "bool" ? x : add(mul(x, 3), 1));
  const middle = bind1(operation, params, ...before);
  const after = middle.aval.dtype === "bool" ? astype(middle, "float16") : middle;
  return add(mul(after, 3), 1);
}

async function fusedAndAlone(
  operation: Operation,
  params: Params,
  dtypes: readonly DType[],
): Promise<string | undefined> {
  const inputs = upload(elementwiseInputs(operation, dtypes, 61));
  const fn = (...xs: readonly NDArray[]) => asNDArray(chain(operation, params, xs));
  const alone = await readBack(fn(...inputs));
  const fused = await readBack(jit(fn)(...inputs));
  const what = `${operation.name} ${JSON.stringify(params)} of ${dtypes} fused`;
  return firstWrong(what, fused, alone.values, { ulp: 0 });
}

/** The half types and their storages. A driver takes some 80 ms for every kernel, so operations take turns. */
const halfStorages = [["packed", "float16"], ["packed", "bfloat16"], [
  "native",
  "float16",
]] as const;

/** Whether it is a case's turn: integers and booleans always are. */
function isInTurn(turn: number, place: Place, dtypes: readonly DType[]): boolean {
  const half = dtypes.find(isHalf);
  if (!half) return place === "packed";
  const [ownPlace, ownHalf] = halfStorages[turn % halfStorages.length]!;
  return place === ownPlace && half === ownHalf;
}

for (const [turn, operation] of elementwise.entries()) {
  webgpuTest(
    `${operation.name} fused gives the bits that it gives alone, in half types and integers`,
    async () => {
      const failures: (string | undefined)[] = [];
      for (const place of ["packed", "native"] satisfies Place[]) {
        if (!await use(place)) continue;
        for (const [params, dtypes] of cases(operation)) {
          const avals = dtypes.map((dtype) => ({ shape: [], dtype }));
          const { dtype } = outputAvals(operation, avals, params)[0]!;
          // In float32 the driver may reassociate, so there bits are not promised.
          if (dtype === "float32" || dtypes.includes("float32")) continue;
          if (!isInTurn(turn, place, [...dtypes, dtype])) continue;
          failures.push(await fusedAndAlone(operation, params, dtypes));
        }
      }
      assertEquals(failures.filter((f) => f), []);
    },
  );
}

const shapePairs = [
  [[], []],
  [[0], [1]],
  [[3, 1, 5], [4, 1]],
  [[7], [2, 3, 7]],
  [[1, 0, 3], [5, 1, 1]],
  [[65, 33], [65, 1]],
  [[8, 4], [4]],
];

webgpuTest("operations of two inputs broadcast any shapes, in every storage", async () => {
  const operation = elementwise.find((o) => o.name === "sub")!;
  const failures: (string | undefined)[] = [];
  for (const place of ["packed", "native"] satisfies Place[]) {
    if (!await use(place)) continue;
    for (const dtype of ["float32", "float16", "bfloat16", "int32"] satisfies DType[]) {
      for (const [a, b] of shapePairs as [number[], number[]][]) {
        const inputs = [randomInput(dtype, a, 1), randomInput(dtype, b, 2)];
        const [got] = await run(operation, {}, inputs) as [HostArray];
        assertEquals(got.shape, broadcastShapes("sub", a, b));
        failures.push(await check(operation, {}, inputs));
      }
    }
  }
  assertEquals(failures.filter((f) => f), []);
});
