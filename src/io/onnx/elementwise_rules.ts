// Elementwise operations in ONNX, which broadcasts as we do.

import { dtypes, isFloating, isHalf } from "../../core/dtype.ts";
import type { OnnxValue } from "./graph_writer.ts";
import type { OnnxCall, OnnxRule, OnnxRules } from "./rule.ts";

/** What computes in any type and rounds once, half types included. */
function exact(type: string, ofBooleans?: string): OnnxRule {
  return ({ writer, inputs, outputs: [output] }) =>
    writer.node(output!.dtype === "bool" && ofBooleans ? ofBooleans : type, inputs, output!);
}

const isHalfValue = ({ dtype }: OnnxValue) => dtype !== "int64" && isHalf(dtype);

/** A function that engines only promise in float32: half operands are widened, and the result is rounded. */
function inFloat32(type: string): OnnxRule {
  return ({ writer, inputs, outputs: [output] }) => {
    const wide = inputs.map((x) => isHalfValue(x) ? writer.cast(x, "float32") : x);
    const { shape, dtype } = output!;
    const own = dtype === "bool" ? dtype : wide[0]!.dtype;
    return writer.cast(writer.node(type, wide, { shape, dtype: own }), dtype);
  };
}

/** Engines compare floats, int32 and int64. */
function comparison(type: string, isNegated = false): OnnxRule {
  return ({ writer, inputs, outputs: [output] }) => {
    const known = inputs.map((x) => {
      if (x.dtype === "uint32") return writer.cast(x, "int64");
      if (x.dtype === "bool") return writer.cast(x, "int32");
      return isHalfValue(x) ? writer.cast(x, "float32") : x;
    });
    const truth = writer.node(type, known, output!);
    return isNegated ? writer.node("Not", [truth], output!) : truth;
  };
}

/** Bits of integers have operators from opset 18 on. */
function bitwise(ofBooleans: string): OnnxRule {
  return (call) => {
    const { dtype } = call.outputs[0]!;
    if (dtype === "bool") return exact(ofBooleans)(call);
    return call.writer.opset < 18 ? undefined : exact(`Bitwise${ofBooleans}`)(call);
  };
}

/** Truth values are chosen by logic, uint32 as int64: engines have no choice between them. */
function where({ writer, inputs, outputs: [output] }: OnnxCall): OnnxValue {
  const [condition, x, y] = inputs as [OnnxValue, OnnxValue, OnnxValue];
  const { dtype, shape } = output!;
  if (dtype !== "bool") {
    const known = dtype === "uint32" ? "int64" : dtype;
    const given = [condition, writer.cast(x, known), writer.cast(y, known)];
    return writer.cast(writer.node("Where", given, { shape, dtype: known }), dtype);
  }
  const not = writer.node("Not", [condition], condition);
  return writer.node("Or", [
    writer.node("And", [condition, x], output!),
    writer.node("And", [not, y], output!),
  ], output!);
}

/** Quotient and remainder in int64, in which none overflows. By 0 they are -1 and the dividend, where engines fault. */
function divided({ writer, inputs, outputs: [output] }: OnnxCall) {
  const type = { shape: output!.shape, dtype: "int64" as const };
  const [x, y] = inputs.map((v) => writer.cast(v, "int64")) as [OnnxValue, OnnxValue];
  const isZero = writer.node("Equal", [y, writer.constant(0, "int64")], { ...y, dtype: "bool" });
  const divisor = writer.node("Where", [isZero, writer.constant(1, "int64"), y], y);
  const quotient = writer.node("Div", [x, divisor], type);
  const rest = writer.node("Mod", [x, divisor], type, { fmod: 1 });
  return {
    x,
    y,
    type,
    quotient: writer.node("Where", [isZero, writer.constant(-1, "int64"), quotient], type),
    rest: writer.node("Where", [isZero, x, rest], type),
  };
}

/** The remainder with the dividend's sign. */
function rem(call: OnnxCall): OnnxValue {
  const { writer, outputs: [output] } = call;
  const { dtype, shape } = output!;
  if (!isFloating(dtype)) return writer.cast(divided(call).rest, dtype);
  const wide = call.inputs.map((x) => writer.cast(x, "float32"));
  const rest = writer.node("Mod", wide, { shape, dtype: "float32" }, { fmod: 1 });
  return writer.cast(rest, dtype);
}

/** Integers divide towards 0: the quotient moves down where the signs differ and something remains. */
function floorDivide(call: OnnxCall): OnnxValue | undefined {
  const { writer, outputs: [output] } = call;
  const { dtype } = output!;
  if (isFloating(dtype)) return undefined;
  const { x, y, quotient, rest, type } = divided(call);
  if (dtype === "uint32") return writer.cast(quotient, dtype);
  const truth = { shape: type.shape, dtype: "bool" as const };
  const differ = (a: OnnxValue, b: OnnxValue) =>
    writer.node("Not", [writer.node("Equal", [a, b], truth)], truth);
  const [ofX, ofY] = [x, y].map((v) => writer.node("Sign", [v], v)) as [OnnxValue, OnnxValue];
  const isLower = writer.node("And", [
    differ(ofX, ofY),
    differ(rest, writer.constant(0, "int64")),
  ], truth);
  const lower = writer.node("Sub", [quotient, writer.cast(isLower, "int64")], type);
  return writer.cast(lower, dtype);
}

/** x (1 + erf(x / sqrt 2)) / 2, in the form that engines know and fuse. */
function geluErf({ writer, inputs, outputs: [output] }: OnnxCall): OnnxValue {
  const x = writer.cast(inputs[0]!, "float32");
  const scaled = writer.node("Mul", [x, writer.constant(Math.SQRT1_2, "float32")], x);
  const sum = writer.node(
    "Add",
    [writer.node("Erf", [scaled], x), writer.constant(1, "float32")],
    x,
  );
  const half = writer.node("Mul", [x, writer.constant(0.5, "float32")], x);
  return writer.cast(writer.node("Mul", [half, sum], x), output!.dtype);
}

/** Unsigned numbers are subtracted from 0, since they cannot be negated. */
function neg(call: OnnxCall): OnnxValue {
  const { writer, inputs: [x], outputs: [output] } = call;
  const { dtype } = output!;
  if (dtype !== "uint32") return writer.node("Neg", [x!], output!);
  return writer.node("Sub", [writer.constant(0, dtype), x!], output!);
}

/** Operators that unsigned numbers have no need of. */
function ofSigned(type: string): OnnxRule {
  return (call) => {
    const { kind } = dtypes[call.outputs[0]!.dtype];
    return kind === "unsigned" ? undefined : exact(type)(call);
  };
}

/** Rules by the operation's name; what is not here is taken apart first. */
export const elementwiseRules: OnnxRules = {
  add: exact("Add", "Or"),
  sub: exact("Sub"),
  mul: exact("Mul", "And"),
  div: exact("Div"),
  neg,
  abs: (call) => call.inputs[0]!.dtype === "uint32" ? call.inputs : exact("Abs")(call),
  sign: (call) =>
    isFloating(call.outputs[0]!.dtype) ? inFloat32("Sign")(call) : ofSigned("Sign")(call),
  rem,
  floorDivide,
  maximum: exact("Max", "Or"),
  minimum: exact("Min", "And"),
  relu: ofSigned("Relu"),
  exp: inFloat32("Exp"),
  log: inFloat32("Log"),
  sqrt: inFloat32("Sqrt"),
  sin: inFloat32("Sin"),
  cos: inFloat32("Cos"),
  tan: inFloat32("Tan"),
  asin: inFloat32("Asin"),
  acos: inFloat32("Acos"),
  atan: inFloat32("Atan"),
  tanh: inFloat32("Tanh"),
  sigmoid: inFloat32("Sigmoid"),
  erf: inFloat32("Erf"),
  pow: inFloat32("Pow"),
  floor: inFloat32("Floor"),
  ceil: inFloat32("Ceil"),
  round: inFloat32("Round"),
  isnan: inFloat32("IsNaN"),
  isinf: inFloat32("IsInf"),
  geluErf,
  equal: comparison("Equal"),
  notEqual: comparison("Equal", true),
  less: comparison("Less"),
  lessEqual: comparison("LessOrEqual"),
  greater: comparison("Greater"),
  greaterEqual: comparison("GreaterOrEqual"),
  bitwiseAnd: bitwise("And"),
  bitwiseOr: bitwise("Or"),
  bitwiseXor: bitwise("Xor"),
  bitwiseNot: bitwise("Not"),
  where,
  astype: ({ writer, inputs: [x], outputs: [output] }) => writer.cast(x!, output!.dtype),
  seal: exact("Identity"),
};
