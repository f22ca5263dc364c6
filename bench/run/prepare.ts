// Any program of the table made ready to be measured.

import type { HostArray } from "../host_data.ts";
import type { Precision } from "../precision.ts";
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
