// How each reduction accumulates: in which type, from which identity, and with which join. Floats are
// summed in float32 and compared as ordered integers.

import type { Join, JoinedType } from "./team.ts";

/** A reduction. */
export type Combiner = "sum" | "prod" | "max" | "min" | "any" | "all";

/** The types in which kernels compute. */
export type ComputeType = "vec4f" | "vec4i" | "vec4u" | "vec4<bool>";

/** How four elements at a time are accumulated. */
export interface Accumulation {
  readonly type: JoinedType & `vec4${string}`;
  readonly join: Join;
  /** WGSL of the accumulator that changes nothing. */
  readonly identity: string;
  /** WGSL that turns a value of the compute type into an accumulator. */
  readonly take: (value: string) => string;
  /** WGSL that turns an accumulator into a value of the compute type. */
  readonly give: (total: string) => string;
  /** Module-scope WGSL that these call. */
  readonly functions: string;
}

/**
 * Floats as integers of the same order: negative ones have the bits below the sign inverted. Compilers may
 * assume that there is no NaN and order zeros as they like; integers they must take as they are. NaN wins
 * in both directions, as in JAX, and -0 is below +0.
 */
export const orderedFunctions = `
fn ordered_bits(v: vec4f) -> vec4i {
  let bits = bitcast<vec4i>(v);
  return bits ^ ((bits >> vec4u(31u)) & vec4i(0x7fffffff));
}
fn nan_bits(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}
fn ordered_for_max(v: vec4f) -> vec4i {
  return select(ordered_bits(v), vec4i(0x7fffffff), nan_bits(v));
}
fn ordered_for_min(v: vec4f) -> vec4i {
  return select(ordered_bits(v), vec4i(-0x7fffffff - 1), nan_bits(v));
}
fn from_ordered(key: vec4i) -> vec4f {
  return bitcast<vec4f>(key ^ ((key >> vec4u(31u)) & vec4i(0x7fffffff)));
}
`;

const plain = (value: string) => value;

function arithmetic(join: Join, type: Accumulation["type"], identity: string): Accumulation {
  return { type, join, identity: `${type}(${identity})`, take: plain, give: plain, functions: "" };
}

/** Sums and products, and integers' extremes. */
function numeric(combiner: Combiner, type: "vec4f" | "vec4i" | "vec4u"): Accumulation | undefined {
  switch (combiner) {
    case "sum":
      return arithmetic("sum", type, "0");
    case "prod":
      return arithmetic("prod", type, "1");
    case "max":
      if (type === "vec4f") return ordered("max");
      return arithmetic("max", type, type === "vec4i" ? "-0x7fffffff - 1" : "0");
    case "min":
      if (type === "vec4f") return ordered("min");
      return arithmetic("min", type, type === "vec4i" ? "0x7fffffff" : "0xffffffffu");
    default:
      return undefined;
  }
}

function ordered(join: "max" | "min"): Accumulation {
  // The ordered integers of infinity (0x7f800000) and of its opposite.
  const identity = join === "max" ? "vec4i(-0x7f800001)" : "vec4i(0x7f800000)";
  return {
    type: "vec4i",
    join,
    identity,
    take: (value) => `ordered_for_${join}(${value})`,
    give: (total) => `from_ordered(${total})`,
    functions: orderedFunctions,
  };
}

function logical(join: "or" | "and"): Accumulation {
  return {
    type: "vec4u",
    join,
    identity: `vec4u(${join === "or" ? 0 : 1}u)`,
    take: (value) => `select(vec4u(0u), vec4u(1u), ${value})`,
    give: (total) => `(${total} != vec4u(0u))`,
    functions: "",
  };
}

/**
 * How a reduction of values of a type accumulates. Of booleans, max is any and min is all.
 *
 * @throws TypeError if the combiner does not go with the type.
 */
export function accumulation(combiner: Combiner, type: ComputeType): Accumulation {
  if (type === "vec4<bool>") {
    if (combiner === "any" || combiner === "max") return logical("or");
    if (combiner === "all" || combiner === "min") return logical("and");
  } else {
    const found = numeric(combiner, type);
    if (found) return found;
  }
  throw new TypeError(
    `Cannot reduce by ${combiner}: any, all, max and min are required for vec4<bool>, ` +
      `sum, prod, max and min for numbers; got ${type}`,
  );
}
