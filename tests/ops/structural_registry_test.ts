// Every operation of the registry that is not elementwise: WebGPU against the CPU reference in each dtype
// over odd, empty and larger shapes, and fused between elementwise work against alone.

import { assertEquals } from "@std/assert";
import "../../mod.ts";
import { asNDArray, type NDArray } from "../../src/array.ts";
import { type DType, isFloating, isHalf } from "../../src/core/dtype.ts";
import { allOperations, type Operation, outputAvals } from "../../src/ir/operation.ts";
import { bind } from "../../src/ir/trace.ts";
import { add, mul } from "../../src/ops/arithmetic.ts";
import { jit } from "../../src/transform/jit.ts";
import { webgpuTest } from "../webgpu_test.ts";
import {
  firstWrong,
  type HostArray,
  type Place,
  readBack,
  run,
  type Tolerance,
  upload,
  use,
} from "./registry_harness.ts";
import { randomInput } from "./registry_samples.ts";
import { type Sample, structuralSamples } from "./structural_samples.ts";

const structural = allOperations().filter((o) => o.lower.kind !== "elementwise");
const defaultDTypes: readonly DType[] = ["float32", "float16", "bfloat16", "int32", "uint32"];

Deno.test("every operation that is not elementwise has samples", () => {
  const names = structural.map(({ name }) => name);
  assertEquals(names.filter((name) => !structuralSamples[name]), []);
});

/** Which of an operation's samples a test takes: a driver needs some 50 ms for every new kernel. */
interface Choice {
  readonly place: Place;
  /** How many samples, spread over all. */
  readonly most: number;
  /** How many of them in every dtype; each of the others takes one in turn. */
  readonly inEveryDType: number;
  readonly leaveOut?: DType;
}

function* cases({ name }: Operation, choice: Choice): Generator<[Sample, DType, HostArray[]]> {
  const { place, most, inEveryDType, leaveOut } = choice;
  const samples = structuralSamples[name] ?? [];
  const every = Math.ceil(samples.length / most);
  const taken = samples.filter((_, i) => i % every === 0);
  for (const [number, sample] of taken.entries()) {
    const dtypes = sample.shapes.length
      ? (sample.dtypes ?? defaultDTypes).filter((dtype) => dtype !== leaveOut)
      : ["float32" as const];
    for (const [at, dtype] of dtypes.entries()) {
      if (place === "native" && dtype !== "float16") continue;
      const inTurn = place === "native" || number % dtypes.length === at;
      if (number < inEveryDType || inTurn) yield [sample, dtype, inputsOf(sample, dtype)];
    }
  }
}

function inputsOf(sample: Sample, dtype: DType): HostArray[] {
  return sample.shapes.map((shape, i) => {
    const positions = sample.positions?.[i];
    return positions
      ? randomInput("int32", shape, i, [positions[0], positions[1] - 1])
      : randomInput(sample.own?.[i] ?? dtype, shape, i + shape.length, sample.domain);
  });
}

/** Integers are exact; a half result may be the neighbour of the reference's, which is rounded itself. */
function toleranceOf(sample: Sample, dtype: DType): Tolerance {
  if (!isFloating(dtype) || sample.ulp === undefined) return { ulp: 0 };
  return { ulp: isHalf(dtype) ? Math.min(sample.ulp, 1) : sample.ulp, absolute: sample.absolute };
}

function describe(operation: Operation, { shapes, params }: Sample, dtype: DType): string {
  return `${operation.name} ${JSON.stringify(params)} of ${dtype} ${JSON.stringify(shapes)}`;
}

const agreement = (place: Place): Choice => ({
  place,
  most: place === "native" ? 2 : 10,
  inEveryDType: 1,
});

for (const operation of structural) {
  webgpuTest(
    `${operation.name} on WebGPU agrees with the CPU reference in every dtype`,
    async () => {
      const failures: (string | undefined)[] = [];
      for (const place of ["packed", "native"] satisfies Place[]) {
        if (!await use(place)) continue;
        for (const [sample, dtype, inputs] of cases(operation, agreement(place))) {
          const params = sample.params ?? {};
          await use("cpu");
          const expected = await run(operation, params, inputs);
          await use(place);
          const got = await run(operation, params, inputs);
          const avals = outputAvals(operation, inputs, params);
          got.forEach((result, i) => {
            assertEquals([result.shape, result.dtype], [avals[i]!.shape, avals[i]!.dtype]);
            const tolerance = toleranceOf(sample, result.dtype);
            const what = `${place}: ${describe(operation, sample, dtype)}`;
            failures.push(firstWrong(what, result, expected[i]!.values, tolerance));
          });
        }
      }
      assertEquals(failures.filter((f) => f), []);
    },
  );
}

/** In float32 the driver may reassociate across what is fused. */
const fusion = (place: Place): Choice => ({
  place,
  most: place === "native" ? 1 : 3,
  inEveryDType: 0,
  leaveOut: "float32",
});

/** The operation between elementwise work, which a fused kernel takes in. */
function chain(operation: Operation, sample: Sample, inputs: readonly NDArray[]) {
  const prepared = inputs.map((x, i) =>
    x.dtype === "bool" || sample.positions?.[i] ? x : add(mul(x, 3), 1)
  );
  const results = bind(operation, sample.params ?? {}, ...prepared);
  return results.map((r) => asNDArray(r.aval.dtype === "bool" ? r : add(mul(r, 3), 1)));
}

for (const operation of structural) {
  webgpuTest(`${operation.name} fused gives the bits that it gives alone`, async () => {
    const failures: (string | undefined)[] = [];
    for (const place of ["packed", "native"] satisfies Place[]) {
      if (!await use(place)) continue;
      for (const [sample, dtype, inputs] of cases(operation, fusion(place))) {
        const arrays = upload(inputs);
        const fn = (...xs: readonly NDArray[]) => chain(operation, sample, xs);
        const alone = await Promise.all(fn(...arrays).map(readBack));
        const fused = await Promise.all((jit(fn)(...arrays) as NDArray[]).map(readBack));
        const what = `${place}: ${describe(operation, sample, dtype)} fused`;
        fused.forEach((x, i) => failures.push(firstWrong(what, x, alone[i]!.values, { ulp: 0 })));
      }
    }
    assertEquals(failures.filter((f) => f), []);
  });
}
