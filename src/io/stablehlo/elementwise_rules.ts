// Elementwise operations in StableHLO, which has most of them under names of its own.

import { dtypes, isFloating, isHalf } from "../../core/dtype.ts";
import type { ModuleWriter, TensorValue } from "./module_writer.ts";
import type { Call, StableHloRule, StableHloRules } from "./rule.ts";

/** The operands, stretched to the shape of the result. */
function stretched({ writer, inputs, outputs: [output] }: Call): TensorValue[] {
  return inputs.map((x) => writer.broadcast(x, output!.shape));
}

/** What computes in any dtype and rounds once, half types included. */
function exact(name: string): StableHloRule {
  return (call) => call.writer.operation(name, stretched(call), call.outputs[0]!);
}

/** A function that engines only promise in float32: half operands are widened, and the result is rounded. */
function inFloat32(name: string): StableHloRule {
  return (call) => {
    const { writer, outputs: [output] } = call;
    const wide = stretched(call).map((x) => isHalf(x.dtype) ? writer.convert(x, "float32") : x);
    const { shape, dtype } = wide[0]!;
    return writer.convert(writer.operation(name, wide, { shape, dtype }), output!.dtype);
  };
}

function comparison(direction: string): StableHloRule {
  return (call) => {
    const [x, y] = stretched(call) as [TensorValue, TensorValue];
    return call.writer.compare(direction, x, y);
  };
}

/** The number with a sign bit is negative as an integer. */
function signBit({ writer, inputs: [x] }: Call): TensorValue {
  const { shape } = x!;
  const bits = writer.operation("bitcast_convert", [writer.convert(x!, "float32")], {
    shape,
    dtype: "int32",
  });
  return writer.compare("LT", bits, writer.constant(0, "int32", shape));
}

/** Signed shifts copy the sign. Where a number is shifted by more than its bits both agree with ours. */
const rightShift: StableHloRule = (call) =>
  exact(
    call.outputs[0]!.dtype === "int32" ? "shift_right_arithmetic" : "shift_right_logical",
  )(call);

/**
 * Integers divide towards 0: the quotient moves down where the signs differ and something remains, which has
 * the results of JAX for a division by 0.
 */
const floorDivide: StableHloRule = (call) => {
  const { writer, outputs: [output] } = call;
  const { dtype, shape } = output!;
  if (isFloating(dtype)) return undefined;
  const type = { dtype, shape };
  const [x, y] = stretched(call) as [TensorValue, TensorValue];
  const quotient = writer.operation("divide", [x, y], type);
  if (dtype === "uint32") return quotient;
  const whole = (value: number) => writer.constant(value, dtype, shape);
  const sign = (v: TensorValue) => writer.operation("sign", [v], type);
  const remains = writer.compare("NE", writer.operation("remainder", [x, y], type), whole(0));
  const isLower = writer.operation(
    "and",
    [writer.compare("NE", sign(x), sign(y)), remains],
    remains,
  );
  const lower = writer.operation("subtract", [quotient, whole(1)], type);
  return writer.operation("select", [isLower, lower, quotient], type);
};

/** Half types convert to integers by way of float32. */
function convert(writer: ModuleWriter, x: TensorValue, dtype: TensorValue["dtype"]): TensorValue {
  const isWhole = !isFloating(dtype) && dtypes[dtype].kind !== "bool";
  return writer.convert(isWhole && isHalf(x.dtype) ? writer.convert(x, "float32") : x, dtype);
}

/** Rules by the operation's name; what is not here is taken apart first. */
export const elementwiseRules: StableHloRules = {
  add: exact("add"),
  sub: exact("subtract"),
  mul: exact("multiply"),
  div: exact("divide"),
  neg: exact("negate"),
  abs: (call) => call.inputs[0]!.dtype === "uint32" ? call.inputs : exact("abs")(call),
  sign: (call) => call.inputs[0]!.dtype === "uint32" ? undefined : exact("sign")(call),
  rem: inFloat32("remainder"),
  exp: inFloat32("exponential"),
  expm1: inFloat32("exponential_minus_one"),
  log: inFloat32("log"),
  log1p: inFloat32("log_plus_one"),
  sqrt: inFloat32("sqrt"),
  rsqrt: inFloat32("rsqrt"),
  cbrt: inFloat32("cbrt"),
  sin: inFloat32("sine"),
  cos: inFloat32("cosine"),
  tan: inFloat32("tan"),
  tanh: inFloat32("tanh"),
  atan2: inFloat32("atan2"),
  sigmoid: inFloat32("logistic"),
  pow: inFloat32("power"),
  floorDivide,
  floor: exact("floor"),
  ceil: exact("ceil"),
  round: exact("round_nearest_even"),
  maximum: exact("maximum"),
  minimum: exact("minimum"),
  equal: comparison("EQ"),
  notEqual: comparison("NE"),
  less: comparison("LT"),
  lessEqual: comparison("LE"),
  greater: comparison("GT"),
  greaterEqual: comparison("GE"),
  bitwiseAnd: exact("and"),
  bitwiseOr: exact("or"),
  bitwiseXor: exact("xor"),
  bitwiseNot: exact("not"),
  leftShift: exact("shift_left"),
  rightShift,
  where: exact("select"),
  isfinite: exact("is_finite"),
  signbit: signBit,
  astype: ({ writer, inputs: [x], outputs: [output] }) => convert(writer, x!, output!.dtype),
  bitcast: exact("bitcast_convert"),
  // The compiler behind must not see through it either.
  seal: exact("optimization_barrier"),
};
