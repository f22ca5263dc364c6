// Trains a network that reads handwritten digits, 64-256-128-10, from scratch under each precision policy.
//
//   deno task train [--policy NAME]... [--epochs N] [--seed N] [--backend webgpu|cpu] [--svg FILE] [--json]

import { parseArgs } from "@std/cli/parse-args";
import { deviceInfo, init, withPolicy } from "@zenith/jax";
import { drawCurves } from "./digits/curves.ts";
import { loadDigits } from "./digits/rows.ts";
import { table } from "./digits/text.ts";
import { type EpochReport, train } from "./digits/training.ts";

const USAGE = `Trains a network that reads handwritten digits under each precision policy.

  --policy NAME     float32, mixed_float16, mixed_bfloat16, or any policy or spec; may be repeated
  --epochs N        passes over the 1437 digits to train with; 20 unless told otherwise
  --seed N          what weights and order are drawn from; 0 unless told otherwise
  --backend NAME    webgpu or cpu; webgpu where there is an adapter unless told otherwise
  --svg FILE        also draw the curves of loss and accuracy
  --json            print JSON
  --help            print this`;

const POLICIES = ["float32", "mixed_float16", "mixed_bfloat16"];

interface Flags {
  readonly policies: readonly string[];
  readonly epochs: number;
  readonly seed: number;
  readonly backend: "webgpu" | "cpu" | undefined;
  readonly svg: string | undefined;
  readonly json: boolean;
}

/** Reads the flags; prints what is wrong with them and ends the program where something is. */
function readFlags(): Flags {
  const unknown: string[] = [];
  const flags = parseArgs(Deno.args, {
    string: ["policy", "epochs", "seed", "backend", "svg"],
    boolean: ["json", "help"],
    collect: ["policy"],
    unknown: (argument) => {
      unknown.push(argument);
      return false;
    },
  });
  if (flags.help) {
    console.log(USAGE);
    Deno.exit(0);
  }
  if (unknown.length > 0) stop(`unknown argument ${unknown.join(" ")}`);
  const policies = flags.policy.length > 0 ? flags.policy : POLICIES;
  policies.forEach(checkPolicy);
  const { backend, svg, json } = flags;
  if (backend !== undefined && backend !== "webgpu" && backend !== "cpu") {
    stop(`--backend must be webgpu or cpu, got ${backend}`);
  }
  return {
    policies,
    epochs: wholeNumber("epochs", flags.epochs ?? "20", 1),
    seed: wholeNumber("seed", flags.seed ?? "0", 0),
    backend,
    svg,
    json,
  };
}

function wholeNumber(name: string, given: string, least: number): number {
  const number = Number(given);
  if (given !== "" && Number.isSafeInteger(number) && number >= least) return number;
  stop(`--${name} must be a whole number from ${least} on, got ${given}`);
}

function checkPolicy(policy: string): void {
  try {
    withPolicy(policy, () => {});
  } catch (error) {
    stop(error instanceof Error ? error.message : String(error));
  }
}

function stop(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  Deno.exit(2);
}

function progressLine(report: EpochReport, epochs: number): string {
  const { policy, epoch, loss, accuracy, lossScale, skipped, stepMs } = report;
  return `${policy.padEnd(14)}  epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}` +
    `  loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(3)}  scale ${lossScale}` +
    `  skipped ${skipped}  ${stepMs.toFixed(1)} ms a step`;
}

/** Shows progress: on a terminal in one line that changes, elsewhere a line every few epochs. */
function showProgress(report: EpochReport, epochs: number): void {
  const last = report.epoch === epochs;
  const line = progressLine(report, epochs);
  if (Deno.stdout.isTerminal()) {
    Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[K${line}${last ? "\n" : ""}`));
  } else if (last || report.epoch % 5 === 0) console.log(line);
}

function printTable(runs: readonly (readonly EpochReport[])[]): void {
  const rows = runs.map((reports) => {
    const { policy, loss, accuracy, lossScale, skipped } = reports[reports.length - 1];
    const fastest = Math.min(...reports.map(({ stepMs }) => stepMs));
    const shares = [accuracy.toFixed(3), loss.toFixed(4), String(lossScale), String(skipped)];
    return [policy, ...shares, `${fastest.toFixed(1)} ms`];
  });
  const header = ["policy", "test accuracy", "loss", "loss scale", "skipped steps", "a step"];
  console.log(`\n${table(header, rows)}`);
}

async function main(): Promise<void> {
  const { policies, epochs, seed, backend, svg, json } = readFlags();
  await init({ backend });
  const digits = await loadDigits();
  const info = deviceInfo();
  if (!json) {
    const { train, test } = digits;
    console.log(
      `${train.truth.length} digits to train with, ${test.truth.length} to test with, on ${info.name} (${info.backend})\n`,
    );
  }
  const runs: EpochReport[][] = [];
  for (const policy of policies) {
    const reports: EpochReport[] = [];
    for await (const report of train({ policy, epochs, seed }, digits)) {
      reports.push(report);
      if (!json) showProgress(report, epochs);
    }
    runs.push(reports);
  }
  if (svg !== undefined) {
    const curves = runs.map((reports) => ({
      name: reports[0].policy,
      loss: reports.map(({ loss }) => loss),
      accuracy: reports.map(({ accuracy }) => accuracy),
    }));
    await Deno.writeTextFile(svg, drawCurves(curves));
  }
  if (json) console.log(JSON.stringify({ device: info, runs }, null, 2));
  else printTable(runs);
}

await main();
