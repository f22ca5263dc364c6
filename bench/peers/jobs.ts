// The jobs of the comparison and the bars that this library holds itself to.

import type { ArgumentDescription } from "../host_data.ts";
import { type Precision, PRECISIONS } from "../precision.ts";
import { findProgram } from "../programs.ts";
import type { JobName } from "./peer.ts";

/** A job, its arguments, and how many times faster than the fastest peer it has to be in float32. */
export interface Job {
  readonly name: JobName;
  readonly label: string;
  readonly precisions: readonly Precision[];
  readonly arguments: readonly ArgumentDescription[];
  readonly bar: number;
  /** Calls a sample at the least: a job of many small calls is timed by the call. */
  readonly calls?: number;
}

function fromTable(name: JobName, size: number, bar: number): Job {
  const program = findProgram(name);
  return {
    name,
    label: program.label(size),
    precisions: PRECISIONS,
    arguments: program.arguments(size),
    bar,
  };
}

/** The jobs at full size, or small ones to see that everything runs. */
export function jobs(smoke: boolean): Job[] {
  const side = (full: number) => smoke ? 64 : full;
  const tiny = [{ shape: [64], bound: 1 }];
  return [
    fromTable("matmul", side(1024), 10),
    fromTable("gelu(a * x + b)", side(2048), 2.5),
    fromTable("softmax", side(1024), 3),
    fromTable("layer norm", side(1024), 3),
    fromTable("MLP forward", side(512), 8),
    {
      name: "chain of calls",
      label: "x * 0.5 + 1 of 64 elements, jitted",
      precisions: ["float32"],
      arguments: tiny,
      bar: 1 / 0.6,
      calls: smoke ? 10 : 1000,
    },
    {
      name: "read a scalar",
      label: "sum of 64 elements, read",
      precisions: ["float32"],
      arguments: tiny,
      bar: 1,
      calls: smoke ? 2 : 20,
    },
  ];
}
