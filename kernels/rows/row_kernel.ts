// The kernels around row algorithms. Short rows of whole vectors are held in registers and read once;
// others are read once for every pass and once for the result.

import type { Fragment } from "../fragment.ts";
import { assembleKernel, type Kernel, spreadWorkgroups } from "../kernel.ts";
import { outputBindings, type Results, storeResults } from "../reduce/store.ts";
import {
  Collectives,
  makeTeam,
  maxIterations,
  smallestTeam,
  type Team,
  teamSeat,
  threadsToFill,
} from "../reduce/team.ts";
import { scalarElement, storageFunctions, vectorElement } from "../storage.ts";
import type { Target } from "../target.ts";
import { heldBody, isTakenInTurns } from "./held_rows.ts";
import { type RowAlgorithm, statisticArray } from "./row_algorithm.ts";
import { streamedBody } from "./streamed_rows.ts";

/** Rows of an expression, and how what is computed of them is stored. */
export interface RowsDescription extends Results {
  readonly rows: number;
  readonly length: number;
  /** One result for each input; may be aligned only where {@linkcode rowsAreAligned} says so. */
  readonly input: Fragment;
}

/** Whether rows of this length are read at multiples of 4 only, so that an aligned fragment serves. */
export function rowsAreAligned(length: number): boolean {
  return length % 4 === 0;
}

/**
 * Rows that a team takes together: 1, 2 or 4, so that their elements make whole vectors and no two teams
 * write halves of one word.
 */
export function rowsPerTeam(length: number): 1 | 2 | 4 {
  return length % 4 === 0 ? 1 : length % 2 === 0 ? 2 : 4;
}

/** Vectors a thread of a team is given, and the most it may hold in registers. */
const vectorsPerThread = { given: 4, held: 8 };

/** Rows up to this many vectors are left to one thread each. */
const threadVectors = 4;

/** The team that holds rows of `length` elements: grown until each thread has few vectors. */
function teamThatHolds(length: number, target: Target): Team {
  const vectors = Math.ceil(length / 4);
  if (vectors <= threadVectors) return makeTeam(1, target);
  const most = Math.min(256, target.maxInvocations);
  let threads = smallestTeam(target);
  while (threads < most && vectors > vectorsPerThread.given * threads) threads *= 2;
  return makeTeam(threads, target);
}

/** Vectors of a row that each thread holds, or 0 where the row must be streamed. */
function heldVectors(length: number, team: Team): number {
  const vectors = Math.ceil(length / 4 / team.threads);
  return rowsAreAligned(length) && vectors <= vectorsPerThread.held ? vectors : 0;
}

/** Loop iterations of a thread that streams four rows in two passes and stores them in a third. */
function streamedIterations(length: number, team: Team): number {
  return 12 * Math.ceil(length / 4 / team.threads);
}

/**
 * The team that streams rows of `length` elements. A software driver runs a workgroup on one core: more
 * than a subgroup only adds barriers there, unless its loops would end early.
 */
export function teamThatStreams(length: number, target: Target): Team {
  const team = teamThatHolds(length, target);
  if (target.kind !== "software" || team.threads === 1) return team;
  const most = Math.min(256, target.maxInvocations);
  let least = makeTeam(smallestTeam(target), target);
  while (least.threads < most && streamedIterations(length, least) > maxIterations(target)) {
    least = makeTeam(2 * least.threads, target);
  }
  return least;
}

/**
 * Teams that take row after row: no more than keep the device busy, since each loads its operands once,
 * but enough for each to come to the end of its loop.
 */
function teamsInTurns(rows: number, team: Team, target: Target): number {
  const workgroups = target.kind === "software"
    ? 128
    : Math.ceil(4 * threadsToFill(target) / (team.threads * team.perWorkgroup));
  const least = Math.ceil(rows / maxIterations(target));
  return Math.min(rows, Math.max(least, workgroups * team.perWorkgroup));
}

/**
 * Whether the kernels of this folder take rows of `length` elements on a device: only a software driver,
 * whose loops end early, refuses any, and only rows of millions.
 */
export function supportsRows(length: number, target: Target): boolean {
  return streamedIterations(length, teamThatStreams(length, target)) <= maxIterations(target);
}

/** Refuses what no team could finish, and fragments that the length does not suit. */
export function checkRows(what: string, description: RowsDescription, target: Target): void {
  const { rows, length, input } = description;
  if (input.aligned && !rowsAreAligned(length)) {
    throw new RangeError(
      `Cannot write ${what}: rows of whole vectors are required for an aligned fragment, ` +
        `got [${rows}, ${length}]; pass an unaligned one`,
    );
  }
  if (!supportsRows(length, target)) {
    throw new RangeError(
      `Cannot write ${what}: a length for which supportsRows() holds is required, got ${length}; ` +
        "use the decomposition into reductions",
    );
  }
}

/**
 * The kernel that stores the result of every element, and then the statistics that are stored. The number of rows is a parameter; the text
 * depends on their length only through the choice of team and the vectors it holds.
 */
export function rowKernel(
  algorithm: RowAlgorithm,
  description: RowsDescription,
  target: Target,
): Kernel {
  checkRows(algorithm.name, description, target);
  const { rows, length, input, epilogue, outputs } = description;
  const holding = teamThatHolds(length, target);
  const held = heldVectors(length, holding);
  const team = held > 0 ? holding : teamThatStreams(length, target);
  const together = rowsPerTeam(length);
  const inTurns = held > 0 && isTakenInTurns(algorithm);
  const turn = inTurns ? "turn" : held === 0 && together > 1 ? "(r & 1u)" : null;
  const collectives = new Collectives(team, target, turn);
  const store = (value: string) => storeResults(description, value, "index");
  const body = held > 0
    ? heldBody(algorithm, { input, length, held, team, collectives, store })
    : streamedBody(algorithm, { input, length, together, team, collectives, store });
  const operandElement = rowsAreAligned(length) ? vectorElement : scalarElement;
  const teams = inTurns ? teamsInTurns(rows, team, target) : Math.ceil(rows / together);
  return assembleKernel({
    name: `${algorithm.name}_${held > 0 ? "held" : "streamed"}`,
    bindings: [
      ...input.bindings,
      ...algorithm.operands.map(({ name, format }) => ({
        name,
        access: "read" as const,
        element: operandElement(format),
      })),
      ...(epilogue?.bindings ?? []),
      ...outputBindings(outputs),
      ...(algorithm.storedStatistics ?? []).map((name) => ({
        name: statisticArray(name),
        access: "read_write" as const,
        element: "f32",
      })),
    ],
    parameters: [
      { name: "teams", type: "u32", value: teams },
      { name: "rows", type: "u32", value: rows },
      { name: "length", type: "u32", value: length },
      ...algorithm.parameters,
      ...input.parameters,
      ...(epilogue?.parameters ?? []),
    ],
    functions: storageFunctions + algorithm.functions + collectives.functions() +
      input.functions + (epilogue?.functions ?? ""),
    subgroups: collectives.usesSubgroups,
    workgroupSize: `${team.threads * team.perWorkgroup}`,
    body: `${teamSeat(team)}\n${body}`,
    workgroups: spreadWorkgroups(Math.ceil(teams / team.perWorkgroup)),
  }, target);
}
