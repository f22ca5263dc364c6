// Teams: the threads that share a row, and the functions with which they join what each has found.

import { linearGroup } from "../kernel.ts";
import type { Target } from "../target.ts";

/** The threads that work on one piece (a row, or a few rows). */
export interface Team {
  /** A power of two; 1 where every thread has a piece of its own. */
  readonly threads: number;
  /** Teams in a workgroup: more than one only where a team is a thread. */
  readonly perWorkgroup: number;
}

/** A team of `threads`, or of as many as the device allows. */
export function makeTeam(threads: number, target: Target): Team {
  const most = Math.min(256, target.maxInvocations);
  return threads === 1
    ? { threads: 1, perWorkgroup: 64 }
    : { threads: Math.min(threads, most), perWorkgroup: 1 };
}

/**
 * The fewest threads worth a team: a subgroup, whose members join values without memory or barriers. A
 * software driver runs a workgroup on one core, eight threads in a vector.
 */
export function smallestTeam(target: Target): number {
  return target.subgroupSize || (target.kind === "software" ? 8 : 64);
}

/** Threads that keep a device busy: a software driver has a few cores of eight lanes. */
export function threadsToFill(target: Target): number {
  switch (target.kind) {
    case "software":
      return 128;
    case "integrated":
      return 8192;
    case "discrete":
      return 65536;
  }
}

/**
 * Loop iterations that a thread may run in all. Mesa's software driver leaves every loop, without a word,
 * once an invocation has run 65,535 iterations of all its loops together (seen with version 22.3.6).
 */
export function maxIterations(target: Target): number {
  return target.kind === "software" ? 60000 : Infinity;
}

/** WGSL that names `team` and `member`, and leaves where there is no such team: `params.teams` has them all. */
export function teamSeat(team: Team): string {
  const seat = team.threads > 1
    ? `let team = ${linearGroup};\nlet member = lane;`
    : `let team = ${linearGroup} * ${team.perWorkgroup}u + lane;\nlet member = 0u;`;
  return `${seat}\nif (team >= params.teams) { return; }`;
}

/** How values are joined; each is associative and commutative up to rounding. */
export type Join = "sum" | "prod" | "max" | "min" | "or" | "and";

/** A type of values that a team joins. */
export type JoinedType = "f32" | "i32" | "u32" | "vec4f" | "vec4i" | "vec4u";

const builtins: Readonly<Record<Join, string>> = {
  sum: "subgroupAdd",
  prod: "subgroupMul",
  max: "subgroupMax",
  min: "subgroupMin",
  or: "subgroupOr",
  and: "subgroupAnd",
};

const operators: Readonly<Partial<Record<Join, string>>> = {
  sum: "+",
  prod: "*",
  or: "|",
  and: "&",
};

/** WGSL that joins two values. */
export function joinValues(join: Join, a: string, b: string): string {
  const operator = operators[join];
  return operator ? `(${a} ${operator} ${b})` : `${join}(${a}, ${b})`;
}

/** WGSL that joins the four components of the vector called `name`. */
export function joinComponents(join: Join, name: string): string {
  const [x, y, z, w] = ["x", "y", "z", "w"].map((c) => `${name}.${c}`);
  return joinValues(join, joinValues(join, x, y), joinValues(join, z, w));
}

/**
 * The joining functions of one kernel. Every call that `join` writes has memory of its own, so that it
 * costs one barrier. In a loop around calls, turns alternate between two such memories: a barrier of the
 * turn between keeps what is written apart from what was read.
 */
export class Collectives {
  readonly #team: Team;
  readonly #subgroupSize: number;
  readonly #turn: string | null;
  /** Calls of each function. */
  readonly #calls = new Map<string, { join: Join; type: JoinedType; count: number }>();

  /** @param turn WGSL that is 0u and 1u by turns of the loop around all calls, or null for no loop. */
  constructor(team: Team, target: Target, turn: string | null = null) {
    this.#team = team;
    this.#turn = turn;
    // A team smaller than a subgroup would leave lanes of it to another team.
    this.#subgroupSize = target.subgroupSize <= team.threads ? target.subgroupSize : 0;
  }

  /** Whether the kernel must declare the subgroup's built-in values. */
  get usesSubgroups(): boolean {
    return this.#partials > 1 && this.#subgroupSize > 0;
  }

  /** The number of values that meet in workgroup memory. */
  get #partials(): number {
    return this.#subgroupSize > 0 ? this.#team.threads / this.#subgroupSize : this.#team.threads;
  }

  /** An expression: the value joined over the team, the same in every member. All members must reach it. */
  join(join: Join, type: JoinedType, value: string): string {
    if (this.#team.threads === 1) return value;
    if (this.#partials === 1) return `${builtins[join]}(${value})`;
    const name = `team_${join}_${type}`;
    const entry = this.#calls.get(name) ?? { join, type, count: 0 };
    this.#calls.set(name, { ...entry, count: entry.count + 1 });
    const seat = this.#subgroupSize > 0 ? "subgroup, subgroup_lane" : "member";
    const call = this.#turn ? `${2 * entry.count}u + ${this.#turn}` : `${entry.count}u`;
    return `${name}(${value}, ${call}, ${seat})`;
  }

  /** The functions that the calls need, and their memory. */
  functions(): string {
    return [...this.#calls].map(([name, { join, type, count }]) =>
      `var<workgroup> ${name}_parts: array<${type}, ${
        count * (this.#turn ? 2 : 1) * this.#partials
      }>;\n` +
      (this.#subgroupSize > 0
        ? this.#bySubgroups(name, join, type)
        : this.#byTree(name, join, type))
    ).join("\n");
  }

  /** Subgroups leave their values in memory, and every subgroup joins them all: one barrier. */
  #bySubgroups(name: string, join: Join, type: JoinedType): string {
    const parts = this.#partials;
    const lanes = this.#subgroupSize;
    const part = (i: string) => `${name}_parts[first + ${i}]`;
    // A lane without a part repeats the last one, where that changes nothing.
    const start = join === "sum" || join === "prod"
      ? `select(${type}(${join === "sum" ? 0 : 1}), start, subgroup_lane < ${parts}u)`
      : "start";
    const rest = parts <= lanes ? "" : `
  for (var i = subgroup_lane + ${lanes}u; i < ${parts}u; i += ${lanes}u) {
    all = ${joinValues(join, "all", part("i"))};
  }`;
    return `fn ${name}(value: ${type}, call: u32, subgroup: u32, subgroup_lane: u32) -> ${type} {
  let first = call * ${parts}u;
  let own = ${builtins[join]}(value);
  if (subgroup_lane == 0u) { ${part("subgroup")} = own; }
  workgroupBarrier();
  let start = ${part(`min(subgroup_lane, ${parts - 1}u)`)};
  var all = ${start};${rest}
  return ${builtins[join]}(all);
}`;
  }

  /** Halves the number of values at every step. */
  #byTree(name: string, join: Join, type: JoinedType): string {
    const { threads } = this.#team;
    return `fn ${name}(value: ${type}, call: u32, member: u32) -> ${type} {
  let first = call * ${threads}u;
  let own = first + member;
  ${name}_parts[own] = value;
  for (var half = ${threads / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (member < half) {
      ${name}_parts[own] = ${joinValues(join, `${name}_parts[own]`, `${name}_parts[own + half]`)};
    }
  }
  workgroupBarrier();
  return ${name}_parts[first];
}`;
  }
}
