// Reads 360 handwritten digits with one small network under each precision policy, and shows what half
// precision changes: the answers, the logits, the memory and the time.
//
//   deno task demo [--policy NAME]... [--backend webgpu|cpu] [--json]

import {
  castToHalf,
  deviceInfo,
  init,
  jit,
  loadSafetensors,
  type NDArray,
  nn,
  numpy as jnp,
  tree,
  withPolicy,
} from "@zenith/jax";
import { loadDigits } from "./digits/rows.ts";
import { drawDigits } from "./digits/drawing.ts";
import { checkBackend, checkPolicies, commandLine, POLICIES, readFlags } from "./program/flags.ts";
import { table } from "./program/table.ts";

const USAGE = `Reads 360 handwritten digits under each precision policy.

  --policy NAME     float32, mixed_float16, mixed_bfloat16, or any policy or spec; may be repeated
  --backend NAME    webgpu or cpu; webgpu where there is an adapter unless told otherwise
  --json            print JSON
  --help            print this`;

const TIMED_BATCHES = 20;

interface Weights {
  w1: NDArray;
  b1: NDArray;
  w2: NDArray;
  b2: NDArray;
  w3: NDArray;
  b3: NDArray;
}

/** What one policy made of the digits. */
interface Reading {
  policy: string;
  /** The digit read in each row. */
  digits: number[];
  correct: number;
  logits: Float32Array;
  weightBytes: number;
  /** Bytes of what the program keeps between its kernels. */
  activationBytes: number;
  /** Kernels that one batch launches. */
  kernels: number;
  firstCallMs: number;
  batchMs: number;
}

/** Pixels from 0 to 16 in, one logit a digit out. `castToHalf` is all that the policy has to do with it. */
function network(weights: Weights, pixels: NDArray): NDArray {
  const { w1, b1, w2, b2, w3, b3 } = weights;
  let h = castToHalf(pixels.div(16));
  h = nn.gelu(h.matmul(w1).add(b1));
  h = nn.gelu(h.matmul(w2).add(b2));
  return h.matmul(w3).add(b3).astype("float32");
}

async function read(
  policy: string,
  loaded: Weights,
  pixels: NDArray,
  truth: readonly number[],
): Promise<Reading> {
  const weights = castToHalf(loaded);
  const forward = jit(network);
  const program = forward.lower(weights, pixels);
  const started = performance.now();
  const output = forward(weights, pixels);
  const logits = Float32Array.from(await output.data());
  const firstCallMs = performance.now() - started;
  const digits = Array.from(await jnp.argmax(output, { axis: 1 }).data());
  return {
    policy,
    digits,
    correct: digits.filter((digit, row) => digit === truth[row]).length,
    logits,
    weightBytes: tree.leaves(weights).reduce((sum, weight) => sum + weight.nbytes, 0),
    activationBytes: program.memoryAnalysis().tempBytes,
    kernels: program.dispatches,
    firstCallMs,
    batchMs: await timeBatch(() => forward(weights, pixels)),
  };
}

/** Milliseconds a batch, over a run of batches that ends with reading the last one back. */
async function timeBatch(forward: () => NDArray): Promise<number> {
  const started = performance.now();
  for (let batch = 1; batch < TIMED_BATCHES; batch++) forward().dispose();
  await forward().data();
  return (performance.now() - started) / TIMED_BATCHES;
}

/** The largest difference of any logit from the reference's. */
function largestDifference(logits: Float32Array, reference: Float32Array): number {
  return logits.reduce((most, logit, at) => Math.max(most, Math.abs(logit - reference[at])), 0);
}

/** Two digits that float32 reads right and, so that nobody is misled, the first one that it misreads. */
function chooseRows(reference: Reading, truth: readonly number[]): number[] {
  const wrong = truth.findIndex((digit, row) => reference.digits[row] !== digit);
  const right = truth.findIndex((digit, row) => reference.digits[row] === digit);
  const other = truth.findIndex((digit, row) =>
    reference.digits[row] === digit && digit !== truth[right]
  );
  return [right, other, wrong].filter((row) => row >= 0);
}

function report(reading: Reading, reference: Reading): Record<string, string | number> {
  return {
    policy: reading.policy,
    correct: reading.correct,
    largestLogitDifference: largestDifference(reading.logits, reference.logits),
    weightBytes: reading.weightBytes,
    activationBytes: reading.activationBytes,
    kernels: reading.kernels,
    firstCallMs: reading.firstCallMs,
    batchMs: reading.batchMs,
  };
}

function printReport(
  readings: readonly Reading[],
  reference: Reading,
  pixels: readonly number[][],
  truth: readonly number[],
): void {
  const info = deviceInfo();
  console.log(`${truth.length} handwritten digits on ${info.name} (${info.backend})\n`);
  const header = [
    "policy",
    `correct of ${truth.length}`,
    "logits differ by",
    "weights",
    "activations",
    "kernels",
    "first call",
    "a batch",
  ];
  const rows = readings.map((reading) => [
    reading.policy,
    String(reading.correct),
    largestDifference(reading.logits, reference.logits).toPrecision(2),
    `${(reading.weightBytes / 1024).toFixed(1)} KiB`,
    `${(reading.activationBytes / 1024).toFixed(1)} KiB`,
    String(reading.kernels),
    `${reading.firstCallMs.toFixed(0)} ms`,
    `${reading.batchMs.toFixed(2)} ms`,
  ]);
  console.log(table(header, rows));
  const shown = chooseRows(reference, truth).map((row) => ({
    pixels: pixels[row],
    lines: [
      `written: ${truth[row]}`,
      ...readings.map((reading) => `${reading.policy}: ${reading.digits[row]}`),
    ],
  }));
  console.log(`\n${drawDigits(shown)}`);
}

function readDemoFlags(args: readonly string[]) {
  const { policy, backend, json } = readFlags(args, {
    string: ["policy", "backend"],
    collect: ["policy"],
    boolean: ["json"],
  });
  const policies = checkPolicies(policy.length > 0 ? policy : POLICIES);
  return { policies, backend: checkBackend(backend), json };
}

async function main(): Promise<void> {
  const { policies, backend, json } = commandLine(USAGE, readDemoFlags);
  await init({ backend });
  const { pixels, truth } = (await loadDigits()).test;
  const file = new URL("./data/digits_mlp.safetensors", import.meta.url);
  const loaded = await loadSafetensors(file) as unknown as Weights;
  const batch = jnp.array(pixels);
  const readUnder = (policy: string) =>
    withPolicy(policy, () => read(policy, loaded, batch, truth));
  const readings: Reading[] = [];
  for (const policy of policies) readings.push(await readUnder(policy));
  const reference = readings.find(({ policy }) => policy === "float32") ??
    await readUnder("float32");
  if (!json) return printReport(readings, reference, pixels, truth);
  const rows = readings.map((reading) => report(reading, reference));
  console.log(JSON.stringify({ device: deviceInfo(), rows }, null, 2));
}

await main();
