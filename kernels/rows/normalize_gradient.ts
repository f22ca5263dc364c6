// How a cotangent goes back through normalizations over rows. Their statistics are computed again, which costs
// no more loads, and stored: the gradients of scale and bias are sums over the rows that need them.

import type { Kernel } from "../kernel.ts";
import { joinComponents } from "../reduce/team.ts";
import type { Target } from "../target.ts";
import { centeredPass, epsParameter, meanPass, meanSquarePass } from "./normalize.ts";
import { joinPasses, type RowMethod, type RowPass } from "./row_algorithm.ts";
import { rowKernel, type RowsDescription } from "./row_kernel.ts";

/** Rows x that were normalized and cotangents g of what became of them, in this order in the input. */
export interface NormGradientDescription extends RowsDescription {
  /** What was added to the variance, or to the mean square, before the root. */
  readonly eps: number;
}

/** Declares `slope`, the mean of the cotangent. */
const slopePass: RowPass = {
  start: "var slopes = vec4f();",
  step: ([, g], keep) => `slopes += ${keep(g!)};`,
  finish: (collectives) =>
    `let slope = ${collectives.join("sum", "f32", joinComponents("sum", "slopes"))} / ` +
    "f32(params.length);",
};

/** Declares `share`, the multiple of x that the cotangent loses; follows a pass that declares `inverse`. */
const sharePass: RowPass = {
  start: "var products = vec4f();",
  step: ([x, g], keep) => `products += ${keep(`${x} * ${g}`)};`,
  finish: (collectives) =>
    `let product = ${collectives.join("sum", "f32", joinComponents("sum", "products"))} / ` +
    "f32(params.length);\nlet share = product * inverse * inverse;",
};

const centeredPasses = [joinPasses(meanPass, slopePass), joinPasses(centeredPass, sharePass)];

/** The passes leave the elements centered, where they are held. */
const heldLayerNorm: RowMethod = {
  passes: centeredPasses,
  statistics: ["inverse", "slope", "share"],
  result: ([x, g]) => `(${g} - slope - ${x} * share) * inverse`,
};

const streamedLayerNorm: RowMethod = {
  passes: centeredPasses,
  statistics: ["mean", "inverse", "slope", "share"],
  result: ([x, g]) => `(${g} - slope - (${x} - mean) * share) * inverse`,
};

const rmsNorm: RowMethod = {
  passes: [joinPasses(meanSquarePass, sharePass)],
  statistics: ["inverse", "share"],
  result: ([x, g]) => `(${g} - ${x} * share) * inverse`,
};

/**
 * The kernel of r (g - mean(g) - n mean(g n)) over the rows of [rows, length], where n = (x - mean(x)) r and r =
 * 1 / sqrt(variance(x) + eps). The means of x and then r, one a row, are stored behind the outputs.
 *
 * @throws RangeError as `layerNormKernel` does.
 */
export function layerNormGradientKernel(
  description: NormGradientDescription,
  target: Target,
): Kernel {
  const algorithm = {
    name: "layer_norm_gradient",
    parameters: [epsParameter(description.eps)],
    operands: [],
    storedStatistics: ["mean", "inverse"],
    functions: "",
    held: heldLayerNorm,
    streamed: streamedLayerNorm,
  };
  return rowKernel(algorithm, description, target);
}

/**
 * The kernel of r (g - n mean(g n)) over the rows of [rows, length], where n = x r and r = 1 / sqrt(mean(x^2) +
 * eps), which is stored behind the outputs, one a row.
 *
 * @throws RangeError as `layerNormKernel` does.
 */
export function rmsNormGradientKernel(
  description: NormGradientDescription,
  target: Target,
): Kernel {
  const algorithm = {
    name: "rms_norm_gradient",
    parameters: [epsParameter(description.eps)],
    operands: [],
    storedStatistics: ["inverse"],
    functions: "",
    held: rmsNorm,
    streamed: rmsNorm,
  };
  return rowKernel(algorithm, description, target);
}
