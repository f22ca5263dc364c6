// Every operation of the registry applied to samples: what an export of it is tested with.

import { type DType, isFloating, isHalf } from "../../../src/core/dtype.ts";
import type { Operation, Params } from "../../../src/ir/operation.ts";
import type { HostArray, Tolerance } from "../../ops/registry_harness.ts";
import {
  elementwiseInputs,
  elementwiseParams,
  inputDTypes,
  randomInput,
} from "../../ops/registry_samples.ts";
import { structuralSamples } from "../../ops/structural_samples.ts";

/** One application of an operation. */
export interface Case {
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

/** The ways to apply an operation: the first sample in every dtype, the others in one. */
export function casesOf(operation: Operation): Case[] {
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

/** What a case is in a message. */
export function describeCase(operation: Operation, { params, inputs }: Case): string {
  const types = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`);
  return `${operation.name} ${JSON.stringify(params)} of ${types}`;
}
