// Operations with kernels of their own that nothing is fused into: gathers, scatters, scans, sorts and attention. They
// read and write stored arrays.

import type { DType } from "../core/dtype.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import type { Node } from "../ir/graph.ts";
import { rangeDescription, type RangeParams } from "../ops/range_statistics.ts";
import { aroundAxis, type AxisParams, type ScatterParams } from "../ops/indexing.ts";
import { scanCombiners, type ScanParams } from "../ops/scan.ts";
import type { SortParams, TopKParams } from "../ops/sort.ts";
import { scatterSteps } from "../../kernels/indexing/scatter.ts";
import {
  type IndexType,
  takeAlongAxisKernel,
  type TakeDescription,
  takeKernel,
} from "../../kernels/indexing/take.ts";
import { scanSteps } from "../../kernels/scan/scan.ts";
import {
  type ArrayReference,
  inputArray,
  type KernelSequence,
  outputArray,
  SequenceBuilder,
} from "../../kernels/sequence.ts";
import { rangeStatisticsKernel } from "../../kernels/statistics/range_statistics.ts";
import { sortSteps, topKSteps } from "../../kernels/sort/sort.ts";
import { storageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { attentionSequence } from "./lower_attention.ts";
import type { Cell, Step, Temporary } from "./plan.ts";
import type { Task } from "./task.ts";

/** The kernels of a task whose operation has its own. */
export function lowerKernel(task: Task, target: Target): Step[] {
  const node = task.anchor!;
  const sequence = sequenceOf(node, target);
  const temporaries: Temporary[] = sequence.temporaries.map(({ bytes }) => ({ bytes }));
  const cells: Readonly<Record<ArrayReference["kind"], readonly Cell[]>> = {
    input: node.inputs,
    output: node.outputs,
    temporary: temporaries,
  };
  return sequence.steps.map(({ kernel, arrays }) => ({
    kernel,
    arrays: arrays.map(({ kind, index }) => cells[kind][index]!),
  }));
}

function sequenceOf(node: Node, target: Target): KernelSequence {
  const { lower, name } = node.operation;
  if (lower.kind === "attention") return attentionSequence(node, target);
  if (lower.kind !== "kernel") throw new Error(`${name} has no kernel of its own`);
  switch (lower.kernel) {
    case "take":
    case "takeAlongAxis":
      return gather(node, lower.kernel, target);
    case "scatter":
      return scatter(node, target);
    case "scan":
      return scan(node, target);
    case "sort":
    case "topK":
      return sort(node, lower.kernel, target);
    case "rangeStatistics":
      return rangeStatistics(node, target);
  }
}

function indexType(dtype: DType): IndexType {
  if (dtype === "int32" || dtype === "uint32") return dtype;
  throw new Error(`indices of type ${dtype} were not refused`);
}

function gather(node: Node, kind: "take" | "takeAlongAxis", target: Target): KernelSequence {
  const [x, indices] = node.inputs.map((v) => v.aval) as [Aval, Aval];
  const { axis } = node.params as AxisParams;
  const description: TakeDescription = {
    format: storageFormat(x.dtype, target),
    indexType: indexType(indices.dtype),
    ...aroundAxis(x.shape, axis),
    count: kind === "take" ? sizeOf(indices.shape) : indices.shape[axis]!,
  };
  const make = kind === "take" ? takeKernel : takeAlongAxisKernel;
  const builder = new SequenceBuilder();
  builder.step(make(description, target), inputArray(0), inputArray(1), outputArray(0));
  return builder.finish();
}

function scatter(node: Node, target: Target): KernelSequence {
  const [operand, indices] = node.inputs.map((v) => v.aval);
  const [n, inner] = operand!.shape as [number, number];
  return scatterSteps({
    format: storageFormat(operand!.dtype, target),
    indexType: indexType(indices!.dtype),
    mode: (node.params as ScatterParams).mode,
    n,
    count: sizeOf(indices!.shape),
    inner,
  }, target);
}

const scanKernels = { sum: "add", prod: "mul", max: "max", min: "min" } as const;

function scan(node: Node, target: Target): KernelSequence {
  const [x] = node.inputs.map((v) => v.aval);
  const { axis, reverse } = node.params as ScanParams;
  const { outer, n, inner } = aroundAxis(x!.shape, axis);
  return scanSteps({
    format: storageFormat(x!.dtype, target),
    operation: scanKernels[scanCombiners.get(node.operation.name)!],
    reverse,
    outer,
    length: n,
    inner,
  }, target);
}

function rowsOf(shape: Shape): { rows: number; length: number } {
  return { rows: sizeOf(shape.slice(0, -1)), length: shape[shape.length - 1]! };
}

function sort(node: Node, kind: "sort" | "topK", target: Target): KernelSequence {
  const [x] = node.inputs.map((v) => v.aval);
  const description = { format: storageFormat(x!.dtype, target), ...rowsOf(x!.shape) };
  if (kind === "topK") {
    const { k } = node.params as TopKParams;
    return topKSteps({ ...description, k, outputs: "both" }, target);
  }
  const { descending, outputs } = node.params as SortParams;
  return sortSteps({ ...description, descending, outputs }, target);
}

function rangeStatistics({ inputs, params }: Node, target: Target): KernelSequence {
  const [x, reference] = inputs.map((v) => v.aval) as [Aval, Aval?];
  const kernel = rangeStatisticsKernel({
    ...rangeDescription(x.shape, params as RangeParams),
    format: storageFormat(x.dtype, target),
    reference: reference && storageFormat(reference.dtype, target),
  }, target);
  const builder = new SequenceBuilder();
  builder.step(kernel, ...inputs.map((_, i) => inputArray(i)), outputArray(0));
  return builder.finish();
}
