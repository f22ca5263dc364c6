// The programs that are measured, once for `deno bench`, `deno task benchmark` and `deno task peers`.

import { type NDArray, nn } from "../mod.ts";
import type { ArgumentDescription } from "./host_data.ts";
import { bytesPerElement, type Precision, type Work } from "./precision.ts";
import {
  CHAIN,
  geluExact,
  geluTanh,
  layerNormElement,
  matmulElement,
  mlpElement,
  type ReferenceElement,
  softmaxElement,
} from "./reference.ts";
import { attention, attentionGradient } from "./attention/programs.ts";
import { checkpointedBlocks, keptBlocks } from "./checkpointing/programs.ts";
import type { Section } from "./sections.ts";
import { adamwTraining, sgdTraining, type TrainingProgram } from "./training/program.ts";

/** What is measured. One number, the size, decides every shape. */
export type Program = FunctionProgram | TrainingProgram;

/** A function and the arguments it is measured with. */
export interface FunctionProgram {
  readonly kind: "function";
  readonly name: string;
  readonly sections: readonly Section[];
  /** Measured unless other sizes are asked for. */
  readonly sizes: readonly number[];
  /** The shapes as a person writes them. */
  label(size: number): string;
  arguments(size: number): ArgumentDescription[];
  /** Multiplications and additions; undefined where moving data is what takes the time. */
  readonly flops?: (size: number) => number;
  run(...inputs: NDArray[]): NDArray;
  /** The same of separate operations, measured beside it where there is such. */
  readonly unfused?: (...inputs: NDArray[]) => NDArray;
  readonly reference: ReferenceElement;
}

const square = (size: number): string => `${size} x ${size}`;

/** Programs of one matrix of n x n, whose time goes into moving it. */
function movesMatrix(
  name: string,
  bound: number,
  sections: readonly Section[],
  sizes: readonly number[],
  run: (x: NDArray) => NDArray,
  reference: ReferenceElement,
): FunctionProgram {
  return {
    kind: "function",
    name,
    sections,
    sizes,
    label: square,
    arguments: (n) => [{ shape: [n, n], bound }],
    run,
    reference,
  };
}

const matmul: FunctionProgram = {
  kind: "function",
  name: "matmul",
  sections: ["precision"],
  sizes: [512, 1024],
  label: (n) => `${n} x ${n} x ${n}`,
  arguments: (n) => [{ shape: [n, n], bound: 1 }, { shape: [n, n], bound: 1 }],
  flops: (n) => 2 * n ** 3,
  run: (a, b) => a.matmul(b),
  reference: matmulElement,
};

const mlp: FunctionProgram = {
  kind: "function",
  name: "MLP forward",
  sections: ["precision"],
  sizes: [512],
  label: (n) => `${n / 2} x ${n} -> ${4 * n} -> ${n}`,
  // Weights are bounded so that layers keep the variance of what goes through them.
  arguments: (n) => [
    { shape: [n / 2, n], bound: 1 },
    { shape: [n, 4 * n], bound: Math.sqrt(3 / n) },
    { shape: [4 * n], bound: 0.1 },
    { shape: [4 * n, n], bound: Math.sqrt(3 / (4 * n)) },
    { shape: [n], bound: 0.1 },
  ],
  flops: (n) => 2 * (n / 2) * (n * 4 * n) * 2,
  run: (x, w1, b1, w2, b2) => nn.gelu(x.matmul(w1).add(b1)).matmul(w2).add(b2),
  reference: mlpElement,
};

const matmulWithGelu: FunctionProgram = {
  kind: "function",
  name: "gelu(x @ w + b)",
  sections: ["gelu"],
  sizes: [1024],
  label: (n) => `${n} x ${n} x ${n}`,
  arguments: (n) => [
    { shape: [n, n], bound: 1 },
    { shape: [n, n], bound: Math.sqrt(3 / n) },
    { shape: [n], bound: 0.1 },
  ],
  flops: (n) => 2 * n ** 3,
  run: (x, w, b) => nn.gelu(x.matmul(w).add(b)),
  reference: ([x, w, b], position) =>
    geluTanh(matmulElement([x, w], position) + b.values[position % b.values.length]),
};

/** Every program, in the order in which it is shown. */
export const PROGRAMS: readonly Program[] = [
  matmul,
  movesMatrix(
    "gelu(a * x + b)",
    3,
    ["precision", "gelu"],
    [2048],
    (x) => nn.gelu(x.mul(CHAIN.a).add(CHAIN.b)),
    ([x], position) => geluTanh(CHAIN.a * x.values[position] + CHAIN.b),
  ),
  movesMatrix("softmax", 4, ["precision"], [1024], (x) => nn.softmax(x), softmaxElement),
  movesMatrix("layer norm", 4, ["precision"], [1024], (x) => nn.layerNorm(x), layerNormElement),
  mlp,
  movesMatrix(
    "gelu, tanh form",
    4,
    ["gelu"],
    [2048],
    (x) => nn.gelu(x),
    ([x], position) => geluTanh(x.values[position]),
  ),
  movesMatrix(
    "gelu, exact",
    4,
    ["gelu"],
    [2048],
    (x) => nn.gelu(x, { approximate: false }),
    ([x], position) => geluExact(x.values[position]),
  ),
  matmulWithGelu,
  sgdTraining,
  adamwTraining,
  keptBlocks,
  checkpointedBlocks,
  attention,
  attentionGradient,
];

/** The size of every program where only the working of it all is tried. */
export const SMOKE_SIZE = 64;

/** The program of a name. */
export function findProgram(name: string): Program {
  const program = PROGRAMS.find((candidate) => candidate.name === name);
  if (!program) throw new Error(`Cannot find the program ${name}: it is not in the table`);
  return program;
}

/** The function of a name. */
export function findFunction(name: string): FunctionProgram {
  const program = findProgram(name);
  if (program.kind === "function") return program;
  throw new Error(`Cannot find the function ${name}: it is a training step`);
}

/** Operations of a call, or bytes that it has to read and write at the least. */
export function workOf(program: Program, size: number, precision: Precision): Work {
  if (program.flops) return { amount: program.flops(size), unit: "GFLOP/s" };
  return { amount: 2 * size ** 2 * bytesPerElement(precision), unit: "GB/s" };
}
