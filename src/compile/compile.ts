// The compiler: a graph becomes a plan of kernels for a target.

import { byteSize } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import type { Graph, Variable } from "../ir/graph.ts";
import type { Target } from "../../kernels/target.ts";
import { expand } from "./expand.ts";
import { hasKernel, lowerTask } from "./lower.ts";
import { joinReductions } from "./joint_reductions.ts";
import { mergeExpressions } from "./merge.ts";
import { type Cell, type Plan, planMemory, type Step } from "./plan.ts";
import { recast } from "./recast.ts";
import { schedule } from "./schedule.ts";
import { arrayOf, type Schedule, type Task } from "./task.ts";
import { placeSideBySide } from "./side_by_side.ts";
import { simplify } from "./simplify.ts";
import { variableToStore } from "./split.ts";

/** A compiled graph: the plan and the simplified graph that it came from. */
export interface Compiled {
  readonly plan: Plan;
  readonly graph: Graph;
}

/** Bytes that an array takes on the device: whole vectors of four elements, so that kernels may read past its end. */
export function paddedBytes({ dtype, shape }: Aval): number {
  return Math.max(16, Math.ceil(byteSize(dtype, sizeOf(shape)) / 16) * 16);
}

/** Compiles a graph; `donated` says which inputs' memory may be reused. */
export function compile(graph: Graph, donated: readonly boolean[], target: Target): Compiled {
  const ready = recast(simplify(expand(simplify(graph), (node) => hasKernel(node, target))));
  const { planned, steps } = lowerWithinLimits(ready, donated, target);
  const resolve = (cell: Cell): Cell => "aval" in cell ? arrayOf(cell, planned) : cell;
  const bytesOf = (cell: Cell) => "aval" in cell ? paddedBytes(cell.aval) : cell.bytes;
  const results = new Set(ready.outputs.map(resolve));
  const isResult = (cell: Cell) => results.has(cell);
  const plan = planMemory({
    steps: placeSideBySide({ steps, isResult, bytesOf, resolve, target }),
    inputs: ready.inputs,
    donated,
    outputs: ready.outputs,
    bytesOf,
    resolve,
  });
  return { plan, graph: ready };
}

/** Plans and lowers, storing values in the middle of expressions that read more arrays than a kernel can bind. */
function lowerWithinLimits(
  graph: Graph,
  donated: readonly boolean[],
  target: Target,
): { planned: Schedule; steps: Step[] } {
  const stored = new Set<Variable>();
  for (;;) {
    const planned = schedule(graph, stored);
    const lowered = planned.tasks.map((task) => ({
      task,
      steps: lowerTask(task, planned, target),
    }));
    const tooWide = lowered.filter(({ steps }) =>
      steps.some(({ kernel }) => kernel.bindings.length > target.maxStorageBuffers)
    );
    if (tooWide.length === 0) {
      const known = new Map(lowered.map(({ task, steps }) => [task, steps]));
      return { planned, steps: mergeWithinLimits(graph, donated, planned, target, known) };
    }
    tooWide.forEach(({ task }) => stored.add(variableToStore(task, planned, target)));
  }
}

/** Merges and lowers; `known` holds the steps of tasks that stay as they are. */
function mergeWithinLimits(
  graph: Graph,
  donated: readonly boolean[],
  planned: Schedule,
  target: Target,
  known: ReadonlyMap<Task, readonly Step[]>,
): Step[] {
  const { outputs } = graph;
  const request = { planned, outputs, donated: graph.inputs.filter((_, i) => donated[i]) };
  // An array that is read in two ways is bound twice, which shows only here.
  for (let most = target.maxStorageBuffers;; most--) {
    const merged = mergeExpressions({ ...request, mostArrays: most });
    const steps = joinReductions(merged, planned, most).flatMap((task) =>
      known.get(task) ?? lowerTask(task, planned, target)
    );
    if (steps.every(({ kernel }) => kernel.bindings.length <= target.maxStorageBuffers)) {
      return steps;
    }
  }
}
