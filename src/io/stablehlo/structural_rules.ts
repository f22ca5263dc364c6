// Operations in StableHLO that move, join and multiply the elements of whole arrays.

import { isFloating, isHalf, promoteTypes } from "../../core/dtype.ts";
import type { Combiner } from "../../ir/operation.ts";
import type { ConvolutionParams } from "../../ops/convolution.ts";
import type { DotParams } from "../../ops/contraction.ts";
import { identityOf } from "../export/structures.ts";
import { integers, type TensorType, type TensorValue } from "./module_writer.ts";
import type { Call, StableHloRule, StableHloRules } from "./rule.ts";

/** A whole number as an attribute. */
const integer = (value: number) => `${value} : i64`;

const range = (count: number, start = 0) => Array.from({ length: count }, (_, i) => start + i);

/** A window; an axis that is walked backwards is turned around behind a slice of positive steps. */
function slice({ writer, inputs: [x], params, outputs: [output] }: Call): TensorValue {
  const { starts, steps } = params as { starts: number[]; steps: number[] };
  const { shape, dtype } = output!;
  const first = starts.map((start, axis) => {
    const last = start + steps[axis]! * Math.max(shape[axis]! - 1, 0);
    return Math.max(0, Math.min(start, last));
  });
  const strides = steps.map((step) => Math.max(1, Math.abs(step)));
  const limits = first.map((start, axis) =>
    shape[axis] === 0 ? start : start + strides[axis]! * (shape[axis]! - 1) + 1
  );
  const window = writer.operation("slice", [x!], { shape, dtype }, {
    attributes: {
      start_indices: integers(first),
      limit_indices: integers(limits),
      strides: integers(strides),
    },
  });
  const backwards = range(steps.length).filter((axis) => steps[axis]! < 0);
  if (backwards.length === 0) return window;
  return writer.operation("reverse", [window], window, {
    attributes: { dimensions: integers(backwards) },
  });
}

function iota({ writer, params: { axis }, outputs: [output] }: Call): TensorValue {
  const { shape, dtype } = output!;
  if (shape.length === 0) return writer.constant(0, dtype);
  return writer.operation("iota", [], { shape, dtype }, {
    attributes: { iota_dimension: integer(axis) },
  });
}

function pad({ writer, inputs, params: { low, high }, outputs: [output] }: Call): TensorValue {
  return writer.operation("pad", inputs, output!, {
    attributes: {
      edge_padding_low: integers(low),
      edge_padding_high: integers(high),
      interior_padding: integers(low.map(() => 0)),
    },
  });
}

const joints: Readonly<Record<Combiner, string>> = {
  sum: "add",
  prod: "multiply",
  max: "maximum",
  min: "minimum",
  any: "or",
  all: "and",
};

/** Sums and products of half types are joined in float32 and rounded once. */
function reduction(combiner: Combiner): StableHloRule {
  return ({ writer, inputs: [given], params: { axes }, outputs: [output] }) => {
    const rounds = combiner === "sum" || combiner === "prod";
    const x = rounds && isHalf(given!.dtype) ? writer.convert(given!, "float32") : given!;
    const identity = writer.constant(identityOf(combiner, x.dtype), x.dtype);
    const scalar = { shape: [], dtype: x.dtype };
    const result = writer.operation("reduce", [x, identity], { ...scalar, shape: output!.shape }, {
      attributes: { dimensions: integers(axes) },
      body: (pair) => writer.operation(joints[combiner], pair, scalar),
      bodyTypes: [scalar, scalar],
    });
    return writer.convert(result, output!.dtype);
  };
}

/** Operands in one dtype that products are formed from; two numbers of one half type make a float32 product. */
function factors({ writer, inputs }: Call): TensorValue[] {
  const [a, b] = inputs as [TensorValue, TensorValue];
  if (a.dtype === b.dtype) {
    return a.dtype === "bool" ? inputs.map((x) => writer.convert(x, "int32")) : [a, b];
  }
  const { dtype } = promoteTypes([a, b]);
  const common = isHalf(dtype) ? "float32" : dtype;
  return inputs.map((x) => writer.convert(x, common));
}

/** Float32 operands are multiplied as such everywhere: a TPU would take bfloat16 by default. */
function precisionOf(dtype: TensorType["dtype"]): string {
  const precision = `#stablehlo<precision ${dtype === "float32" ? "HIGHEST" : "DEFAULT"}>`;
  return `[${precision}, ${precision}]`;
}

/** The dtype that products are summed in. */
const sumType = (dtype: TensorType["dtype"]) => isFloating(dtype) ? "float32" : dtype;

function dotGeneral(call: Call): TensorValue {
  const { writer, outputs: [output] } = call;
  const { contracting: [ca, cb], batch: [ba, bb] } = call.params as DotParams;
  const operands = factors(call);
  const numbers = [
    `lhs_batching_dimensions = [${ba}]`,
    `rhs_batching_dimensions = [${bb}]`,
    `lhs_contracting_dimensions = [${ca}]`,
    `rhs_contracting_dimensions = [${cb}]`,
  ];
  const { dtype } = operands[0]!;
  const sum = writer.operation(
    "dot_general",
    operands,
    { shape: output!.shape, dtype: sumType(dtype) },
    {
      attributes: {
        dot_dimension_numbers: `#stablehlo.dot<${numbers.join(", ")}>`,
        precision_config: precisionOf(dtype),
      },
    },
  );
  return writer.convert(sum, output!.dtype);
}

/** Axes as StableHLO lists them: `[b, 0, 1, f]`. */
const spatial = (first: string, rank: number, ...rest: string[]) =>
  `[${[first, ...range(rank).map(String), ...rest].filter((axis) => axis).join(", ")}]`;

function convolution(call: Call): TensorValue {
  const { writer, outputs: [output] } = call;
  const params = call.params as ConvolutionParams;
  const rank = params.padding.length;
  const operands = factors(call);
  const { dtype } = operands[0]!;
  const data = spatial("b", rank, "f");
  const sum = writer.operation(
    "convolution",
    operands,
    { shape: output!.shape, dtype: sumType(dtype) },
    {
      attributes: {
        dimension_numbers: `#stablehlo.conv<${data}x${spatial("", rank, "i", "o")}->${data}>`,
        window_strides: integers(params.windowStrides),
        padding: `dense<[${params.padding.map((pair) => `[${pair.join(", ")}]`).join(", ")}]> : ` +
          `tensor<${rank}x2xi64>`,
        lhs_dilation: integers(params.lhsDilation),
        rhs_dilation: integers(params.rhsDilation),
        feature_group_count: integer(params.featureGroupCount),
        batch_group_count: integer(1),
        precision_config: precisionOf(dtype),
      },
    },
  );
  return writer.convert(sum, output!.dtype);
}

/** Operations by name; what is not here is taken apart first. */
export const structuralRules: StableHloRules = {
  constant: ({ writer, params, outputs: [output] }) => writer.constant(params.value, output!.dtype),
  iota,
  slice,
  pad,
  broadcastTo: ({ writer, inputs: [x], outputs: [output] }) => writer.broadcast(x!, output!.shape),
  reshape: ({ writer, inputs, outputs: [output] }) => writer.operation("reshape", inputs, output!),
  transpose: ({ writer, inputs, params: { axes }, outputs: [output] }) =>
    writer.operation("transpose", inputs, output!, { attributes: { permutation: integers(axes) } }),
  optimizationBarrier: ({ writer, inputs, outputs: [output] }) =>
    writer.operation("optimization_barrier", inputs, output!),
  concatenate: ({ writer, inputs, params: { axis }, outputs: [output] }) =>
    writer.operation("concatenate", inputs, output!, { attributes: { dimension: integer(axis) } }),
  reduce_sum: reduction("sum"),
  reduce_prod: reduction("prod"),
  reduce_max: reduction("max"),
  reduce_min: reduction("min"),
  reduce_any: reduction("any"),
  reduce_all: reduction("all"),
  dotGeneral,
  convGeneralDilated: convolution,
};
