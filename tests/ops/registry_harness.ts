// How the registry test runs one operation: on the CPU reference, and on WebGPU with float16 stored packed or
// natively; and how far results may be apart.

import { asNDArray, fromHost, type NDArray } from "../../src/array.ts";
import { setBackend } from "../../src/backend/backend.ts";
import { CpuBackend } from "../../src/backend/cpu.ts";
import { WebGPUBackend } from "../../src/backend/webgpu.ts";
import { type DType, isFloating, isHalf } from "../../src/core/dtype.ts";
import { roundTo, toBfloat16Bits, toFloat16Bits } from "../../src/core/half.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { openDevice } from "../../src/gpu/device.ts";
import type { Operation, Params, Tensor } from "../../src/ir/operation.ts";
import { bind } from "../../src/ir/trace.ts";
import { ulpError } from "../kernels/elementary_harness.ts";

/** Where an operation runs. */
export type Place = "cpu" | "packed" | "native";

const memoryLimit = 2 ** 32;
const opened = new Map<Place, WebGPUBackend | CpuBackend>([["cpu", new CpuBackend(memoryLimit)]]);

/** Puts a backend in use; false where the adapter has no native float16. */
export async function use(place: Place): Promise<boolean> {
  let backend = opened.get(place);
  if (!backend) {
    const device = await openDevice({ nativeFloat16Storage: place === "native" });
    if (!device || device.target.nativeFloat16Storage !== (place === "native")) return false;
    opened.set(place, backend = new WebGPUBackend(device, memoryLimit));
  }
  setBackend(backend);
  return true;
}

/** Host data for one input. */
export interface HostArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly values: Float64Array;
}

/** The input as a reference sees it: rounded to its dtype. */
export function asTensor({ shape, dtype, values }: HostArray): Tensor {
  return { shape, dtype, values: values.map((v) => roundTo(dtype, v)) };
}

/** Uploads inputs to the backend in use. */
export function upload(inputs: readonly HostArray[]): NDArray[] {
  return inputs.map(({ values, shape, dtype }) => fromHost(values, shape, dtype));
}

/** Runs an operation on the backend in use and reads its results. */
export async function run(
  operation: Operation,
  params: Params,
  inputs: readonly HostArray[],
): Promise<HostArray[]> {
  const arrays = upload(inputs);
  const results = bind(operation, params, ...arrays).map(asNDArray);
  const read = await Promise.all(results.map(readBack));
  for (const array of [...arrays, ...results]) array.dispose();
  return read;
}

/** An array's elements in float64. */
export async function readBack(x: NDArray): Promise<HostArray> {
  return { shape: x.shape, dtype: x.dtype, values: Float64Array.from(await x.data()) };
}

/** Numbers in the order of a half type's values, neighbours 1 apart: how many values lie between two. */
function position(dtype: DType, x: number): number {
  const bits = (dtype === "float16" ? toFloat16Bits([x]) : toBfloat16Bits([x]))[0]!;
  return bits & 0x8000 ? -(bits & 0x7fff) : bits;
}

/** How far a result may be from the exact one. */
export interface Tolerance {
  /** Units in the last place of float32, or, in half types, values between it and the exact one rounded. */
  readonly ulp: number;
  /** Distance allowed besides, for sums of terms that cancel. */
  readonly absolute?: number;
}

/** Why a result is wrong, or undefined where it is right. `exact` is in float64, not yet rounded. */
export function wrong(
  dtype: DType,
  got: number,
  exact: number,
  { ulp, absolute = 0 }: Tolerance,
): string | undefined {
  if (!isFloating(dtype)) return got === roundTo(dtype, exact) ? undefined : "differs";
  if (Number.isNaN(got) || Number.isNaN(exact)) {
    return Number.isNaN(got) && Number.isNaN(exact) ? undefined : "one is NaN";
  }
  if (ulp === 0) return Object.is(got, roundTo(dtype, exact)) ? undefined : "differs";
  if (Math.abs(got - exact) <= absolute) return undefined;
  // WGSL lets a device flush subnormal results.
  if (got === 0 && Math.abs(exact) < 2 ** -126) return undefined;
  const away = isHalf(dtype)
    ? Math.abs(position(dtype, got) - position(dtype, exact))
    : ulpError(got, exact);
  return away <= ulp ? undefined : `${away.toFixed(2)} ulp away`;
}

/** A line for the first wrong element of a result, or undefined. */
export function firstWrong(
  what: string,
  got: HostArray,
  exact: Float64Array,
  tolerance: Tolerance,
  inputs: readonly HostArray[] = [],
): string | undefined {
  if (got.values.length !== exact.length || got.values.length !== sizeOf(got.shape)) {
    return `${what}: ${got.values.length} elements in shape [${got.shape}], wanted ${exact.length}`;
  }
  for (let i = 0; i < exact.length; i++) {
    const why = wrong(got.dtype, got.values[i]!, exact[i]!, tolerance);
    if (!why) continue;
    const at = inputs.filter((x) => x.values.length === exact.length)
      .map((x) => roundTo(x.dtype, x.values[i]!));
    return `${what}: element ${i} (${at}) is ${got.values[i]}, wanted ${exact[i]}: ${why}`;
  }
  return undefined;
}
