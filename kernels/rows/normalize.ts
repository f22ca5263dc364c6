// Layer normalization and its root-mean-square form over rows: statistics in float32, whatever is stored.

import type { Kernel, Parameter } from "../kernel.ts";
import { joinComponents } from "../reduce/team.ts";
import type { StorageFormat } from "../storage.ts";
import type { Target } from "../target.ts";
import type { RowAlgorithm, RowMethod, RowOperand, RowPass } from "./row_algorithm.ts";
import { rowKernel, type RowsDescription } from "./row_kernel.ts";

/** Rows to normalize. */
export interface RmsNormDescription extends RowsDescription {
  /** What is added to the variance, or to the mean square, before the root. */
  readonly eps: number;
  /** How the array `scale` of [length] is stored, which follows the input's arrays; absent: none. */
  readonly scale?: StorageFormat;
}

/** Rows to normalize, and to shift afterwards. */
export interface LayerNormDescription extends RmsNormDescription {
  /** How the array `bias` of [length] is stored, which follows `scale`; absent: none. */
  readonly bias?: StorageFormat;
}

/** Declares `mean`. */
export const meanPass: RowPass = {
  start: "var sum = vec4f();",
  step: ([value], keep) => `sum += ${keep(value)};`,
  finish: (collectives) =>
    `let mean = ${collectives.join("sum", "f32", joinComponents("sum", "sum"))} / ` +
    "f32(params.length);",
};

const inverseDeviation = "let inverse = inverseSqrt(variance + params.eps);";

/** Declares `inverse`, and leaves the elements centered: the variance is the mean of their squares. */
export const centeredPass: RowPass = {
  start: "var squares = vec4f();",
  step: ([value], keep) =>
    `${value} -= mean;
squares += ${keep(`${value} * ${value}`)};`,
  finish: (collectives) =>
    `let variance = ${collectives.join("sum", "f32", joinComponents("sum", "squares"))} / ` +
    `f32(params.length);\n${inverseDeviation}`,
};

/**
 * Declares `mean` and `inverse` in one pass. Each lane keeps the mean and the spread of its own elements
 * (Welford, 1962), which are then joined (Chan, Golub and LeVeque, 1979): no large squares cancel.
 */
const welfordPass: RowPass = {
  start: "var count = vec4f();\nvar center = vec4f();\nvar spread = vec4f();",
  step: ([value], keep) =>
    `count += ${keep("vec4f(1.0)")};
let delta = ${value} - center;
center += ${keep("delta / max(count, vec4f(1.0))")};
spread += ${keep(`delta * (${value} - center)`)};`,
  finish: (collectives) =>
    `let mean = ${collectives.join("sum", "f32", "dot(count, center)")} / f32(params.length);
let apart = center - mean;
let squares = spread + count * apart * apart;
let variance = ${collectives.join("sum", "f32", joinComponents("sum", "squares"))} / ` +
    `f32(params.length);\n${inverseDeviation}`,
};

/** Declares `inverse`, the reciprocal of the root of the mean square. */
export const meanSquarePass: RowPass = {
  start: "var squares = vec4f();",
  step: ([value], keep) => `squares += ${keep(`${value} * ${value}`)};`,
  finish: (collectives) =>
    `let variance = ${collectives.join("sum", "f32", joinComponents("sum", "squares"))} / ` +
    `f32(params.length);\n${inverseDeviation}`,
};

/** Multiplies by the scale and adds the bias, where there are any. */
function affine(normalized: string, operands: readonly RowOperand[]): string {
  const has = (name: string) => operands.some((operand) => operand.name === name);
  return `${normalized}${has("scale") ? " * scale_value" : ""}${
    has("bias") ? " + bias_value" : ""
  }`;
}

function operandsOf(description: LayerNormDescription): RowOperand[] {
  return (["scale", "bias"] as const).flatMap((name) => {
    const format = description[name];
    return format ? [{ name, format }] : [];
  });
}

/** What passes read that declare `inverse`. */
export function epsParameter(eps: number): Parameter {
  return { name: "eps", type: "f32", value: eps };
}

/**
 * The kernel of (x - mean) / sqrt(variance + eps) * scale + bias over the rows of [rows, length]. The
 * variance is the mean squared distance from the mean, never a difference of means of squares.
 *
 * @throws RangeError for an aligned input of rows that are not whole vectors, or where `supportsRows`
 * does not hold.
 */
export function layerNormKernel(description: LayerNormDescription, target: Target): Kernel {
  const operands = operandsOf(description);
  const algorithm: RowAlgorithm = {
    name: "layer_norm",
    parameters: [epsParameter(description.eps)],
    operands,
    functions: "",
    held: {
      passes: [meanPass, centeredPass],
      statistics: ["inverse"],
      result: ([value]) => affine(`${value} * inverse`, operands),
    },
    streamed: {
      passes: [welfordPass],
      statistics: ["mean", "inverse"],
      result: ([value]) => affine(`(${value} - mean) * inverse`, operands),
    },
  };
  return rowKernel(algorithm, description, target);
}

/**
 * The kernel of x / sqrt(mean(x^2) + eps) * scale over the rows of [rows, length].
 *
 * @throws RangeError as {@linkcode layerNormKernel} does.
 */
export function rmsNormKernel(description: RmsNormDescription, target: Target): Kernel {
  const operands = operandsOf({ ...description, bias: undefined });
  const method: RowMethod = {
    passes: [meanSquarePass],
    statistics: ["inverse"],
    result: ([value]) => affine(`${value} * inverse`, operands),
  };
  const algorithm: RowAlgorithm = {
    name: "rms_norm",
    parameters: [epsParameter(description.eps)],
    operands,
    functions: "",
    held: method,
    streamed: method,
  };
  return rowKernel(algorithm, description, target);
}
