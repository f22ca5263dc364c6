// How a cotangent goes back through softmax and its logarithm over rows, in one kernel each.

import { elementarySource } from "../elementary/table.ts";
import type { Kernel } from "../kernel.ts";
import { joinComponents } from "../reduce/team.ts";
import type { Target } from "../target.ts";
import { joinPasses, type RowAlgorithm, type RowMethod, type RowPass } from "./row_algorithm.ts";
import { rowKernel, type RowsDescription } from "./row_kernel.ts";
import { andThen, exp, onlinePass, peakPass, totalPass } from "./softmax.ts";

/** Declares the sum of an expression of each element, in a variable that is named after it. */
function sumPass(name: string, term: (values: readonly string[]) => string): RowPass {
  return {
    start: `var ${name}_sum = vec4f();`,
    step: (values, keep) => `${name}_sum += ${keep(term(values))};`,
    finish: (collectives) =>
      `let ${name} = ${collectives.join("sum", "f32", joinComponents("sum", `${name}_sum`))};`,
  };
}

const softmaxMethod: RowMethod = {
  passes: [sumPass("along", ([p, g]) => `${p} * ${g}`)],
  statistics: ["along"],
  result: ([p, g]) => `${p} * (${g} - along)`,
};

const softmaxGradient: RowAlgorithm = {
  name: "softmax_gradient",
  parameters: [],
  operands: [],
  functions: "",
  held: softmaxMethod,
  streamed: softmaxMethod,
};

const cotangentPass = sumPass("cotangent", ([, g]) => g!);

/** Adds the sum of the cotangent to a pass over exponentials, and declares `share`, what each takes of it. */
const withShare = (pass: RowPass) =>
  andThen(joinPasses(pass, cotangentPass), "let share = cotangent / total;");

const logSoftmaxGradient: RowAlgorithm = {
  name: "log_softmax_gradient",
  parameters: [],
  operands: [],
  functions: elementarySource(["exp"]),
  held: {
    passes: [peakPass, withShare(totalPass(true))],
    statistics: ["share"],
    result: ([x, g]) => `${g} - ${x} * share`,
  },
  streamed: {
    passes: [withShare(onlinePass(false))],
    statistics: ["peak", "share"],
    result: ([x, g]) => `${g} - ${exp(`${x} - peak`)} * share`,
  },
};

/**
 * The kernel of p (g - sum(p g)) over the rows of [rows, length], where p is a softmax and g its cotangent, in
 * this order in the input.
 *
 * @throws RangeError as `softmaxKernel` does.
 */
export function softmaxGradientKernel(description: RowsDescription, target: Target): Kernel {
  return rowKernel(softmaxGradient, description, target);
}

/**
 * The kernel of g - softmax(x) sum(g) over the rows of [rows, length], where g is the cotangent of the logarithm
 * of softmax; the input has x first.
 *
 * @throws RangeError as `softmaxKernel` does.
 */
export function logSoftmaxGradientKernel(description: RowsDescription, target: Target): Kernel {
  return rowKernel(logSoftmaxGradient, description, target);
}
