// Any program of the table made ready to be measured.

import type { HostArray } from "../host_data.ts";
import { type Precision, PRECISIONS } from "../precision.ts";
import type { Program } from "../programs.ts";
import { PreparedTraining } from "../training/prepared.ts";
import { type Prepared, PreparedFunction } from "./prepared.ts";

/** Puts a program's arguments on the device; nothing is compiled before the first call. */
export function prepare(
  program: Program,
  precision: Precision,
  host: readonly HostArray[],
): Prepared {
  return program.kind === "training"
    ? new PreparedTraining(program, precision, host)
    : new PreparedFunction(program, precision, host);
}

/** The same of separate operations in every precision; nothing where a program has no such form. */
export function prepareUnfused(program: Program, host: readonly HostArray[]): Prepared[] {
  if (program.kind === "training" || !program.unfused) return [];
  const separate = { ...program, name: `${program.name}, unfused`, run: program.unfused };
  return PRECISIONS.map((precision) => new PreparedFunction(separate, precision, host));
}
