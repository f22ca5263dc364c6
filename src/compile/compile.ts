// The compiler: a graph becomes a plan of kernels for a target.

import { byteSize } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Aval } from "../ir/aval.ts";
import type { Graph } from "../ir/graph.ts";
import type { Target } from "../../kernels/target.ts";
import { expand } from "./expand.ts";
import { hasKernel, lowerTask } from "./lower.ts";
import { type Cell, type Plan, planMemory } from "./plan.ts";
import { schedule } from "./schedule.ts";
import { simplify } from "./simplify.ts";

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
  const ready = simplify(expand(simplify(graph), (node) => hasKernel(node, target)));
  const planned = schedule(ready);
  const steps = planned.tasks.flatMap((task) => lowerTask(task, planned, target));
  const resolve = (cell: Cell): Cell => {
    let base = cell;
    while ("aval" in base) {
      const next = planned.aliasOf(base);
      if (!next) return base;
      base = next;
    }
    return base;
  };
  const plan = planMemory({
    steps,
    inputs: ready.inputs,
    donated,
    outputs: ready.outputs,
    bytesOf: (cell) => "aval" in cell ? paddedBytes(cell.aval) : cell.bytes,
    resolve,
  });
  return { plan, graph: ready };
}
