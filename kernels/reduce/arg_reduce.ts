// argmax and argmin: the place of the first extreme element along an axis, as JAX and NumPy find it.

import type { Kernel } from "../kernel.ts";
import type { Target } from "../target.ts";
import {
  assembleColumns,
  columnGroup,
  columnLoop,
  type ColumnsSpace,
  joinSlices,
} from "./columns_frame.ts";
import { type ComputeType, orderedFunctions } from "./combiner.ts";
import { checkAlignment, type ReduceExtents } from "./description.ts";
import type { Fragment } from "../fragment.ts";
import { assembleRows, rowLoop, type RowsSpace, teamForRows } from "./rows_frame.ts";
import type { Results } from "./store.ts";
import { Collectives, joinComponents } from "./team.ts";

/** The search of an expression over [outer, length, inner] along its middle axis. */
export interface ArgReduceDescription extends ReduceExtents, Results {
  readonly combiner: "max" | "min";
  /** The type of the input's result; the epilogue's anchor is a vec4i of positions along the axis. */
  readonly type: ComputeType;
  /** May be aligned only where `reduceIsAligned` says so. */
  readonly input: Fragment;
}

/**
 * Every type is searched as integers of which the greatest is wanted, so that one comparison serves all.
 * The least integer of all stands for "nothing found yet". -0 and 0 are equal: the first one counts.
 */
const keyFunctions = `${orderedFunctions}
fn key_vec4f(v: vec4f) -> vec4i {
  let bits = bitcast<vec4u>(v);
  return ordered_for_max(bitcast<vec4f>(select(bits, vec4u(0u), bits == vec4u(0x80000000u))));
}
fn key_vec4i(v: vec4i) -> vec4i { return v; }
fn key_vec4u(v: vec4u) -> vec4i { return bitcast<vec4i>(v ^ vec4u(0x80000000u)); }
fn key_bool(v: vec4<bool>) -> vec4i { return select(vec4i(0), vec4i(1), v); }
`;

/** WGSL of the keys of four elements. */
function keyOf({ combiner, type }: ArgReduceDescription, value: string): string {
  const key = `key_${type === "vec4<bool>" ? "bool" : type}`;
  if (combiner === "max") return `${key}(${value})`;
  // Complement reverses the order of integers. A NaN must stay the greatest key.
  return type === "vec4f"
    ? `select(~${key}(${value}), vec4i(0x7fffffff), nan_bits(${value}))`
    : `~${key}(${value})`;
}

const nothing = "vec4i(-0x7fffffff - 1)";
const nowhere = "vec4u(0xffffffffu)";

/** WGSL that keeps what is strictly greater, and so the first of equals. */
function visitor(description: ArgReduceDescription, place: string) {
  return (value: string, inside: string | null): string => {
    const key = keyOf(description, value);
    return `let key = ${inside ? `select(${nothing}, ${key}, ${inside})` : key};
let better = key > best;
best = select(best, key, better);
place = select(place, ${place}, better);`;
  };
}

/** WGSL: where nothing was greater than the least key, all are equal and the first one counts. */
const reduced = `let reduced = bitcast<vec4i>(select(found, vec4u(0u), found == ${nowhere}));`;

function argReduceRows(description: ArgReduceDescription, target: Target): Kernel {
  const space: RowsSpace = { ...description, split: 1 };
  const team = teamForRows(description.outer, description.length, target);
  const collectives = new Collectives(team, target);
  const visitElements = visitor(description, "vec4u(index - begin) + vec4u(0u, 1u, 2u, 3u)");
  const visit = ([value]: readonly string[], inside: string | null) =>
    visitElements(value!, inside);
  const candidates = `select(${nowhere}, places, keys == greatest)`;
  return assembleRows(
    `reduce_arg${description.combiner}_rows`,
    space,
    [description],
    {
      start: `var keys = ${nothing};\nvar places = ${nowhere};`,
      row: `var best = ${nothing};
var place = ${nowhere};
${rowLoop(space, team, visit, null)}
let top = ${joinComponents("max", "best")};
let equal = select(${nowhere}, place, best == vec4i(top));
keys[r] = top;
places[r] = ${joinComponents("min", "equal")};`,
      finish: `let greatest = ${collectives.join("max", "vec4i", "keys")};
let found = ${collectives.join("min", "vec4u", candidates)};
${reduced}
let reduced0 = reduced;`,
      functions: keyFunctions,
    },
    team,
    collectives,
    target,
  );
}

/** WGSL that takes over another slice's find where it is greater, or equal and before one's own. */
const joinFinds = `let key = keys[other];
let candidate = places[other];
let better = (key > best) | ((key == best) & (candidate < place));
best = select(best, key, better);
place = select(place, candidate, better);`;

function argReduceColumns(description: ArgReduceDescription, target: Target): Kernel {
  const space: ColumnsSpace = { ...description, split: 1 };
  const group = columnGroup(space, target);
  const threads = group.across * group.slices;
  const memory = `var<workgroup> keys: array<vec4i, ${threads}>;
var<workgroup> places: array<vec4u, ${threads}>;
`;
  return assembleColumns(
    `reduce_arg${description.combiner}_columns`,
    space,
    {
      body: `var best = ${nothing};
var place = ${nowhere};
${columnLoop(space, group, visitor(description, "vec4u(k)"), null)}
${joinSlices(group, "keys[lane] = best;\nplaces[lane] = place;", joinFinds)}
let found = place;
${reduced}`,
      functions: keyFunctions + (group.slices > 1 ? memory : ""),
    },
    group,
    target,
  );
}

/**
 * The kernel of argmax or argmin: int32 positions in [0, length), the first of equal elements; the first
 * NaN wins over all.
 *
 * @throws RangeError if the input is an aligned fragment and the extents need an unaligned one.
 */
export function argReduceKernel(description: ArgReduceDescription, target: Target): Kernel {
  checkAlignment(`arg${description.combiner}`, description, description.input);
  return description.inner === 1
    ? argReduceRows(description, target)
    : argReduceColumns(description, target);
}
