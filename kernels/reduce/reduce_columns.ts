// Sums, products and extremes of columns.

import type { Kernel } from "../kernel.ts";
import type { Target } from "../target.ts";
import { accumulation } from "./combiner.ts";
import {
  assembleColumns,
  columnGroup,
  columnLoop,
  type ColumnsSpace,
  joinSlices,
} from "./columns_frame.ts";
import type { ReduceDescription } from "./description.ts";
import { blockIterations } from "./rows_frame.ts";
import { joinValues } from "./team.ts";

/** The kernel of a reduction with `inner` above 1. */
export function reduceColumnsKernel(description: ReduceDescription, target: Target): Kernel {
  const { combiner, type, length, split = 1 } = description;
  const how = accumulation(combiner, type);
  const space: ColumnsSpace = { ...description, split };
  const group = columnGroup(space, target);
  const long = combiner === "sum" && Math.ceil(length / split) > 2 * blockIterations * group.slices;
  const into = long ? "partial" : "total";
  const visit = (value: string, inside: string | null) => {
    const taken = how.take(value);
    const kept = inside ? `select(${how.identity}, ${taken}, ${inside})` : taken;
    return `${into} = ${joinValues(how.join, into, kept)};`;
  };
  const blocks = {
    iterations: blockIterations,
    open: `var partial = ${how.identity};`,
    close: `total = ${joinValues(how.join, "total", "partial")};`,
  };
  const join = `total = ${joinValues(how.join, "total", "parts[other]")};`;
  const memory = `var<workgroup> parts: array<${how.type}, ${group.across * group.slices}>;\n`;
  return assembleColumns(
    `reduce_${combiner}_columns`,
    space,
    {
      body: `var total = ${how.identity};
${columnLoop(space, group, visit, long ? blocks : null)}
${joinSlices(group, "parts[lane] = total;", join)}
let reduced = ${how.give("total")};`,
      functions: how.functions + (group.slices > 1 ? memory : ""),
    },
    group,
    target,
  );
}
