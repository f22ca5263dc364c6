// `deno task benchmark`: programs in float32, float16 and bfloat16 on this machine's adapter, as a table,
// JSON and a chart.

import { PRECISIONS } from "./precision.ts";
import { type Program, PROGRAMS, SMOKE_SIZE, workOf } from "./programs.ts";
import { reportExperiments } from "./experiments/report.ts";
import { makeArguments } from "./host_data.ts";
import {
  compare,
  type Measurement,
  measurementColumns,
  measurementNotes,
  measurementRows,
} from "./report/measurement.ts";
import { drawMeasurements } from "./report/measurement_chart.ts";
import { composeMarkdown, saveReport, toJson } from "./report/results.ts";
import { markdownTable, plainTable } from "./report/table.ts";
import {
  BENCHMARK_USAGE,
  type BenchmarkFlags,
  FlagError,
  readBenchmarkFlags,
} from "./run/flags.ts";
import { prepare, prepareUnfused } from "./run/prepare.ts";
import { type Progress, showProgress } from "./run/progress.ts";
import { describe, type Environment } from "./run/environment.ts";
import { openSession } from "./run/session.ts";
import { timeInterleaved } from "./run/timing.ts";

/** A program at a size. */
interface Job {
  readonly program: Program;
  readonly size: number;
}

const FULL = { rounds: 7, sampleMs: 100, budgetMs: 20_000 };
const SMOKE = { rounds: 1, sampleMs: 0, budgetMs: 0 };

function jobsOf({ sections, sizes, smoke }: BenchmarkFlags, environment: Environment): Job[] {
  // The CPU reference backend is there to be right; at the usual sizes it would take minutes a call.
  const small = smoke || environment.backend === "cpu";
  return PROGRAMS.filter((program) => program.sections.some((own) => sections.includes(own)))
    .flatMap((program) =>
      (sizes ?? (small ? [SMOKE_SIZE] : program.sizes)).map((size) => ({ program, size }))
    );
}

/** Measures one program in every precision, the precisions taking turns. */
async function measure(
  { program, size }: Job,
  timing: typeof FULL,
  progress: Progress,
): Promise<Measurement[]> {
  const host = makeArguments(program.arguments(size));
  const prepared = PRECISIONS.map((precision) => prepare(program, precision, host));
  const unfused = prepareUnfused(program, host);
  try {
    const shape = program.label(size);
    progress.begin(`${program.name} ${shape}`);
    let done = 0;
    const timings = await timeInterleaved([...prepared, ...unfused], {
      ...timing,
      afterRound: (round) => {
        progress.advance(1);
        done = round;
      },
    });
    progress.advance(timing.rounds - done);
    const measured = [];
    for (const [i, precision] of PRECISIONS.entries()) {
      measured.push({
        precision,
        work: workOf(program, size, precision),
        timing: timings[i],
        unfused: timings[PRECISIONS.length + i],
        memory: await prepared[i].memory(),
        error: await prepared[i].error(),
      });
    }
    return compare({ program: program.name, shape }, measured);
  } finally {
    for (const own of [...prepared, ...unfused]) own.dispose();
  }
}

async function measureAll(jobs: readonly Job[], timing: typeof FULL): Promise<Measurement[]> {
  const progress = showProgress(jobs.length * timing.rounds);
  try {
    const measurements: Measurement[] = [];
    for (const job of jobs) measurements.push(...await measure(job, timing, progress));
    return measurements;
  } finally {
    await progress.stop();
  }
}

async function keep(
  flags: BenchmarkFlags,
  environment: Environment,
  measurements: readonly Measurement[],
): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const report = { environment, date, data: measurements };
  if (flags.json) await Deno.writeTextFile(flags.json, toJson(report));
  if (flags.svg) {
    await Deno.writeTextFile(flags.svg, drawMeasurements(measurements, describe(environment)));
  }
  if (flags.save) {
    const table = markdownTable(measurementColumns, measurementRows(measurements));
    const markdown = composeMarkdown(
      "Programs by precision",
      [`${date}.`, ...describe(environment)],
      [table],
      measurementNotes,
    );
    await saveReport("benchmark", report, markdown);
  }
}

/** Reads the flags; prints what is wrong with them and ends the program where something is. */
function readFlags(): BenchmarkFlags {
  try {
    return readBenchmarkFlags(Deno.args);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${BENCHMARK_USAGE}`);
    Deno.exit(2);
  }
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags.help) return console.log(BENCHMARK_USAGE);
  const environment = await openSession();
  console.log(`${describe(environment).join("\n")}\n`);
  if (flags.experiments) return await reportExperiments(flags, environment);
  const measurements = await measureAll(
    jobsOf(flags, environment),
    flags.smoke ? SMOKE : FULL,
  );
  console.log(plainTable(measurementColumns, measurementRows(measurements)));
  console.log(`\n${measurementNotes.join("\n")}`);
  await keep(flags, environment, measurements);
}

if (import.meta.main) await main();
