// Gathers, scatters and sorts in ONNX.

import { isHalf } from "../../core/dtype.ts";
import type { ScatterMode } from "../../ops/indexing.ts";
import type { SortOutputs } from "../../ops/sort.ts";
import type { OnnxGraphWriter, OnnxValue } from "./graph_writer.ts";
import type { OnnxCall, OnnxRules } from "./rule.ts";

/** Places in int64, moved inside the axis: elsewhere negative ones would count from the end. */
function clamped(writer: OnnxGraphWriter, indices: OnnxValue, extent: number): OnnxValue {
  const places = writer.cast(indices, "int64");
  const above = writer.node("Max", [places, writer.constant(0, "int64")], places);
  return writer.node("Min", [above, writer.constant(extent - 1, "int64")], places);
}

function take({ writer, inputs, params: { axis }, outputs: [output] }: OnnxCall): OnnxValue {
  const [x, indices] = inputs as [OnnxValue, OnnxValue];
  const places = clamped(writer, indices, x.shape[axis]!);
  return writer.node("Gather", [x, places], output!, { axis });
}

function takeAlongAxis(call: OnnxCall): OnnxValue {
  const { writer, params: { axis }, outputs: [output] } = call;
  const [x, indices] = call.inputs as [OnnxValue, OnnxValue];
  const places = clamped(writer, indices, x.shape[axis]!);
  return writer.node("GatherElements", [x, places], output!, { axis });
}

/** Operators join sums and products from opset 16 on, extremes from 18 on. */
function joint(mode: ScatterMode, opset: number): string | undefined {
  if (mode === "set") return "none";
  return mode === "add" || mode === "mul" || opset >= 18 ? mode : undefined;
}

/** Rows joined with rows. Those out of range go to a row behind the others, which is cut off again. */
function scatter({ writer, inputs, params, outputs: [output] }: OnnxCall): OnnxValue | undefined {
  const { mode } = params as { mode: ScatterMode };
  const reduction = joint(mode, writer.opset);
  if (!reduction) return undefined;
  const { shape: [n, inner], dtype } = output! as { shape: number[]; dtype: "float32" };
  const wide = (x: OnnxValue) => isHalf(dtype) ? writer.cast(x, "float32") : x;
  const [operand, indices, updates] = inputs as [OnnxValue, OnnxValue, OnnxValue];
  const given = wide(operand);
  const more = writer.expand(writer.constant(0, given.dtype), [1, inner!]);
  const longer = { shape: [n! + 1, inner!], dtype: given.dtype };
  const whole = writer.node("Concat", [given, more], longer, { axis: 0 });
  const places = writer.cast(indices, "int64");
  const truth = { shape: places.shape, dtype: "bool" as const };
  const isOutside = writer.node("Or", [
    writer.node("Less", [places, writer.constant(0, "int64")], truth),
    writer.node("Greater", [places, writer.constant(n!, "int64")], truth),
  ], truth);
  const inside = writer.node("Where", [isOutside, writer.constant(n!, "int64"), places], places);
  const rows = writer.reshape(inside, [...places.shape, 1]);
  const joined = writer.node("ScatterND", [whole, rows, wide(updates)], longer, { reduction });
  const bounds = [[0], [n!], [0]].map((list) => writer.list(list));
  const cut = writer.node("Slice", [joined, ...bounds], { ...given, shape: [n!, inner!] });
  return writer.cast(cut, dtype);
}

/** The first `count` of each row in order, and the places that they came from. */
function ordered(call: OnnxCall, count: number, descending: boolean): readonly OnnxValue[] {
  const { writer, inputs: [given] } = call;
  const { dtype, shape } = given!;
  const known = dtype === "int32" || dtype === "int64"
    ? dtype
    : dtype === "uint32"
    ? "int64"
    : "float32";
  const x = writer.cast(given!, known);
  const kept = [...shape.slice(0, -1), count];
  const [values, places] = writer.nodesOf("TopK", [x, writer.list([count])], [
    { shape: kept, dtype: known },
    { shape: kept, dtype: "int64" },
  ], { axis: shape.length - 1, largest: Number(descending), sorted: 1 });
  return [writer.cast(values!, dtype), writer.cast(places!, "int32")];
}

function sort(call: OnnxCall): readonly OnnxValue[] {
  const { descending, outputs } = call.params as { descending: boolean; outputs: SortOutputs };
  const { shape } = call.inputs[0]!;
  const [values, places] = ordered(call, shape[shape.length - 1]!, descending);
  return outputs === "both" ? [values!, places!] : [outputs === "values" ? values! : places!];
}

/** Rules by the operation's name. */
export const indexingRules: OnnxRules = {
  take,
  takeAlongAxis,
  scatter,
  sort,
  topK: (call) => ordered(call, call.params.k, true),
};
