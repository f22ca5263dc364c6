// What this library and its peers are asked to do.

import { makeArguments } from "../host_data.ts";
import { type Precision, PRECISIONS } from "../precision.ts";
import { findFunction, SMOKE_SIZE, workOf } from "../programs.ts";
import { sgdTraining } from "../training/program.ts";
import type { FunctionName, Task } from "./engine.ts";

/** The factor and the summand of the tiny function of the chain. */
export const TINY: { readonly factor: number; readonly summand: number } = {
  factor: 0.999,
  summand: 0.001,
};

const CHAIN_LENGTH = 1000;
const CHAINED_ELEMENTS = 64;
const LOSS_ELEMENTS = 4096;

/** A program of the benchmark's table at one size. */
function programTask(
  name: FunctionName,
  size: number,
  kind: "calls" | "awaited" = "calls",
): Task {
  const program = findFunction(name);
  return {
    name: kind === "calls" ? name : `${name}, awaited`,
    functionName: name,
    kind,
    label: program.label(size),
    inputs: makeArguments(program.arguments(size)),
    reference: program.reference,
    precisions: PRECISIONS,
    work: (precision: Precision) => workOf(program, size, precision),
  };
}

function trainingTask(size: number): Task {
  const inputs = makeArguments(sgdTraining.arguments(size));
  // Seconds in float64: once for all libraries, and only where there is a result to be checked.
  let loss: number | undefined;
  return {
    name: "training step",
    kind: "training",
    label: sgdTraining.label(size),
    program: sgdTraining,
    inputs,
    reference: () => loss ??= sgdTraining.reference(inputs),
    precisions: PRECISIONS,
    work: (precision: Precision) => workOf(sgdTraining, size, precision),
  };
}

function chainTask(calls: number): Task {
  return {
    name: "chain",
    functionName: "tiny function",
    kind: "chain",
    label: `x = f(x), ${calls} times, a call`,
    inputs: makeArguments([{ shape: [CHAINED_ELEMENTS], bound: 1 }]),
    reference: ([x], position) => TINY.factor * x.values[position] + TINY.summand,
    precisions: ["float32"],
    calls,
  };
}

function readTask(): Task {
  return {
    name: "scalar read",
    functionName: "loss",
    kind: "read",
    label: `mean(x * x) of ${LOSS_ELEMENTS}, read by the host`,
    inputs: makeArguments([{ shape: [LOSS_ELEMENTS], bound: 1 }]),
    reference: ([x]) => x.values.reduce((sum, value) => sum + value * value, 0) / x.values.length,
    precisions: ["float32"],
  };
}

type TaskMaker = (smoke: boolean) => Task;

const program = (name: FunctionName, size: number): [string, TaskMaker] => [
  name,
  (smoke) => programTask(name, smoke ? SMOKE_SIZE : size),
];

/** Makes of every task, by name: made when their turn comes, since their arguments are large. */
export const TASKS: ReadonlyMap<string, TaskMaker> = new Map([
  program("matmul", 1024),
  program("gelu(a * x + b)", 2048),
  [
    "gelu(a * x + b), awaited",
    (smoke) => programTask("gelu(a * x + b)", smoke ? SMOKE_SIZE : 2048, "awaited"),
  ],
  program("softmax", 1024),
  program("layer norm", 1024),
  program("MLP forward", 512),
  program("attention", 512),
  ["training step", (smoke) => trainingTask(smoke ? SMOKE_SIZE : 512)],
  ["chain", (smoke) => chainTask(smoke ? 10 : CHAIN_LENGTH)],
  ["scalar read", () => readTask()],
]);
