// What every library in the comparison offers: the jobs of the table, made ready to run.

import type { HostArray } from "../host_data.ts";
import type { Precision } from "../precision.ts";
import type { Contender } from "../run/timing.ts";

/** The jobs that libraries are compared by. */
export type JobName =
  | "matmul"
  | "gelu(a * x + b)"
  | "softmax"
  | "layer norm"
  | "MLP forward"
  | "chain of calls"
  | "read a scalar";

/** A library in the comparison. */
export interface Peer {
  readonly name: string;
  /** Opens the library's device. */
  open(): Promise<void>;
  /** A job ready to run, or a reason why the library cannot do it. */
  prepare(job: JobName, precision: Precision, inputs: readonly HostArray[]): Contender | string;
}

/** The factors of gelu(a * x + b) and of the tiny function x * a + b. */
export const AFFINE = { a: 1.5, b: 0.5, small: 0.5 } as const;
