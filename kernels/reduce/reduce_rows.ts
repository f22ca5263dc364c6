// Sums, products and extremes of rows; several of them at once where they read the same elements.

import type { Kernel } from "../kernel.ts";
import type { Target } from "../target.ts";
import { type Accumulation, accumulation, type Combiner, type ComputeType } from "./combiner.ts";
import type { ReduceDescription } from "./description.ts";
import {
  assembleRows,
  blockIterations,
  pieceLength,
  rowLoop,
  type RowsSpace,
  teamForRows,
} from "./rows_frame.ts";
import type { Results } from "./store.ts";
import { Collectives, joinComponents, joinValues } from "./team.ts";

/** What is made of each row. */
export interface RowReduction extends Results {
  readonly combiner: Combiner;
  /** The type of the input's result, and of the epilogue's anchor. */
  readonly type: ComputeType;
}

/** The kernel of a reduction with `inner` 1. */
export function reduceRowsKernel(description: ReduceDescription, target: Target): Kernel {
  const { split = 1 } = description;
  return reduceRowsTogether({ ...description, split }, [description], target);
}

/**
 * The kernel of several reductions of the same rows: result `i` of the input goes into reduction `i`. Each
 * sums in the order in which it would alone.
 */
export function reduceRowsTogether(
  space: RowsSpace,
  reductions: readonly RowReduction[],
  target: Target,
): Kernel {
  const piece = pieceLength(space);
  const team = teamForRows(space.outer * space.split, piece, target);
  const collectives = new Collectives(team, target);
  const long = piece > 2 * blockIterations * team.threads * 4;
  const rows = reductions.map((reduction, i) => new RowText(reduction, i, long));
  // Blocks keep rounding errors apart; only sums have any that grow.
  const blocks = rows.some(({ blocked }) => blocked)
    ? {
      open: rows.map(({ open }) => open).join("\n"),
      close: rows.map(({ close }) => close).join("\n"),
    }
    : null;
  const visit = (values: readonly string[], inside: string | null) =>
    rows.map((row, i) => row.visit(values[i]!, inside)).join("\n");
  return assembleRows(
    `reduce_${reductions.map(({ combiner }) => combiner).join("_")}_rows`,
    space,
    reductions,
    {
      start: rows.map(({ how }, i) => `var totals${i} = ${how.identity};`).join("\n"),
      row: `${rows.map(({ how }, i) => `var total${i} = ${how.identity};`).join("\n")}
${rowLoop(space, team, visit, blocks)}
${
        rows.map(({ how }, i) => `totals${i}[r] = ${joinComponents(how.join, `total${i}`)};`).join(
          "\n",
        )
      }`,
      finish: rows.map(({ how }, i) =>
        `let joined${i} = ${collectives.join(how.join, how.type, `totals${i}`)};
let reduced${i} = ${how.give(`joined${i}`)};`
      ).join("\n"),
      functions: rows.map(({ how }) => how.functions).join(""),
    },
    team,
    collectives,
    target,
  );
}

/** The statements of one reduction in the loop over a row. */
class RowText {
  readonly how: Accumulation;
  /** Whether it is summed block by block. */
  readonly blocked: boolean;
  readonly #index: number;

  constructor({ combiner, type }: RowReduction, index: number, long: boolean) {
    this.how = accumulation(combiner, type);
    this.blocked = long && combiner === "sum";
    this.#index = index;
  }

  get open(): string {
    return this.blocked ? `var partial${this.#index} = ${this.how.identity};` : "";
  }

  get close(): string {
    const total = `total${this.#index}`;
    if (!this.blocked) return "";
    return `${total} = ${joinValues(this.how.join, total, `partial${this.#index}`)};`;
  }

  visit(value: string, inside: string | null): string {
    const into = `${this.blocked ? "partial" : "total"}${this.#index}`;
    const taken = this.how.take(value);
    const kept = inside ? `select(${this.how.identity}, ${taken}, ${inside})` : taken;
    return `${into} = ${joinValues(this.how.join, into, kept)};`;
  }
}
