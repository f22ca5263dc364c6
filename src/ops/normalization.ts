// Normalisation over the last axis, and how cotangents go back through it. Each is one operation with a kernel of
// its own; its decomposition, in float32 and cast at its edges, serves where there is none.

import { isFloating } from "../core/dtype.ts";
import { showShape } from "../core/errors.ts";
import type { Aval } from "../ir/aval.ts";
import { type Operation, type Params, registerOperation, type Tangent } from "../ir/operation.ts";
import { bind } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { batchAll, batchFirst, besideRow, inverseRoot, meanOverRow } from "./along_rows.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { broadcastTo, reshape, unbroadcast, widened } from "./broadcast.ts";
import { astype } from "./cast.ts";

/** The static arguments of a normalisation. Its inputs are x and then the scale and the bias that it has. */
export interface NormParams extends Params {
  /** What is added to the variance, or to the mean square, before the root. */
  readonly eps: number;
  readonly hasScale: boolean;
  readonly hasBias: boolean;
}

/** The static argument of what goes back through a normalisation. */
export interface NormGradientParams extends Params {
  readonly eps: number;
}

/** The inputs by name, or anything else that there is one of for each. */
function named<T>([x, ...rest]: readonly T[], { hasScale, hasBias }: NormParams) {
  const scale = hasScale ? rest[0] : undefined;
  const bias = hasBias ? rest[hasScale ? 1 : 0] : undefined;
  return { x: x!, scale, bias };
}

function normAval(name: string, [x, ...rest]: readonly Aval[]): Aval {
  const length = x!.shape[x!.shape.length - 1]!;
  for (const { shape, dtype } of rest) {
    if (shape.length !== 1 || shape[0] !== length) {
      throw new RangeError(
        `Cannot ${name}: scale and bias must have the shape ${
          showShape([length])
        } of the normalized axis, got ${showShape(shape)}`,
      );
    }
    if (!isFloating(dtype)) {
      throw new TypeError(`Cannot ${name}: scale and bias must be floating, got ${dtype}`);
    }
  }
  return { shape: x!.shape, dtype: x!.dtype };
}

/** Multiplies by the scale and adds the bias, where there are any, and rounds to the dtype of x. */
function affine(normalized: Value, inputs: readonly Value[], params: NormParams): Value {
  const { x, scale, bias } = named(inputs, params);
  const scaled = scale ? mul(normalized, widened(scale)) : normalized;
  return astype(bias ? add(scaled, widened(bias)) : scaled, x.aval.dtype);
}

/** A number in float32 for each row, as the kernels of the gradients store it. */
function statisticAval({ shape }: Aval): Aval {
  return { shape: shape.slice(0, -1), dtype: "float32" };
}

/** Such a number, from where it was beside the elements. */
function statistic(beside: Value): Value {
  return reshape(beside, beside.aval.shape.slice(0, -1));
}

/** A normalisation before scale and bias. */
interface Normalization {
  readonly name: "layerNorm" | "rmsNorm";
  /** The rows normalized, in float32. */
  normalize(x: Value, eps: number): Value;
  /** What goes back to x from a cotangent of that, in the dtype of x; and the rows normalized once more. */
  pullBack(x: Value, cotangent: Value, eps: number): { back: Value; normalized: Value };
}

/** The tangent of the result. The matrix of a normalisation's derivatives is symmetric. */
function normTangent(
  { normalize, pullBack }: Normalization,
  inputs: readonly Value[],
  tangents: readonly Tangent[],
  params: NormParams,
): Value {
  const { x, scale } = named(inputs, params);
  const moved = named(tangents, params);
  const terms: Value[] = [];
  if (moved.x) {
    const { back } = pullBack(widened(x), moved.x, params.eps);
    terms.push(scale ? mul(back, widened(scale)) : back);
  }
  if (moved.scale) terms.push(mul(normalize(x, params.eps), widened(moved.scale)));
  if (moved.bias) terms.push(widened(moved.bias));
  const sum = terms.reduce((a, b) => add(a, b));
  return astype(broadcastTo(sum, x.aval.shape), x.aval.dtype);
}

/** The cotangents of x, and of scale and bias: sums over rows, which become one kernel. */
function normCotangents(
  { pullBack }: Normalization,
  cotangent: Value,
  inputs: readonly Value[],
  params: NormParams,
): readonly Value[] {
  const { x, scale, bias } = named(inputs, params);
  const wide = widened(cotangent);
  const scaled = scale ? mul(wide, widened(scale)) : wide;
  const { back, normalized } = pullBack(x, scaled, params.eps);
  const ofVector = (terms: Value, { aval }: Value) =>
    astype(unbroadcast(terms, aval.shape), aval.dtype);
  return [
    back,
    ...scale ? [ofVector(mul(wide, normalized), scale)] : [],
    ...bias ? [ofVector(wide, bias)] : [],
  ];
}

function normOperation(normalization: Normalization): Operation<NormParams> {
  const { name, normalize } = normalization;
  const operation: Operation<NormParams> = registerOperation<NormParams>({
    name,
    precision: "full",
    operandTypes: "own",
    lower: {
      kind: "rows",
      kernel: name,
      rowInputs: 1,
      decompose: (inputs, params) => [affine(normalize(inputs[0]!, params.eps), inputs, params)],
    },
    aval: (inputs) => normAval(name, inputs),
    derivative: {
      kind: "structured",
      jvp: (inputs, tangents, _, params) => [
        normTangent(normalization, inputs, tangents, params),
      ],
      vjp: ([cotangent], inputs, _, params) =>
        normCotangents(normalization, cotangent!, inputs, params),
    },
    batch: batchFirst(() => operation),
  });
  return operation;
}

/** Layer normalisation (Ba, Kiros and Hinton, 2016) over the last axis; statistics in float32, in two passes. */
export const layerNormOperation: Operation<NormParams> = normOperation({
  name: "layerNorm",
  normalize: (x, eps) => {
    const wide = widened(x);
    const distances = sub(wide, meanOverRow(wide));
    return mul(distances, inverseRoot(distances, eps));
  },
  pullBack: (x, cotangent, eps) => {
    const [back, mean, inverse] = bind(layerNormGradientOperation, { eps }, x, cotangent);
    const distances = sub(widened(x), besideRow(mean!));
    return { back: back!, normalized: mul(distances, besideRow(inverse!)) };
  },
});

/** Root mean square normalisation (Zhang and Sennrich, 2019) over the last axis. */
export const rmsNormOperation: Operation<NormParams> = normOperation({
  name: "rmsNorm",
  normalize: (x, eps) => mul(widened(x), inverseRoot(widened(x), eps)),
  pullBack: (x, cotangent, eps) => {
    const [back, inverse] = bind(rmsNormGradientOperation, { eps }, x, cotangent);
    return { back: back!, normalized: mul(widened(x), besideRow(inverse!)) };
  },
});

/**
 * r (g - mean(g) - n mean(g n)) of rows x and the cotangent g of n = (x - mean(x)) r; and then, one a row and in
 * float32, the means of x and r = 1 / sqrt(variance(x) + eps).
 */
export const layerNormGradientOperation: Operation<NormGradientParams> = registerOperation<
  NormGradientParams
>({
  name: "layerNormGradient",
  precision: "full",
  operandTypes: "own",
  lower: {
    kind: "rows",
    kernel: "layerNormGradient",
    rowInputs: 2,
    decompose: ([x, cotangent], { eps }) => {
      const mean = meanOverRow(widened(x!));
      const distances = sub(widened(x!), mean);
      const inverse = inverseRoot(distances, eps);
      const slope = widened(cotangent!);
      const back = backThrough(mul(distances, inverse), sub(slope, meanOverRow(slope)), inverse);
      return [astype(back, x!.aval.dtype), statistic(mean), statistic(inverse)];
    },
  },
  aval: ([x]) => [
    { shape: x!.shape, dtype: x!.dtype },
    statisticAval(x!),
    statisticAval(x!),
  ],
  batch: batchAll(() => layerNormGradientOperation),
});

/**
 * r (g - n mean(g n)) of rows x and the cotangent g of n = x r; and then r = 1 / sqrt(mean(x^2) + eps), one a row
 * and in float32.
 */
export const rmsNormGradientOperation: Operation<NormGradientParams> = registerOperation<
  NormGradientParams
>({
  name: "rmsNormGradient",
  precision: "full",
  operandTypes: "own",
  lower: {
    kind: "rows",
    kernel: "rmsNormGradient",
    rowInputs: 2,
    decompose: ([x, cotangent], { eps }) => {
      const inverse = inverseRoot(widened(x!), eps);
      const back = backThrough(mul(widened(x!), inverse), widened(cotangent!), inverse);
      return [astype(back, x!.aval.dtype), statistic(inverse)];
    },
  },
  aval: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }, statisticAval(x!)],
  batch: batchAll(() => rmsNormGradientOperation),
});

/** r (slope - n mean(slope n)): n's own direction does not go back through the root. */
function backThrough(normalized: Value, slope: Value, inverse: Value): Value {
  const share = meanOverRow(mul(slope, normalized));
  return mul(sub(slope, mul(normalized, share)), inverse);
}
