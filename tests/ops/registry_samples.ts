// What the registry test feeds to operations: parameters by name where an operation has any, dtypes and
// shapes by kind, and elements by its domain.

import { type DType, dtypes, isFloating } from "../../src/core/dtype.ts";
import { finfo } from "../../src/core/finfo.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Operation, Params } from "../../src/ir/operation.ts";
import { randomSource } from "../kernels/random_elements.ts";
import type { HostArray } from "./registry_harness.ts";

/** Every dtype there is. */
export const allDTypes = Object.keys(dtypes) as DType[];

/** Parameters of elementwise operations that have any. */
export const elementwiseParams: Readonly<Record<string, readonly Params[]>> = {
  astype: allDTypes.map((dtype) => ({ dtype })),
  bitcast: [{ dtype: "float32" }, { dtype: "int32" }, { dtype: "uint32" }],
  leakyRelu: [{ slope: 0.01 }],
  exponentialLinear: [{ alpha: 1, width: 1, scale: 1 }, { alpha: 1.67, width: 2, scale: 1.05 }],
  squareplus: [{ b: 4 }],
  threefry2x32: [{ output: "bits" }, { output: "first" }, { output: "second" }],
  flattenIndices: [{ extents: [5, 7], outside: "clamp" }, { extents: [5, 7], outside: "drop" }],
};

/** How many inputs an elementwise operation has: those that its expression names. */
export function arityOf(operation: Operation, params: Params): number {
  const { lower } = operation;
  if (lower.kind !== "elementwise") throw new Error(`${operation.name} is not elementwise`);
  const { extents = [0, 0, 0, 0] } = params as { extents?: readonly number[] };
  const names = extents.map((_, i) => `input${i}`);
  const inputs: DType[] = names.map(() => "int32");
  const text = lower.wgsl(names, { params, inputs, output: "int32" });
  return names.filter((name) => text.includes(name)).length;
}

/** The dtypes of an elementwise operation's inputs, for each dtype it computes in. */
export function inputDTypes(operation: Operation, params: Params): DType[][] {
  const arity = arityOf(operation, params);
  const candidates = allDTypes.map((dtype) => {
    const inputs: DType[] = new Array(arity).fill(dtype);
    if (operation.name === "where") inputs[0] = "bool";
    return inputs;
  });
  return candidates.filter((inputs) => accepts(operation, params, inputs));
}

function accepts(operation: Operation, params: Params, inputs: readonly DType[]): boolean {
  if (operation.name === "flattenIndices") return inputs[0] === "int32";
  try {
    operation.aval(inputs.map((dtype) => ({ shape: [], dtype })), params);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Elements where functions go wrong if they go wrong anywhere. */
function specials(dtype: DType): number[] {
  if (dtype === "bool") return [0, 1];
  if (dtype === "uint32") return [0, 1, 2, 31, 32, 2 ** 31, 2 ** 32 - 1];
  if (dtype === "int32") return [0, 1, -1, 2, -2, 31, 32, 2 ** 31 - 1, -(2 ** 31)];
  const { max, eps, smallestNormal } = finfo(dtype);
  const sizes = [0, 0.5, 1, 1.5, 2, 2.5, 3, 40, smallestNormal, eps, 1 - eps, max, Infinity];
  return [NaN, ...sizes, ...sizes.map((v) => -v)];
}

function domainOf(operation: Operation, input: number): readonly [number, number] {
  const { domain } = operation;
  if (!domain) return [-100, 100];
  return typeof domain[0] === "number"
    ? domain as readonly [number, number]
    : (domain as readonly (readonly [number, number])[])[input]!;
}

/** A number from the domain; of integers now and then any at all. */
function sample(dtype: DType, [low, high]: readonly [number, number], next: () => number): number {
  const value = low + (high - low) * (next() / 2 ** 32);
  if (dtype === "bool") return next() & 1;
  if (isFloating(dtype)) return value;
  const whole = next() % 8 === 0 ? next() : Math.round(value);
  return dtype === "int32" ? whole | 0 : Math.abs(whole) >>> 0;
}

/** Every combination of special elements, and random ones of the domain behind them. */
export function elementwiseInputs(
  operation: Operation,
  inputs: readonly DType[],
  random: number,
): HostArray[] {
  const next = randomSource(operation.name.length * 7919 + inputs.length);
  const columns = inputs.map((dtype) =>
    specials(dtype).slice(0, inputs.length > 2 ? 6 : undefined)
  );
  const combined = columns.reduce((count, column) => count * column.length, 1);
  let repeat = combined;
  return inputs.map((dtype, i) => {
    const column = columns[i]!;
    repeat /= column.length;
    const run = repeat;
    const values = Float64Array.from(
      { length: combined + random },
      (_, at) =>
        at < combined
          ? column[Math.floor(at / run) % column.length]!
          : sample(dtype, domainOf(operation, i), next),
    );
    return { shape: [values.length], dtype, values };
  });
}

/** Random elements of a shape. */
export function randomInput(
  dtype: DType,
  shape: Shape,
  seed: number,
  domain: readonly [number, number] = [-3, 3],
): HostArray {
  const next = randomSource(seed);
  const values = Float64Array.from({ length: sizeOf(shape) }, () => {
    const value = domain[0] + (domain[1] - domain[0]) * (next() / 2 ** 32);
    if (dtype === "bool") return next() & 1;
    return isFloating(dtype)
      ? value
      : dtype === "uint32"
      ? Math.abs(Math.round(value))
      : Math.round(value);
  });
  return { shape, dtype, values };
}
