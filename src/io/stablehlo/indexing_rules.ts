// Gathers, scatters and sorts in StableHLO.

import { isFloating, isHalf } from "../../core/dtype.ts";
import type { Shape } from "../../core/shape.ts";
import type { ScatterMode } from "../../ops/indexing.ts";
import type { SortOutputs } from "../../ops/sort.ts";
import { integers, type ModuleWriter, type TensorValue } from "./module_writer.ts";
import type { Call, StableHloRules } from "./rule.ts";

const range = (count: number, start = 0) => Array.from({ length: count }, (_, i) => start + i);

/** The axes of a shape but one. */
const axesBut = (shape: Shape, axis: number) => range(shape.length).filter((a) => a !== axis);

/** The extents of a window of one element along an axis. */
const rowOf = (shape: Shape, axis: number) => shape.map((extent, a) => a === axis ? 1 : extent);

/** The dimension numbers of a gather, each list by its name. */
function gatherNumbers(lists: Readonly<Record<string, readonly number[]>>, indexAxis: number) {
  const shown = Object.entries(lists).map(([name, axes]) => `${name} = [${axes.join(", ")}]`);
  return `#stablehlo.gather<${shown.join(", ")}, index_vector_dim = ${indexAxis}>`;
}

/** Places out of range clamp, as they do with us. */
function take({ writer, inputs, params: { axis }, outputs: [output] }: Call): TensorValue {
  const [x, indices] = inputs as [TensorValue, TensorValue];
  const { length } = indices.shape;
  return writer.operation("gather", [x, indices], output!, {
    attributes: {
      dimension_numbers: gatherNumbers({
        offset_dims: [...range(axis), ...range(x.shape.length - 1 - axis, axis + length)],
        collapsed_slice_dims: [axis],
        start_index_map: [axis],
      }, length),
      slice_sizes: integers(rowOf(x.shape, axis)),
      indices_are_sorted: "false",
    },
  });
}

/** All axes but one run in parallel. */
function takeAlongAxis({ writer, inputs, params, outputs: [output] }: Call): TensorValue {
  const [x, indices] = inputs as [TensorValue, TensorValue];
  const { axis } = params as { axis: number };
  const parallel = axesBut(x.shape, axis);
  return writer.operation("gather", [x, indices], output!, {
    attributes: {
      dimension_numbers: gatherNumbers({
        collapsed_slice_dims: [axis],
        operand_batching_dims: parallel,
        start_indices_batching_dims: parallel,
        start_index_map: [axis],
      }, x.shape.length),
      slice_sizes: integers(x.shape.map(() => 1)),
      indices_are_sorted: "false",
    },
  });
}

const joints: Readonly<Record<Exclude<ScatterMode, "set">, string>> = {
  add: "add",
  mul: "multiply",
  min: "minimum",
  max: "maximum",
};

/** Rows joined with rows; places out of range are dropped. Half sums and products are rounded once. */
function scatter({ writer, inputs, params, outputs: [output] }: Call): TensorValue {
  const { mode } = params as { mode: ScatterMode };
  const rounds = isHalf(output!.dtype) && (mode === "add" || mode === "mul");
  const wide = (x: TensorValue) => rounds ? writer.convert(x, "float32") : x;
  const [operand, indices, updates] = inputs as [TensorValue, TensorValue, TensorValue];
  const given = [wide(operand), indices, wide(updates)];
  const { shape, dtype } = given[0]!;
  const scalar = { shape: [], dtype };
  const joined = writer.operation("scatter", given, { shape, dtype }, {
    attributes: {
      scatter_dimension_numbers: "#stablehlo.scatter<update_window_dims = [1], " +
        "inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>",
      indices_are_sorted: "false",
      unique_indices: "false",
    },
    body: ([old, update]) =>
      mode === "set" ? update! : writer.operation(joints[mode], [old!, update!], scalar),
    bodyTypes: [scalar, scalar],
  });
  return writer.convert(joined, output!.dtype);
}

/** Whether one element stands before another in ascending order: NaN is behind everything else. */
function isBefore(writer: ModuleWriter, x: TensorValue, y: TensorValue): TensorValue {
  const less = writer.compare("LT", x, y);
  if (!isFloating(x.dtype)) return less;
  const isNumber = writer.compare("EQ", x, x);
  const isNaN = writer.compare("NE", y, y);
  const truth = { shape: [], dtype: "bool" as const };
  return writer.operation("or", [less, writer.operation("and", [isNumber, isNaN], truth)], truth);
}

/** The rows of the last axis and the places that their elements came from, in order. */
function sorted(writer: ModuleWriter, x: TensorValue, descending: boolean): readonly TensorValue[] {
  const { shape, dtype } = x;
  const last = `${shape.length - 1} : i64`;
  const types = [{ shape, dtype }, { shape, dtype: "int32" as const }];
  const places = writer.operation("iota", [], types[1]!, { attributes: { iota_dimension: last } });
  return writer.operations("sort", [x, places], types, {
    attributes: { dimension: last, is_stable: "true" },
    body: ([a, b]) => descending ? isBefore(writer, b!, a!) : isBefore(writer, a!, b!),
  });
}

function sort({ writer, inputs: [x], params }: Call): readonly TensorValue[] {
  const { descending, outputs } = params as { descending: boolean; outputs: SortOutputs };
  const [values, places] = sorted(writer, x!, descending) as [TensorValue, TensorValue];
  if (outputs === "both") return [values, places];
  return [outputs === "values" ? values : places];
}

function topK({ writer, inputs: [x], outputs }: Call): readonly TensorValue[] {
  return sorted(writer, x!, true).map((whole, i) =>
    writer.operation("slice", [whole], outputs[i]!, {
      attributes: {
        start_indices: integers(whole.shape.map(() => 0)),
        limit_indices: integers(outputs[i]!.shape),
        strides: integers(whole.shape.map(() => 1)),
      },
    })
  );
}

/** Rules by the operation's name. */
export const indexingRules: StableHloRules = { take, takeAlongAxis, scatter, sort, topK };
