// Who is told of what has run on the backend, outside of traces: nobody, unless a debugging tool asks.

import type { Graph } from "./graph.ts";
import type { Operation, Params } from "./operation.ts";
import type { Value } from "./value.ts";

/** What a debugging tool hears. What it throws reaches the caller of the operation or program. */
export interface RunObserver {
  /** An operation that was run by itself. */
  operation(
    operation: Operation,
    params: Params,
    inputs: readonly Value[],
    outputs: readonly Value[],
  ): void;
  /** A program, given as the graph that it was compiled from, with its captured arrays among the inputs. */
  program(
    name: string,
    graph: Graph,
    inputs: readonly Value[],
    outputs: readonly Value[],
  ): void;
}

let inForce: RunObserver | undefined;

/** The observer in force. */
export function runObserver(): RunObserver | undefined {
  return inForce;
}

/** Puts an observer in force; undefined leaves none. */
export function setRunObserver(observer: RunObserver | undefined): void {
  inForce = observer;
}

/** Runs what a debugging tool itself needs, of which nobody is told. */
export function unobserved<T>(fn: () => T): T {
  const outer = inForce;
  inForce = undefined;
  try {
    return fn();
  } finally {
    inForce = outer;
  }
}
