// Sums, products and extremes of rows.

import type { Kernel } from "../kernel.ts";
import type { Target } from "../target.ts";
import { accumulation } from "./combiner.ts";
import type { ReduceDescription } from "./description.ts";
import {
  assembleRows,
  blockIterations,
  pieceLength,
  rowLoop,
  type RowsSpace,
  teamForRows,
} from "./rows_frame.ts";
import { Collectives, joinComponents, joinValues } from "./team.ts";

/** The kernel of a reduction with `inner` 1. */
export function reduceRowsKernel(description: ReduceDescription, target: Target): Kernel {
  const { combiner, type, outer, split = 1 } = description;
  const how = accumulation(combiner, type);
  const space: RowsSpace = { ...description, split };
  const piece = pieceLength(space);
  const team = teamForRows(outer * split, piece, target);
  const collectives = new Collectives(team, target);
  const long = combiner === "sum" && piece > 2 * blockIterations * team.threads * 4;
  const into = long ? "partial" : "total";
  const visit = (value: string, inside: string | null) => {
    const taken = how.take(value);
    const kept = inside ? `select(${how.identity}, ${taken}, ${inside})` : taken;
    return `${into} = ${joinValues(how.join, into, kept)};`;
  };
  const blocks = {
    open: `var partial = ${how.identity};`,
    close: `total = ${joinValues(how.join, "total", "partial")};`,
  };
  return assembleRows(
    `reduce_${combiner}_rows`,
    space,
    {
      start: `var totals = ${how.identity};`,
      row: `var total = ${how.identity};
${rowLoop(space, team, visit, long ? blocks : null)}
totals[r] = ${joinComponents(how.join, "total")};`,
      finish: `let joined = ${collectives.join(how.join, how.type, "totals")};
let reduced = ${how.give("joined")};`,
      functions: how.functions,
    },
    team,
    collectives,
    target,
  );
}
