// Activations in elementary functions, by the formulas of their records.

import type { Value } from "../../ir/value.ts";
import {
  type ExponentialLinearParams,
  sigmoid,
  type SlopeParams,
  softplus,
  type SquareplusParams,
} from "../../ops/activation.ts";
import { abs, add, div, hypot, mul, neg, square, sub } from "../../ops/arithmetic.ts";
import { greater, greaterEqual, less, maximum, minimum } from "../../ops/comparison.ts";
import { erfc, exp, expm1, log1p } from "../../ops/elementary.ts";
import { clip, where } from "../../ops/selection.ts";
import type { Decomposition, Decompositions } from "./decomposition.ts";

/** relu6(x + 3) / 6. */
const hardSigmoid = (x: Value) => div(clip(add(x, 3), 0, 6), 6);

/** x tanh(softplus(x)) = x n / (n + 2) with n = e^x (e^x + 2), which is 1 in float32 long before x = 40. */
function mish(x: Value): Value {
  const e = exp(minimum(x, 40));
  const n = mul(e, add(e, 2));
  return mul(x, div(n, add(n, 2)));
}

const geluTanh = (x: Value) => {
  const inner = add(x, mul(0.044715, mul(square(x), x)));
  return mul(x, sigmoid(mul(2 * Math.sqrt(2 / Math.PI), inner)));
};

const leakyRelu: Decomposition<SlopeParams> = ([x], { slope }) =>
  where(greaterEqual(x!, 0), x!, mul(slope, x!));

const exponentialLinear: Decomposition<ExponentialLinearParams> = ([x], params) => {
  const { alpha, width, scale } = params;
  const below = mul(scale * alpha, expm1(div(x!, width)));
  return where(greater(x!, 0), mul(scale, x!), below);
};

/** The two halves are one formula in the form in which nothing cancels. */
const squareplus: Decomposition<SquareplusParams> = ([x], { b }) => {
  const root = hypot(x!, Math.sqrt(b));
  return where(less(x!, 0), div(b / 2, sub(root, x!)), mul(0.5, add(x!, root)));
};

/** Activations by the operation's name. */
export const activations: Decompositions = {
  relu: ([x]) => maximum(x!, 0),
  relu6: ([x]) => clip(x!, 0, 6),
  hardTanh: ([x]) => clip(x!, -1, 1),
  hardSigmoid: ([x]) => hardSigmoid(x!),
  hardSilu: ([x]) => mul(x!, hardSigmoid(x!)),
  softSign: ([x]) => div(x!, add(1, abs(x!))),
  leakyRelu,
  exponentialLinear,
  squareplus,
  silu: ([x]) => mul(x!, sigmoid(x!)),
  gate: ([x, y]) => mul(x!, sigmoid(y!)),
  softplus: ([x]) => add(maximum(x!, 0), log1p(exp(neg(abs(x!))))),
  logSigmoid: ([x]) => neg(softplus(neg(x!))),
  mish: ([x]) => mish(x!),
  geluTanh: ([x]) => geluTanh(x!),
  geluErf: ([x]) => mul(mul(0.5, x!), erfc(mul(-Math.SQRT1_2, x!))),
};
