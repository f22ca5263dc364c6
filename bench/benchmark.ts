// `deno task benchmark`: the programs of the table in every precision, as a table, JSON or a picture.

import { parseArgs } from "@std/cli/parse-args";
import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { makeArguments } from "./host_data.ts";
import { PRECISIONS } from "./precision.ts";
import { type Program, PROGRAMS, type Section, SECTIONS, SMOKE_SIZE, workOf } from "./programs.ts";
import {
  compare,
  type Measurement,
  measurementColumns,
  measurementNotes,
  measurementRows,
} from "./report/measurement.ts";
import { drawMeasurements } from "./report/measurement_chart.ts";
import { markdownTable, plainTable } from "./report/table.ts";
import { PreparedProgram } from "./run/prepared.ts";
import { describe, openSession } from "./run/session.ts";
import { timeInterleaved, type TimingOptions } from "./run/timing.ts";

const usage = `Measures this library in float32, float16 and bfloat16 on this machine's adapter.

deno task benchmark [--precision] [--gelu] [--all] [options]

  --precision     products, elementwise chains, rows and an MLP in every precision (the default)
  --gelu          gelu in its forms, alone and after a product
  --all           everything
  --sizes N,N     sizes to measure in place of the usual ones
  --smoke         every program once at a small size, to see that it works
  --json FILE     writes the measurements
  --svg FILE      draws them
  --markdown FILE writes the table
  --help          prints this`;

/** What the command line asks for. */
export interface Request {
  readonly programs: readonly Program[];
  readonly sizes?: readonly number[];
  readonly smoke: boolean;
  readonly json?: string;
  readonly svg?: string;
  readonly markdown?: string;
  readonly help: boolean;
}

/** Reads the command line; anything unknown is an error. */
export function readRequest(args: readonly string[]): Request {
  const flags = parseArgs([...args], {
    boolean: [...SECTIONS, "all", "smoke", "help"],
    string: ["sizes", "json", "svg", "markdown"],
    unknown: (name) => {
      throw new TypeError(`Cannot read the command line: ${name} is unknown; see --help`);
    },
  });
  const chosen = SECTIONS.filter((section) => flags.all || flags[section]);
  const sections: readonly Section[] = chosen.length > 0 ? chosen : ["precision"];
  const sizes = flags.sizes?.split(",").map(Number);
  if (sizes?.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new RangeError(
      `Cannot read the command line: --sizes must be positive integers, got ${flags.sizes}`,
    );
  }
  return {
    programs: PROGRAMS.filter((program) => program.sections.some((s) => sections.includes(s))),
    sizes,
    smoke: flags.smoke,
    json: flags.json,
    svg: flags.svg,
    markdown: flags.markdown,
    help: flags.help,
  };
}

/** Measures one program at one size in every precision, the precisions taking turns. */
async function measure(
  program: Program,
  size: number,
  options: TimingOptions,
): Promise<Measurement[]> {
  const host = makeArguments(program.arguments(size));
  const prepared = PRECISIONS.map((precision) => new PreparedProgram(program, precision, host));
  const timings = await timeInterleaved(prepared, options);
  const measured = [];
  for (const [i, precision] of PRECISIONS.entries()) {
    measured.push({
      precision,
      timing: timings[i],
      work: workOf(program, size, precision),
      bytes: prepared[i].bytes,
      error: await prepared[i].error(),
    });
  }
  prepared.forEach((own) => own.dispose());
  return compare({ program: program.name, shape: program.label(size) }, measured);
}

async function main(): Promise<void> {
  const request = readRequest(Deno.args);
  if (request.help) return console.log(usage);
  const environment = await openSession();
  describe(environment).forEach((line) => console.log(line));
  const small = request.smoke || environment.backend === "cpu";
  const runs = request.programs.flatMap((program) =>
    (request.sizes ?? (small ? [SMOKE_SIZE] : program.sizes)).map((size) => ({ program, size }))
  );
  const rounds = small ? 1 : 7;
  const bar = Deno.stderr.isTerminal()
    ? new ProgressBar({ max: runs.length * rounds, clear: true })
    : undefined;
  const measurements: Measurement[] = [];
  for (const [i, { program, size }] of runs.entries()) {
    if (!bar) console.error(`${program.name} ${program.label(size)}`);
    const afterRound = (round: number) => {
      if (bar) bar.value = i * rounds + round;
    };
    const options = { rounds, sampleMs: small ? 1 : 50, budgetMs: 20_000, afterRound };
    measurements.push(...await measure(program, size, options));
  }
  await bar?.stop();
  console.log(`\n${plainTable(measurementColumns, measurementRows(measurements))}\n`);
  measurementNotes.forEach((note) => console.log(note));
  if (request.json) {
    await Deno.writeTextFile(request.json, JSON.stringify({ environment, measurements }, null, 2));
  }
  if (request.svg) {
    await Deno.writeTextFile(request.svg, drawMeasurements(measurements, describe(environment)));
  }
  if (request.markdown) {
    const table = markdownTable(measurementColumns, measurementRows(measurements));
    await Deno.writeTextFile(
      request.markdown,
      `${describe(environment).join("\n\n")}\n\n${table}\n`,
    );
  }
}

if (import.meta.main) await main();
