// `deno task peers`: this library beside @jax-js/jax and TensorFlow.js on the same adapter, in one process.
//
// The method: every library puts its own arguments on the device and compiles before anything counts. Then
// they take turns, sample by sample, so that whatever else the machine does falls on all alike, and medians
// are compared. A sample is as many calls as fill some time, and ends when the library's own way of waiting
// says that the device is done: the peers' ways sleep up to 11 ms in Deno, so samples are made long enough for
// that to weigh little, except where waiting is what is measured.

import { parseArgs } from "@std/cli/parse-args";
import { makeArguments } from "../host_data.ts";
import type { Precision } from "../precision.ts";
import { duration, ratio } from "../report/quantities.ts";
import { figures, markdownTable, plainTable, words } from "../report/table.ts";
import { describe, openSession } from "../run/session.ts";
import { type Contender, timeInterleaved } from "../run/timing.ts";
import { jaxJs } from "./jax_js.ts";
import { type Job, jobs } from "./jobs.ts";
import type { Peer } from "./peer.ts";
import { tensorflow } from "./tensorflow.ts";
import { zenith } from "./zenith.ts";

const usage = `Measures this library beside its peers, interleaved on one adapter.

deno task peers [--only NAME] [--smoke] [--json FILE] [--markdown FILE] [--help]`;

const libraries: readonly Peer[] = [zenith, jaxJs, tensorflow];

interface Entrant {
  readonly library: string;
  readonly precision: Precision;
  readonly contender: Contender;
}

/** What one library took for one job in one type. */
interface Result {
  readonly job: string;
  readonly shape: string;
  readonly library: string;
  readonly precision: Precision;
  readonly medianMs: number;
  readonly firstMs: number;
  /** The fastest peer's float32 time over this one's. */
  readonly ratio: number;
  /** What the ratio has to be, for this library in float32. */
  readonly bar?: number;
}

function enter(job: Job): Entrant[] {
  const inputs = makeArguments(job.arguments);
  return libraries.flatMap((library) =>
    job.precisions.flatMap((precision): Entrant[] => {
      const contender = library.prepare(job.name, precision, inputs);
      if (typeof contender === "string") return [];
      return [{ library: library.name, precision, contender }];
    })
  );
}

async function measure(job: Job, smoke: boolean): Promise<Result[]> {
  const entrants = enter(job);
  const fixed = job.calls ?? 1;
  const timings = await timeInterleaved(
    entrants.map(({ contender }) => fixed > 1 ? perCall(contender, fixed) : contender),
    { rounds: smoke ? 1 : 7, sampleMs: smoke ? 1 : 200, budgetMs: 60_000 },
  );
  const peers = entrants.flatMap(({ library, precision }, i) =>
    library !== zenith.name && precision === "float32" ? [timings[i].medianMs] : []
  );
  const fastest = Math.min(...peers);
  return entrants.map(({ library, precision }, i) => ({
    job: job.name,
    shape: job.label,
    library,
    precision,
    medianMs: timings[i].medianMs / fixed,
    firstMs: timings[i].firstMs,
    ratio: fastest / timings[i].medianMs,
    bar: library === zenith.name && precision === "float32" ? job.bar : undefined,
  }));
}

/** One call of what is timed is so many calls of the job. */
function perCall(contender: Contender, calls: number): Contender {
  return { run: (samples) => contender.run(samples * calls) };
}

const columns = [
  words("job"),
  words("shape"),
  words("library"),
  words("precision"),
  figures("time"),
  figures("ratio"),
  figures("bar"),
  figures("first call"),
];

function rows(results: readonly Result[]): string[][] {
  return results.map((own, i) => {
    const again = results[i - 1]?.job === own.job;
    const held = own.bar === undefined
      ? ""
      : `${ratio(own.bar)} ${own.ratio >= own.bar ? "held" : "MISSED"}`;
    return [
      again ? "" : own.job,
      again ? "" : own.shape,
      own.library,
      own.precision,
      duration(own.medianMs),
      ratio(own.ratio),
      held,
      duration(own.firstMs),
    ];
  });
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    boolean: ["smoke", "help"],
    string: ["only", "json", "markdown"],
    unknown: (name) => {
      throw new TypeError(`Cannot read the command line: ${name} is unknown; see --help`);
    },
  });
  if (flags.help) return console.log(usage);
  const environment = await openSession();
  describe(environment).forEach((line) => console.log(line));
  for (const library of libraries) await library.open();
  const chosen = jobs(flags.smoke).filter(({ name }) =>
    flags.only === undefined || name.includes(flags.only)
  );
  if (chosen.length === 0) {
    const names = jobs(false).map(({ name }) => name).join(", ");
    throw new RangeError(
      `Cannot measure: --only must be part of one of ${names}, got ${flags.only}`,
    );
  }
  const results: Result[] = [];
  for (const job of chosen) {
    console.error(`${job.name}, ${job.label}`);
    results.push(...await measure(job, flags.smoke));
  }
  console.log(`\n${plainTable(columns, rows(results))}\n`);
  console.log("ratio: the fastest peer's float32 time over this one's; bar: what it has to be");
  if (flags.json) {
    await Deno.writeTextFile(flags.json, JSON.stringify({ environment, results }, null, 2));
  }
  if (flags.markdown) {
    const head = describe(environment).join("\n\n");
    await Deno.writeTextFile(
      flags.markdown,
      `${head}\n\n${markdownTable(columns, rows(results))}\n`,
    );
  }
}

if (import.meta.main) await main();
