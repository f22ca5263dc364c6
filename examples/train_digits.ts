// Trains a network that reads handwritten digits, 64-256-128-10, from scratch under each precision policy.
//
//   deno task train [--policy NAME]... [--epochs N] [--seed N] [--backend webgpu|cpu] [--svg FILE] [--json]

import { deviceInfo, init } from "@zenith/jax";
import { loadDigits } from "./digits/rows.ts";
import {
  checkBackend,
  checkPolicies,
  commandLine,
  fileName,
  POLICIES,
  readFlags,
  wholeNumber,
} from "./program/flags.ts";
import { showProgress } from "./program/progress.ts";
import { table } from "./program/table.ts";
import { type EpochReport, train } from "./digits/training.ts";
import { type Curve, decades, drawCurves, tenths } from "./program/curves.ts";

const USAGE = `Trains a network that reads handwritten digits under each precision policy.

  --policy NAME     float32, mixed_float16, mixed_bfloat16, or any policy or spec; may be repeated
  --epochs N        passes over the 1437 digits to train with; 20 unless told otherwise
  --seed N          what weights and order are drawn from; 0 unless told otherwise
  --backend NAME    webgpu or cpu; webgpu where there is an adapter unless told otherwise
  --svg FILE        also draw the curves of loss and accuracy
  --json            print JSON
  --help            print this`;

interface Flags {
  readonly policies: readonly string[];
  readonly epochs: number;
  readonly seed: number;
  readonly backend: "webgpu" | "cpu" | undefined;
  readonly svg: string | undefined;
  readonly json: boolean;
}

function readTrainingFlags(args: readonly string[]): Flags {
  const { policy, epochs, seed, backend, svg, json } = readFlags(args, {
    string: ["policy", "epochs", "seed", "backend", "svg"],
    collect: ["policy"],
    boolean: ["json"],
  });
  return {
    policies: checkPolicies(policy.length > 0 ? policy : POLICIES),
    epochs: wholeNumber("epochs", epochs ?? "20", 1),
    seed: wholeNumber("seed", seed ?? "0", 0),
    backend: checkBackend(backend),
    svg: fileName("svg", svg),
    json,
  };
}

function progressLine(report: EpochReport, epochs: number): string {
  const { policy, epoch, loss, accuracy, lossScale, skipped, stepMs } = report;
  return `${policy.padEnd(14)}  epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}` +
    `  loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(3)}  scale ${lossScale}` +
    `  skipped ${skipped}  ${stepMs.toFixed(1)} ms a step`;
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

/** The loss and the test accuracy over the epochs. */
function drawRuns(runs: readonly (readonly EpochReport[])[]): string {
  const valuesOf = (key: "loss" | "accuracy") =>
    runs.flatMap((reports) => reports.map((report) => report[key]));
  const curvesOf = (key: "loss" | "accuracy"): Curve[] =>
    runs.map((reports) => ({
      name: reports[0].policy,
      points: reports.map((report) => [report.epoch, report[key]]),
    }));
  return drawCurves([
    {
      title: "training loss, the mean of each epoch",
      marks: decades(valuesOf("loss")),
      logarithmic: true,
      curves: curvesOf("loss"),
    },
    {
      title: "test accuracy",
      marks: tenths(valuesOf("accuracy")),
      logarithmic: false,
      curves: curvesOf("accuracy"),
    },
  ], "epoch");
}

async function main(): Promise<void> {
  const { policies, epochs, seed, backend, svg, json } = commandLine(USAGE, readTrainingFlags);
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
      if (json) continue;
      const last = report.epoch === epochs;
      showProgress(progressLine(report, epochs), { keep: report.epoch % 5 === 0, last });
    }
    runs.push(reports);
  }
  if (svg !== undefined) {
    await Deno.writeTextFile(svg, drawRuns(runs));
  }
  if (json) console.log(JSON.stringify({ device: info, runs }, null, 2));
  else printTable(runs);
}

await main();
