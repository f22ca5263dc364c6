// `deno task benchmark --experiments`: the experiments in their long form, as a table.

import { type Column, figures, markdownTable, plainTable, words } from "../report/table.ts";
import { composeMarkdown, saveReport, toJson } from "../report/results.ts";
import { relativeError } from "../report/quantities.ts";
import { wrap } from "../report/wrap.ts";
import { describe, type Environment } from "../run/environment.ts";
import type { BenchmarkFlags } from "../run/flags.ts";
import { showProgress } from "../run/progress.ts";
import {
  type Experiment,
  type ExperimentRun,
  EXPERIMENTS,
  type Verdict,
  verdictOf,
} from "./experiments.ts";

/** A run and what became of it. */
export interface JudgedRun extends ExperimentRun {
  readonly experiment: string;
  readonly steps: number;
  readonly verdict: Verdict;
}

/** Columns of the table. */
export const experimentColumns: readonly Column[] = [
  words("experiment"),
  figures("steps"),
  words("policy, method"),
  figures("start loss"),
  figures("end loss"),
  words("verdict"),
];

/** What the experiments and the verdicts are. */
export const experimentNotes: readonly string[] = [
  "A: a loss whose gradients are below the smallest float16 number, without and with loss scales. A scale moves the limit by its own factor, so a floor is left that float32 has not.",
  "B: a linear regression whose weights are kept in one type, with what keeps the updates that this type rounds away.",
  "C: a classifier of features of +-800, whose squares are infinite in float16, behind layer normalisation.",
  `verdict: converges where no more is left of the first loss than ${
    EXPERIMENTS.map(({ name, goal }) => `${goal} (${name[0]})`).join(", ")
  }; learns nothing where 0.99 of it is`,
];

/** Rows of the table; the experiment stands only where it changes. */
export function experimentRows(runs: readonly JudgedRun[]): string[][] {
  return runs.map((own, at) => {
    const again = own.experiment === runs[at - 1]?.experiment;
    return [
      again ? "" : own.experiment,
      again ? "" : String(own.steps),
      own.name,
      relativeError(own.firstLoss),
      relativeError(own.lastLoss),
      own.verdict,
    ];
  });
}

async function judge(experiment: Experiment, smoke: boolean): Promise<JudgedRun[]> {
  const { name, goal } = experiment;
  const steps = smoke ? experiment.steps.smoke : experiment.steps.long;
  const runs = await experiment.run(steps);
  return runs.map((run) => ({
    experiment: name,
    steps,
    name: run.name,
    firstLoss: run.firstLoss,
    lastLoss: run.lastLoss,
    verdict: verdictOf(run, goal),
  }));
}

async function judgeAll(smoke: boolean): Promise<JudgedRun[]> {
  const progress = showProgress(EXPERIMENTS.length);
  try {
    const runs: JudgedRun[] = [];
    for (const experiment of EXPERIMENTS) {
      progress.begin(experiment.name);
      runs.push(...await judge(experiment, smoke));
      progress.advance(1);
    }
    return runs;
  } finally {
    await progress.stop();
  }
}

/** Runs every experiment, prints the table and keeps it where the flags say so. */
export async function reportExperiments(
  { smoke, json, save }: BenchmarkFlags,
  environment: Environment,
): Promise<void> {
  const runs = await judgeAll(smoke);
  console.log(plainTable(experimentColumns, experimentRows(runs)));
  if (smoke) console.log("\nA smoke run: its verdicts mean nothing.");
  console.log(`\n${experimentNotes.flatMap((note) => wrap(note, 120)).join("\n")}`);
  const report = { environment, date: new Date().toISOString().slice(0, 10), data: runs };
  if (json) await Deno.writeTextFile(json, toJson(report));
  if (!save) return;
  const markdown = composeMarkdown(
    "What half precision loses",
    [`${report.date}.`, ...describe(environment)],
    [markdownTable(experimentColumns, experimentRows(runs))],
    experimentNotes,
  );
  await saveReport("experiments", report, markdown);
}
