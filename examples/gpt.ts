// Trains a small GPT on text, by default this library's own source, under any precision policy, and lets it write.
//
//   deno task gpt [--policy NAME]... [--text FILE] [--steps N] [--checkpoint FILE [--resume]] [--sample N] ...
//
// It needs to read the text (--allow-read=src), and to read and write where a checkpoint or a chart goes.

import { type DeviceInfo, init, random, scope } from "@zenith/jax";
import { sample } from "./gpt/sampling.ts";
import { loadText, type Text } from "./gpt/text.ts";
import { type GptPlan, GptTraining, type StepReport } from "./gpt/training.ts";
import { drawCurves, type Panel } from "./program/curves.ts";
import {
  checkBackend,
  checkPolicies,
  commandLine,
  fileName,
  FlagError,
  readFlags,
  wholeNumber,
} from "./program/flags.ts";
import { showProgress } from "./program/progress.ts";
import { table } from "./program/table.ts";

const USAGE = `Trains a small GPT on text under a precision policy, and lets it write.

  --policy NAME       float32, mixed_float16 (the default), mixed_bfloat16, or any policy or spec; may be repeated
  --text FILE         what to learn; this library's own source unless told otherwise
  --steps N           training steps; 300 unless told otherwise
  --batch N           windows of text in a step; 8
  --length N          bytes that the model looks at; 64
  --layers N          blocks; 2
  --heads N           heads of each block's attention; 4
  --features N        how wide the blocks are; 64
  --seed N            what weights, windows and samples are drawn from; 0
  --checkpoint FILE   save the state there as the training goes on
  --resume            go on from the checkpoint: the run ends on the same bits as one that was not stopped
  --sample N          bytes to write after the training; 200
  --prompt TEXT       what to go on from; "export function "
  --temperature T     by how much unlikely bytes are held back, from 0 on; 0.7
  --backend NAME      webgpu or cpu; webgpu where there is an adapter unless told otherwise
  --svg FILE          also draw the curve of the loss
  --json              print JSON
  --help              print this`;

interface Flags {
  readonly policies: readonly string[];
  readonly plan: Omit<GptPlan, "policy">;
  readonly text: string | undefined;
  readonly checkpoint: string | undefined;
  readonly resume: boolean;
  readonly sample: number;
  readonly prompt: string;
  readonly temperature: number;
  readonly backend: "webgpu" | "cpu" | undefined;
  readonly svg: string | undefined;
  readonly json: boolean;
}

/** A policy's run, and what the model writes after it. */
interface Run {
  readonly policy: string;
  readonly reports: readonly StepReport[];
  readonly testLoss: number;
  readonly sample: string;
  /** The tokens read and written by the second, the compilation of the step included. */
  readonly tokensPerSecondWritten: number;
}

function readGptFlags(args: readonly string[]): Flags {
  const flags = readFlags(args, {
    string: [
      ...["policy", "text", "steps", "batch", "length", "layers", "heads", "features"] as const,
      ...["seed", "checkpoint", "sample", "prompt", "temperature", "backend", "svg"] as const,
    ],
    collect: ["policy"],
    boolean: ["resume", "json"],
  });
  const count = (name: string, given: string | undefined, usual: number, least = 1) =>
    wholeNumber(name, given ?? String(usual), least);
  const policies = checkPolicies(flags.policy.length > 0 ? flags.policy : ["mixed_float16"]);
  const checkpoint = fileName("checkpoint", flags.checkpoint);
  if (checkpoint !== undefined && policies.length > 1) {
    throw new FlagError("--checkpoint is one run's: it goes with one --policy");
  }
  if (flags.resume && checkpoint === undefined) {
    throw new FlagError("--resume needs a --checkpoint FILE to go on from");
  }
  const temperature = Number(flags.temperature ?? 0.7);
  if (flags.temperature === "" || !(temperature >= 0 && temperature < Infinity)) {
    throw new FlagError(`--temperature must be a number from 0 on, got ${flags.temperature}`);
  }
  if (flags.prompt === "") throw new FlagError("--prompt must not be empty");
  const plan = {
    steps: count("steps", flags.steps, 300),
    batch: count("batch", flags.batch, 8),
    length: count("length", flags.length, 64, 2),
    layers: count("layers", flags.layers, 2),
    heads: count("heads", flags.heads, 4),
    features: count("features", flags.features, 64),
    seed: count("seed", flags.seed, 0, 0),
  };
  if (plan.features % (2 * plan.heads) !== 0) {
    throw new FlagError(
      `--features must be a multiple of twice the --heads, got ${plan.features} and ${plan.heads}`,
    );
  }
  return {
    policies,
    plan,
    text: fileName("text", flags.text),
    checkpoint,
    resume: flags.resume,
    sample: count("sample", flags.sample, 200, 0),
    prompt: flags.prompt ?? "export function ",
    temperature,
    backend: checkBackend(flags.backend),
    svg: fileName("svg", flags.svg),
    json: flags.json,
  };
}

function progressLine(report: StepReport, steps: number): string {
  const { policy, step, loss, lossScale, skipped, tokensPerSecond, liveBytes } = report;
  return `${policy.padEnd(14)}  step ${String(step).padStart(String(steps).length)}/${steps}` +
    `  loss ${loss.toFixed(4)}  ${tokensPerSecond.toFixed(0)} tokens/s  scale ${lossScale}` +
    `  skipped ${skipped}  ${(liveBytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Trains under one policy, showing progress, and lets the model write. */
async function trainAndWrite(policy: string, text: Text, flags: Flags): Promise<Run> {
  const plan = { ...flags.plan, policy };
  const { steps, seed, length } = plan;
  using training = await GptTraining.prepare(plan, text, flags);
  for await (const report of training.run()) {
    if (flags.json) continue;
    const last = report.step === steps;
    showProgress(progressLine(report, steps), { keep: training.reports.length % 5 === 0, last });
  }
  const testLoss = await training.testLoss();
  const prompt = new TextEncoder().encode(flags.prompt);
  const { sample: count, temperature } = flags;
  const started = performance.now();
  const written = await scope(() =>
    sample(training.model, training.castParams(), {
      ...{ prompt, count, length, temperature },
      key: random.foldIn(random.key(seed), 1),
    })
  );
  const seconds = (performance.now() - started) / 1000;
  return {
    policy,
    reports: training.reports,
    testLoss,
    sample: new TextDecoder().decode(written),
    tokensPerSecondWritten: (prompt.length + count) / seconds,
  };
}

function printRuns(runs: readonly Run[], prompt: string): void {
  const rows = runs.map(({ policy, reports, testLoss, sample, tokensPerSecondWritten }) => {
    const { loss, lossScale, skipped } = reports[reports.length - 1];
    const fastest = Math.max(...reports.map(({ tokensPerSecond }) => tokensPerSecond));
    const figures = [loss.toFixed(4), testLoss.toFixed(4), String(lossScale), String(skipped)];
    const written = sample === "" ? "-" : tokensPerSecondWritten.toFixed(0);
    return [policy, ...figures, fastest.toFixed(0), written];
  });
  const header = ["policy", "loss", "test loss", "loss scale", "skipped", "tokens/s", "written/s"];
  console.log(`\n${table(header, rows)}`);
  for (const { policy, sample } of runs) {
    if (sample !== "") console.log(`\n--- ${policy} writes:\n${prompt}${sample}`);
  }
}

/** The loss over the steps. */
function lossPanel(runs: readonly Run[]): Panel {
  const losses = runs.flatMap(({ reports }) => reports.map(({ loss }) => loss));
  const most = Math.ceil(Math.max(...losses.filter(Number.isFinite), 1));
  return {
    title: "training loss, nats a byte",
    marks: Array.from({ length: most + 1 }, (_, i) => i),
    logarithmic: false,
    curves: runs.map(({ policy, reports }) => ({
      name: policy,
      points: reports.map(({ step, loss }) => [step, loss]),
    })),
  };
}

function introduce(text: Text, { plan }: Flags, { name, backend }: DeviceInfo): void {
  const { layers, features, length, batch } = plan;
  console.log(
    `A GPT of ${layers} blocks, ${features} wide, learns ${text.name} (${text.train.length} bytes) ` +
      `in windows of ${batch} x ${length}, on ${name} (${backend})\n`,
  );
}

async function main(): Promise<void> {
  const flags = commandLine(USAGE, readGptFlags);
  const device = await init({ backend: flags.backend });
  const text = await loadText(flags.text);
  if (!flags.json) introduce(text, flags, device);
  const runs: Run[] = [];
  for (const policy of flags.policies) runs.push(await trainAndWrite(policy, text, flags));
  if (flags.svg !== undefined) {
    await Deno.writeTextFile(flags.svg, drawCurves([lossPanel(runs)], "step"));
  }
  if (flags.json) console.log(JSON.stringify({ device, plan: flags.plan, runs }, null, 2));
  else printRuns(runs, flags.prompt);
}

await main();
