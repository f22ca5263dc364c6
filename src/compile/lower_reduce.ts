// Reductions as kernels: the reduced axes become the middle of [outer, length, inner], and a long axis with
// few results is reduced in two steps.

import type { DType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import type { Variable } from "../ir/graph.ts";
import type { ReduceParams } from "../ops/reduction.ts";
import { argReduceKernel } from "../../kernels/reduce/arg_reduce.ts";
import {
  chooseSplit,
  type ReduceExtents,
  reduceIsAligned,
  reduceKernel,
  reduceTogether,
  type RowReduction,
} from "../../kernels/reduce/reduce.ts";
import { computeType, storageFormat } from "../../kernels/storage.ts";
import type { Target } from "../../kernels/target.ts";
import { buildExpression, type Expression } from "./expression.ts";
import { epilogueOf, outputFormats, prologueOf } from "./lower_expression.ts";
import type { Step } from "./plan.ts";
import type { Schedule, Task } from "./task.ts";

/** An operand arranged for a kernel that reduces the middle axis. */
interface Arranged {
  readonly extents: ReduceExtents;
  /** The permutation that brings kept axes before reduced ones, where they are interleaved. */
  readonly axes?: readonly number[];
}

/** Finds [outer, length, inner] in a shape, without moving anything if the reduced axes are neighbours. */
function arrange(shape: Shape, reduced: readonly number[]): Arranged {
  const product = (axes: readonly number[]) => axes.reduce((n, axis) => n * shape[axis]!, 1);
  const all = shape.map((_, axis) => axis);
  const matters = all.filter((axis) => shape[axis] !== 1);
  const inner = matters.filter((axis) => reduced.includes(axis));
  const first = inner[0] ?? shape.length;
  const last = inner[inner.length - 1] ?? -1;
  const kept = matters.filter((axis) => !reduced.includes(axis));
  if (kept.every((axis) => axis < first || axis > last)) {
    const outer = product(kept.filter((axis) => axis < first));
    return {
      extents: {
        outer,
        length: product(inner),
        inner: product(kept.filter((axis) => axis > last)),
      },
    };
  }
  const keptAxes = all.filter((axis) => !reduced.includes(axis));
  return {
    axes: [...keptAxes, ...reduced],
    extents: { outer: product(keptAxes), length: product(reduced), inner: 1 },
  };
}

function readArranged(
  roots: readonly Variable[],
  { axes, extents }: Arranged,
  plan: Schedule,
  target: Target,
): Expression {
  const { shape } = roots[0]!.aval;
  return prologueOf(roots, plan, {
    shape: axes ? axes.map((axis) => shape[axis]!) : shape,
    movement: axes && { kind: "transpose", axes },
    aligned: reduceIsAligned(extents),
    target,
  });
}

/** The kernels of one reduction, or of several of the same rows that read the same. */
export function lowerReductions(tasks: readonly Task[], plan: Schedule, target: Target): Step[] {
  const inputs = tasks.map((task) => task.anchor!.inputs[0]!);
  const { axes } = tasks[0]!.anchor!.params as ReduceParams;
  const arranged = arrange(inputs[0]!.aval.shape, axes);
  const { extents } = arranged;
  if (extents.inner !== 1 && tasks.length > 1) {
    return tasks.flatMap((task) => lowerReductions([task], plan, target));
  }
  const input = readArranged(inputs, arranged, plan, target);
  const split = chooseSplit(extents, target);
  if (split === 1) {
    const epilogues = tasks.map((task, i) => epilogueOf(task, plan, target, `q${i}_`));
    const results = tasks.map((task, i): RowReduction => ({
      ...combinerOf(task),
      outputs: outputFormats(task, target),
      epilogue: epilogues[i]!.fragment,
    }));
    const kernel = reduceTogether({ ...extents, split, input: input.fragment }, results, target);
    const operands = epilogues.flatMap((epilogue) => epilogue.operands);
    return [{ kernel, arrays: [...input.operands, ...operands, ...tasks.flatMap((t) => t.roots)] }];
  }
  const partials = inputs.map((x) => partialResults(x, extents, split));
  const firsts = tasks.map((task, i): RowReduction => ({
    ...combinerOf(task),
    outputs: [storageFormat(partials[i]!.aval.dtype, target)],
  }));
  const kernel = reduceTogether({ ...extents, split, input: input.fragment }, firsts, target);
  return [
    { kernel, arrays: [...input.operands, ...partials] },
    ...tasks.map((task, i) => joinPartials(task, partials[i]!, plan, target)),
  ];
}

/** How a task's own reduction accumulates. */
function combinerOf({ anchor }: Task): Pick<RowReduction, "combiner" | "type"> {
  const { operation: { lower }, inputs: [x] } = anchor!;
  if (lower.kind !== "reduce") throw new Error(`${lower.kind} is not a reduction`);
  return { combiner: lower.combiner, type: computeType(x!.aval.dtype) };
}

/** The second of two steps: what the pieces of each row gave becomes one result. */
function joinPartials(task: Task, partial: Variable, plan: Schedule, target: Target): Step {
  const [outer, length, inner] = partial.aval.shape as [number, number, number];
  const rest = { outer, length, inner };
  const epilogue = epilogueOf(task, plan, target);
  const read = buildExpression({
    roots: [partial],
    shape: partial.aval.shape,
    aligned: reduceIsAligned(rest),
    inlined: () => undefined,
    target,
    prefix: "p",
  });
  const kernel = reduceKernel({
    ...combinerOf(task),
    ...rest,
    input: read.fragment,
    outputs: outputFormats(task, target),
    epilogue: epilogue.fragment,
  }, target);
  return { kernel, arrays: [partial, ...epilogue.operands, ...task.roots] };
}

/** The array between the two steps: float32 for floats, so that nothing is rounded before the end. */
function partialResults(x: Variable, { outer, inner }: ReduceExtents, split: number): Variable {
  const { dtype } = x.aval;
  const wide: DType = dtype === "float16" || dtype === "bfloat16" ? "float32" : dtype;
  return { aval: { shape: [outer, split, inner], dtype: wide } };
}

/** The kernel of argmax or argmin. */
export function lowerArgReduce(task: Task, plan: Schedule, target: Target): Step[] {
  const { operation: { lower }, params, inputs: [x] } = task.anchor!;
  if (lower.kind !== "argReduce") throw new Error(`${lower.kind} is not an argmax or argmin`);
  const arranged = arrange(x!.aval.shape, [(params as { axis: number }).axis]);
  const input = readArranged([x!], arranged, plan, target);
  const kernel = argReduceKernel({
    combiner: lower.combiner,
    type: computeType(x!.aval.dtype),
    ...arranged.extents,
    input: input.fragment,
    outputs: outputFormats(task, target),
  }, target);
  return [{ kernel, arrays: [...input.operands, ...task.roots] }];
}
