// Operations in ONNX that move, join and multiply the elements of whole arrays.

import { isFloating, isHalf, promoteTypes } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Combiner } from "../../ir/operation.ts";
import { type DotParams, freeAxes } from "../../ops/contraction.ts";
import type { ConvolutionParams } from "../../ops/convolution.ts";
import { identityOf } from "../export/structures.ts";
import type { OnnxValue } from "./graph_writer.ts";
import type { OnnxType } from "./model.ts";
import type { OnnxCall, OnnxRule, OnnxRules } from "./rule.ts";

const range = (count: number, start = 0) => Array.from({ length: count }, (_, i) => start + i);

const isHalfType = (dtype: OnnxType) => dtype !== "int64" && isHalf(dtype);

/** One line of coordinates, stretched along the other axes. */
function iota({ writer, params: { axis }, outputs: [output] }: OnnxCall): OnnxValue {
  const { shape, dtype } = output!;
  const line = shape.map((extent, a) => a === axis ? extent : 1);
  const places = writer.constants(range(shape[axis] ?? 1), dtype, line);
  return writer.expand(places, shape);
}

/** Ends before the beginning are far below 0: -1 would mean the last element. */
const beforeAll = -(2 ** 31);

function slice({ writer, inputs: [x], params, outputs: [output] }: OnnxCall): OnnxValue {
  const { starts, steps } = params as { starts: number[]; steps: number[] };
  const ends = starts.map((start, axis) => {
    const end = start + steps[axis]! * output!.shape[axis]!;
    return end < 0 ? beforeAll : end;
  });
  const axes = range(starts.length);
  const lists = [starts, ends, axes, steps].map((values) => writer.list(values));
  return writer.node("Slice", [x!, ...lists], output!);
}

function pad({ writer, inputs, params: { low, high }, outputs: [output] }: OnnxCall): OnnxValue {
  const [x, fill] = inputs as [OnnxValue, OnnxValue];
  return writer.node("Pad", [x, writer.list([...low, ...high]), fill], output!, {
    mode: "constant",
  });
}

const joints: Readonly<Record<Combiner, string>> = {
  sum: "ReduceSum",
  prod: "ReduceProd",
  max: "ReduceMax",
  min: "ReduceMin",
  any: "ReduceMax",
  all: "ReduceMin",
};

/** Reductions take their axes as an input, some of them only from opset 18 on. */
function reduction(combiner: Combiner): OnnxRule {
  return ({ writer, inputs: [given], params: { axes }, outputs: [output] }) => {
    if (axes.length === 0) return given;
    if (sizeOf(given!.shape) === 0) {
      const { dtype, shape } = output!;
      return writer.expand(writer.constant(identityOf(combiner, dtype), dtype), shape);
    }
    const x = given!.dtype === "bool"
      ? writer.cast(given!, "int32")
      : isHalfType(given!.dtype)
      ? writer.cast(given!, "float32")
      : given!;
    const result = { shape: output!.shape, dtype: x.dtype };
    const asInput = combiner === "sum" || writer.opset >= 18;
    const reduced = asInput
      ? writer.node(joints[combiner], [x, writer.list(axes)], result, { keepdims: 0 })
      : writer.node(joints[combiner], [x], result, { axes, keepdims: 0 });
    return writer.cast(reduced, output!.dtype);
  };
}

/** Sums so far, in float32. */
function cumsum({ writer, inputs: [given], params, outputs: [output] }: OnnxCall): OnnxValue {
  const x = isHalfType(given!.dtype) ? writer.cast(given!, "float32") : given!;
  const { axis, reverse } = params as { axis: number; reverse: boolean };
  const sums = writer.node("CumSum", [x, writer.constant(axis, "int64")], x, {
    reverse: Number(reverse),
  });
  return writer.cast(sums, output!.dtype);
}

/** Half operands stay so where the result is of their type: engines sum in float32. */
function factors({ writer, inputs, outputs: [output] }: OnnxCall): OnnxValue[] {
  const [a, b] = inputs as [OnnxValue, OnnxValue];
  const { dtype } = output!;
  if (a.dtype === dtype && b.dtype === dtype && dtype !== "bool") return [a, b];
  const common = promoteTypes([a, b, output!] as { dtype: "float32" }[]).dtype;
  const wide = isFloating(common) ? "float32" : "int32";
  return inputs.map((x) => writer.cast(x, wide));
}

/** Brings both operands to [batch, m, k] and [batch, k, n]: a matrix product a batch. */
function dotGeneral(call: OnnxCall): OnnxValue {
  const { writer, outputs: [output] } = call;
  const { contracting: [ca, cb], batch: [ba, bb] } = call.params as DotParams;
  const [a, b] = factors(call) as [OnnxValue, OnnxValue];
  const fa = freeAxes(a.shape.length, ca, ba);
  const fb = freeAxes(b.shape.length, cb, bb);
  const extent = (shape: Shape, axes: readonly number[]) =>
    sizeOf(axes.map((axis) => shape[axis]!));
  const batch = ba.map((axis) => a.shape[axis]!);
  const [m, n, k] = [extent(a.shape, fa), extent(b.shape, fb), extent(a.shape, ca)];
  const left = writer.reshape(writer.transpose(a, [...ba, ...fa, ...ca]), [...batch, m, k]);
  const right = writer.reshape(writer.transpose(b, [...bb, ...cb, ...fb]), [...batch, k, n]);
  const product = writer.node("MatMul", [left, right], {
    shape: [...batch, m, n],
    dtype: left.dtype,
  });
  return writer.cast(writer.reshape(product, output!.shape), output!.dtype);
}

/** Features stand before the spatial axes there; only floats are convolved, bfloat16 not among them. */
function convolution(call: OnnxCall): OnnxValue | undefined {
  const { writer, outputs: [output] } = call;
  const params = call.params as ConvolutionParams;
  const isStretched = params.lhsDilation.some((step) => step !== 1);
  if (isStretched || !isFloating(output!.dtype)) return undefined;
  const rank = params.padding.length;
  const [x, kernel] = factors(call).map((v) =>
    v.dtype === "bfloat16" ? writer.cast(v, "float32") : v
  ) as [OnnxValue, OnnxValue];
  const spatial = range(rank);
  const { shape } = output!;
  const first = writer.transpose(x, [0, rank + 1, ...spatial.map((axis) => axis + 1)]);
  const filters = writer.transpose(kernel, [rank + 1, rank, ...spatial]);
  const out = writer.node("Conv", [first, filters], {
    shape: [shape[0]!, shape[rank + 1]!, ...shape.slice(1, -1)],
    dtype: first.dtype,
  }, {
    strides: params.windowStrides,
    pads: [...params.padding.map(([low]) => low), ...params.padding.map(([, high]) => high)],
    dilations: params.rhsDilation,
    group: params.featureGroupCount,
    kernel_shape: kernel.shape.slice(0, rank),
  });
  const moved = writer.transpose(out, [0, ...spatial.map((axis) => axis + 2), 1]);
  return writer.cast(moved, output!.dtype);
}

/** Rules by the operation's name; what is not here is taken apart first. */
export const structuralRules: OnnxRules = {
  constant: ({ writer, params, outputs: [output] }) => writer.constant(params.value, output!.dtype),
  iota,
  slice,
  pad,
  broadcastTo: ({ writer, inputs: [x], outputs: [output] }) => writer.expand(x!, output!.shape),
  reshape: ({ writer, inputs: [x], outputs: [output] }) => writer.reshape(x!, output!.shape),
  transpose: ({ writer, inputs: [x], params: { axes } }) => writer.transpose(x!, axes),
  optimizationBarrier: ({ inputs }) => inputs,
  concatenate: ({ writer, inputs, params: { axis }, outputs: [output] }) =>
    writer.node("Concat", inputs, output!, { axis }),
  reduce_sum: reduction("sum"),
  reduce_prod: reduction("prod"),
  reduce_max: reduction("max"),
  reduce_min: reduction("min"),
  reduce_any: reduction("any"),
  reduce_all: reduction("all"),
  cumsum,
  dotGeneral,
  convGeneralDilated: convolution,
};
