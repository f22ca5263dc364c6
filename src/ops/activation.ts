// Activations: one operation each, computed in float32 from load to store with nothing rounded between.

import type { Operation, Params } from "../ir/operation.ts";
import { bind1 } from "../ir/trace.ts";
import type { Value } from "../ir/value.ts";
import { abs, add, div, hypot, mul, neg, reciprocal, square, sub } from "./arithmetic.ts";
import { greater, greaterEqual, minimum } from "./comparison.ts";
import { defineElementwise, floatUnary, numberUnary, promoteOperands } from "./define.ts";
import { defineElementary, erfc, exp } from "./elementary.ts";
import { logicalAnd } from "./logic.ts";
import type { Operand } from "./operand.ts";
import { where } from "./selection.ts";
import {
  erfc as erfcReference,
  sigmoid as sigmoidOf,
  softplus as softplusOf,
} from "./special_functions.ts";
import { tanh } from "./trigonometric.ts";
import { floatLiteral, hasSignBit, isNaNBits } from "./wgsl_bits.ts";

const range = [-6, 6] as const;

/** s(x) s(-x), in which nothing cancels. */
const sigmoidSlope = (x: Value) => mul(sigmoid(x), sigmoid(neg(x)));

const siluSlope = (x: Value) => add(sigmoid(x), mul(x, sigmoidSlope(x)));

/** x s(2 u) has the slope s(2 u) + x s(2 u) s(-2 u) 2 u'. */
function geluTanhSlope(x: Value): Value {
  const scale = 2 * Math.sqrt(2 / Math.PI);
  const u = mul(mul(scale, x), add(1, mul(0.044715, square(x))));
  const slope = mul(scale, add(1, mul(3 * 0.044715, square(x))));
  return add(sigmoid(u), mul(mul(x, sigmoidSlope(u)), slope));
}

/** The normal distribution function and x times its density. */
function geluErfSlope(x: Value): Value {
  const density = mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, square(x))));
  return add(mul(0.5, erfc(mul(-Math.SQRT1_2, x))), mul(x, density));
}

/** Where x lies between two numbers: at both it is flat already, as in JAX. */
function isBetween(x: Value, low: number, high: number): Value {
  return logicalAnd(greater(x, low), greater(high, x));
}

/** gelu in its tanh form: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) = x sigmoid(2 u). */
export const geluTanhOperation: Operation = defineElementary(
  "geluTanh",
  (x) => x * sigmoidOf(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)),
  range,
  geluTanhSlope,
);
/** gelu in its exact form: x times the normal distribution function at x. */
export const geluErfOperation: Operation = defineElementary(
  "geluErf",
  (x) => 0.5 * x * erfcReference(-x / Math.SQRT2),
  range,
  geluErfSlope,
);
/** 1 / (1 + e^-x). */
export const sigmoidOperation: Operation = defineElementary(
  "sigmoid",
  sigmoidOf,
  range,
  sigmoidSlope,
);
/** x sigmoid(x). */
export const siluOperation: Operation = defineElementary(
  "silu",
  (x) => x * sigmoidOf(x),
  range,
  siluSlope,
);
/** log(1 + e^x). */
export const softplusOperation: Operation = defineElementary(
  "softplus",
  softplusOf,
  range,
  (x) => sigmoid(x),
);

/** log sigmoid(x) = -softplus(-x). */
export const logSigmoidOperation: Operation = defineElementwise({
  name: "logSigmoid",
  accepts: "floats",
  precision: "full",
  functions: ["softplus"],
  reference: ([x]) => -softplusOf(-x!),
  wgsl: ([x]) => `(-accurate_softplus(-${x}))`,
  partials: ([x]) => [sigmoid(neg(x!))],
  domain: range,
});

/** x sigmoid(y), the gate of a linear unit. */
export const gateOperation: Operation = defineElementwise({
  name: "gate",
  accepts: "floats",
  precision: "full",
  functions: ["sigmoid"],
  reference: ([x, y]) => x! * sigmoidOf(y!),
  wgsl: ([x, y]) => `(${x} * accurate_sigmoid(${y}))`,
  partials: ([x, y]) => [sigmoid(y!), mul(x!, sigmoidSlope(y!))],
  domain: range,
});

/** max(x, 0): only the numbers with a sign bit become 0, so NaN stays. */
export const reluOperation: Operation = defineElementwise({
  name: "relu",
  accepts: "numbers",
  exact: true,
  partials: ([x]) => [greater(x!, 0)],
  reference: ([x]) => Math.max(x!, 0),
  wgsl: ([x], { output }) => {
    if (output === "uint32") return x!;
    if (output === "int32") return `max(${x}, vec4i(0))`;
    return `select(${x}, vec4f(), (bitcast<vec4u>(${x}) - vec4u(0x80000000u)) <= vec4u(0x7f800000u))`;
  },
  domain: range,
});

/** WGSL of min(max(x, low), high) in which NaN stays. */
const bounded = (x: string, low: number, high: number) =>
  `select(clamp(${x}, vec4f(${floatLiteral(low)}), vec4f(${floatLiteral(high)})), ${x}, ${
    isNaNBits(x)
  })`;

const clampTo = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

/** min(max(x, 0), 6). */
export const relu6Operation: Operation = defineElementwise({
  name: "relu6",
  accepts: "floats",
  exact: true,
  reference: ([x]) => clampTo(x!, 0, 6),
  wgsl: ([x]) => bounded(x!, 0, 6),
  partials: ([x]) => [isBetween(x!, 0, 6)],
  domain: [-2, 8],
});

/** min(max(x, -1), 1). */
export const hardTanhOperation: Operation = defineElementwise({
  name: "hardTanh",
  accepts: "floats",
  exact: true,
  reference: ([x]) => clampTo(x!, -1, 1),
  wgsl: ([x]) => bounded(x!, -1, 1),
  partials: ([x]) => [logicalAnd(greaterEqual(x!, -1), greaterEqual(1, x!))],
  domain: [-2, 2],
});

/** relu6(x + 3) / 6. */
export const hardSigmoidOperation: Operation = defineElementwise({
  name: "hardSigmoid",
  accepts: "floats",
  reference: ([x]) => clampTo(x! + 3, 0, 6) / 6,
  wgsl: ([x]) => `(${boundedSum(x!)} / 6.0)`,
  partials: ([x]) => [where(isBetween(x!, -3, 3), 1 / 6, 0)],
  domain: range,
});

/** x relu6(x + 3) / 6. */
export const hardSiluOperation: Operation = defineElementwise({
  name: "hardSilu",
  accepts: "floats",
  reference: ([x]) => x! * (clampTo(x! + 3, 0, 6) / 6),
  wgsl: ([x]) => `(${x} * (${boundedSum(x!)} / 6.0))`,
  partials: ([x]) => [add(hardSigmoid(x!), where(isBetween(x!, -3, 3), div(x!, 6), 0))],
  domain: range,
});

/** WGSL of relu6(x + 3) in which NaN stays. */
function boundedSum(x: string): string {
  return `select(clamp(${x} + 3.0, vec4f(0.0), vec4f(6.0)), ${x}, ${isNaNBits(x)})`;
}

/** x / (1 + |x|). */
export const softSignOperation: Operation = defineElementwise({
  name: "softSign",
  accepts: "floats",
  reference: ([x]) => x! / (1 + Math.abs(x!)),
  wgsl: ([x]) => `(${x} / (1.0 + abs(${x})))`,
  partials: ([x]) => [reciprocal(square(add(1, abs(x!))))],
  domain: range,
});

/** x tanh(softplus(x)) = x n / (n + 2) with n = e^x (e^x + 2), in which nothing cancels. */
export const mishOperation: Operation = defineElementwise({
  name: "mish",
  accepts: "floats",
  precision: "full",
  functions: ["mish"],
  reference: ([x]) => {
    const e = Math.exp(Math.min(x!, 40));
    return x! * (e * (e + 2) / (e * (e + 2) + 2));
  },
  wgsl: ([x]) => `accurate_mish(${x})`,
  partials: ([x]) => {
    const gated = tanh(softplus(x!));
    return [add(gated, mul(mul(x!, sub(1, square(gated))), sigmoid(x!)))];
  },
  domain: range,
});

/** An activation's constants: each set of them is a kernel of its own. */
export interface SlopeParams extends Params {
  readonly slope: number;
}

/** x, times the slope where it is negative. */
export const leakyReluOperation: Operation<SlopeParams> = defineElementwise<SlopeParams>({
  name: "leakyRelu",
  accepts: "floats",
  reference: ([x], { params: { slope } }) => x! >= 0 ? x! : slope * x!,
  wgsl: ([x], { params: { slope } }) =>
    `select(${x}, ${floatLiteral(slope)} * ${x}, ${hasSignBit(x!)})`,
  partials: ([x], _, { slope }) => [where(greaterEqual(x!, 0), 1, slope)],
  domain: range,
});

/** Constants of the exponential linear units: `scale` times x, or `alpha (e^(x / width) - 1)` below 0. */
export interface ExponentialLinearParams extends Params {
  readonly alpha: number;
  readonly width: number;
  readonly scale: number;
}

/** elu, celu and selu: they differ in their constants. */
export const exponentialLinearOperation: Operation<ExponentialLinearParams> = defineElementwise<
  ExponentialLinearParams
>({
  name: "exponentialLinear",
  accepts: "floats",
  precision: "full",
  functions: ["expm1"],
  reference: ([x], { params: { alpha, width, scale } }) =>
    x! > 0 ? scale * x! : scale * alpha * Math.expm1(x! / width),
  wgsl: ([x], { params: { alpha, width, scale } }) => {
    const below = `${floatLiteral(scale * alpha)} * accurate_expm1(${x} / ${floatLiteral(width)})`;
    return `select(${floatLiteral(scale)} * ${x}, ${below}, ${hasSignBit(x!)})`;
  },
  partials: ([x], _, { alpha, width, scale }) => {
    const below = mul(scale * alpha / width, exp(div(minimum(x!, 0), width)));
    return [where(greater(x!, 0), scale, below)];
  },
  domain: range,
});

/** The constant of squareplus. */
export interface SquareplusParams extends Params {
  readonly b: number;
}

/** (x + sqrt(x^2 + b)) / 2; below 0 in the form b / (sqrt(x^2 + b) - x) / 2, in which nothing cancels. */
export const squareplusOperation: Operation<SquareplusParams> = defineElementwise<SquareplusParams>(
  {
    name: "squareplus",
    accepts: "floats",
    functions: ["hypot"],
    reference: ([x], { params: { b } }) => {
      const root = Math.hypot(x!, Math.sqrt(b));
      return x! < 0 ? b / (root - x!) / 2 : (x! + root) / 2;
    },
    wgsl: ([x], { params: { b } }) => {
      const root = `accurate_hypot(${x}, vec4f(${floatLiteral(Math.sqrt(b))}))`;
      return `select(0.5 * (${x} + ${root}), ${floatLiteral(b / 2)} / (${root} - ${x}), ${
        hasSignBit(x!)
      })`;
    },
    partials: ([x], _, { b }) => [div(squareplus(x!, b), hypot(x!, Math.sqrt(b)))],
    domain: range,
  },
);

/** gelu in its tanh form (Hendrycks and Gimpel, 2016, section 2). */
export const geluTanh: (x: Operand) => Value = floatUnary(geluTanhOperation);
/** gelu in its exact form. */
export const geluErf: (x: Operand) => Value = floatUnary(geluErfOperation);
/** The logistic function. */
export const sigmoid: (x: Operand) => Value = floatUnary(sigmoidOperation);
/** x sigmoid(x), which is also called swish. */
export const silu: (x: Operand) => Value = floatUnary(siluOperation);
/** log(1 + e^x). */
export const softplus: (x: Operand) => Value = floatUnary(softplusOperation);
/** log sigmoid(x). */
export const logSigmoid: (x: Operand) => Value = floatUnary(logSigmoidOperation);
/** max(x, 0); integers stay integers. */
export const relu: (x: Operand) => Value = numberUnary(reluOperation);
/** relu cut at 6. */
export const relu6: (x: Operand) => Value = floatUnary(relu6Operation);
/** x cut at -1 and 1. */
export const hardTanh: (x: Operand) => Value = floatUnary(hardTanhOperation);
/** The logistic function in three straight pieces. */
export const hardSigmoid: (x: Operand) => Value = floatUnary(hardSigmoidOperation);
/** x hardSigmoid(x). */
export const hardSilu: (x: Operand) => Value = floatUnary(hardSiluOperation);
/** x / (1 + |x|). */
export const softSign: (x: Operand) => Value = floatUnary(softSignOperation);
/** x tanh(softplus(x)). */
export const mish: (x: Operand) => Value = floatUnary(mishOperation);

/** relu that lets a share of negative inputs through. */
export function leakyRelu(x: Operand, slope: number): Value {
  return bind1(leakyReluOperation, { slope }, ...promoteOperands([x], true));
}

/** See {@linkcode exponentialLinearOperation}. */
export function exponentialLinear(
  x: Operand,
  { alpha, width, scale }: { alpha: number; width: number; scale: number },
): Value {
  return bind1(exponentialLinearOperation, { alpha, width, scale }, ...promoteOperands([x], true));
}

/** A smooth relu without exponentials (Barron, 2021). */
export function squareplus(x: Operand, b: number): Value {
  return bind1(squareplusOperation, { b }, ...promoteOperands([x], true));
}

/** x sigmoid(y). */
export function gate(x: Operand, y: Operand): Value {
  return bind1(gateOperation, {}, ...promoteOperands([x, y], true));
}
