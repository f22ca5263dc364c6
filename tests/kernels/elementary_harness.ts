// Runs elementary functions on the adapter over arrays of arguments and measures their error.

import { elementaryFunctions, elementarySource } from "../../kernels/elementary/table.ts";
import { assembleKernel, type Kernel } from "../../kernels/kernel.ts";
import type { Target } from "../../kernels/target.ts";
import { openKernelDevice } from "./run_kernel.ts";

const workgroupSize = 64;

/** Arguments of one function: float32 values whose every bit counts. */
export type Arguments = Float32Array<ArrayBuffer>;

/** A change to the text of the functions, made before it is compiled. */
export type Rewrite = (wgsl: string) => string;

/** A kernel that applies a function of `arity` arguments to `count` elements. */
function elementaryKernel(
  key: string,
  arity: number,
  count: number,
  rewrite: Rewrite,
  target: Target,
): Kernel {
  const names = Array.from({ length: arity }, (_, i) => `argument${i}`);
  const vectors = Math.ceil(count / 4);
  return assembleKernel({
    name: key,
    bindings: [
      ...names.map((name) => ({ name, access: "read", element: "vec4f" } as const)),
      { name: "result", access: "read_write", element: "vec4f" },
    ],
    parameters: [{ name: "vectors", type: "u32", value: vectors }],
    functions: rewrite(elementarySource([key])),
    workgroupSize: `${workgroupSize}`,
    body: `  let i = group.x * ${workgroupSize}u + lane;
  if (i < params.vectors) {
    result[i] = ${elementaryFunctions.get(key)?.name}(${names.map((n) => `${n}[i]`).join(", ")});
  }`,
    workgroups: [Math.ceil(vectors / workgroupSize), 1, 1],
  }, target);
}

/** The function's values, one for each element of its arguments, with its text rewritten. */
export async function evaluateRewritten(
  rewrite: Rewrite,
  key: string,
  ...args: readonly Arguments[]
): Promise<ArrayLike<number>> {
  const { target, run } = await openKernelDevice();
  const size = args[0].length;
  const kernel = elementaryKernel(key, args.length, size, rewrite, target);
  const bytes = args.map((values) => new Uint8Array(values.buffer));
  const [values] = await run(kernel, bytes, [{ format: "float32", size }]);
  return values;
}

/** The function's values, one for each element of its arguments. */
export function evaluate(
  key: string,
  ...args: readonly Arguments[]
): Promise<ArrayLike<number>> {
  return evaluateRewritten((wgsl) => wgsl, key, ...args);
}

const float64 = new Float64Array(1);
const float64Words = new Uint32Array(float64.buffer);

/** The distance between neighbouring float32 values at `x`: the smallest subnormal at least. */
function ulpAt(x: number): number {
  float64[0] = x;
  const exponent = ((float64Words[1] >>> 20) & 0x7ff) - 1023;
  return 2 ** (Math.min(Math.max(exponent, -126), 127) - 23);
}

/**
 * How far a float32 value is from the exact one, in ulp of the exact one. Infinity counts as 2^128, so that
 * a value next to the end of the range may overflow; NaN against a number is infinitely far.
 */
export function ulpError(got: number, exact: number): number {
  if (Number.isNaN(exact) || Number.isNaN(got)) {
    return Number.isNaN(exact) && Number.isNaN(got) ? 0 : Infinity;
  }
  const end = 2 ** 128;
  const nearest = Math.min(Math.max(exact, -end), end);
  return Math.abs(Math.min(Math.max(got, -end), end) - nearest) / ulpAt(nearest);
}

/** The largest error of a function over its arguments, and where it is. */
export interface LargestError {
  readonly ulp: number;
  readonly at: readonly number[];
  readonly got: number;
  readonly exact: number;
}

/** Finds the largest error of `values` against a float64 oracle. */
export function largestError(
  values: ArrayLike<number>,
  oracle: (...args: number[]) => number,
  ...args: readonly Arguments[]
): LargestError {
  let worst: LargestError = { ulp: -1, at: [], got: NaN, exact: NaN };
  const at = args.map(() => 0);
  for (let i = 0; i < values.length; i++) {
    for (let k = 0; k < args.length; k++) at[k] = args[k][i];
    const exact = oracle(...at);
    const ulp = ulpError(values[i], exact);
    if (ulp > worst.ulp) worst = { ulp, at: [...at], got: values[i], exact };
  }
  return worst;
}

/** A row of the table that a failing test shows. */
export function describeError(key: string, error: LargestError): string {
  const { ulp, at, got, exact } = error;
  return `${key}(${at.join(", ")}): ${ulp.toFixed(2)} ulp, got ${got}, want ${exact}`;
}
