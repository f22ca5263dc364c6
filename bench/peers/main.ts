// `deno task peers`: this library beside @jax-js/jax and @tensorflow/tfjs-backend-webgpu, in one process on
// one adapter, and held against the speeds that it sets out to reach.
//
// The libraries take turns in every round, and a ratio is the median of the ratios within a round, so that
// whatever else the machine does falls on all of them alike: run-to-run spread is far larger than what is
// compared. A turn is as many calls as fill a sample, waited for once. The peers' own waits sleep up to 10 ms
// in Deno's event loop between polls; so that this does not count against them, each queue is waited for by
// reading one word back at once (queue_drain.ts), as this library itself does. Nothing is subtracted. Only in
// the task `scalar read` does each library read in its own way, because the wait is what is measured there.
// Results are checked against float64 first: a wrong one gets no figures.
//
// The peers are fetched from npm when this program runs and are no dependencies of the library.

import { composeMarkdown, saveReport, toJson } from "../report/results.ts";
import { markdownTable, plainTable } from "../report/table.ts";
import { wrap } from "../report/wrap.ts";
import { FlagError } from "../run/flags.ts";
import { showProgress } from "../run/progress.ts";
import { describe, type Environment } from "../run/environment.ts";
import { openSession } from "../run/session.ts";
import { type BarResult, judge } from "./bars.ts";
import { type Ceiling, measureCeilings } from "./ceilings.ts";
import type { Engine } from "./engine.ts";
import { type PeersFlags, peersUsage, readPeersFlags } from "./flags.ts";
import { jaxJs } from "./jax_js.ts";
import { barTable, ceilingTable, METHOD, rowTable } from "./report.ts";
import { measureTask, type Row } from "./rows.ts";
import { TASKS } from "./tasks.ts";
import { tfjs } from "./tfjs.ts";
import { zenith } from "./zenith.ts";

const FULL = { rounds: 7, sampleMs: 100, budgetMs: 60_000 };
const SMOKE = { rounds: 1, sampleMs: 0, budgetMs: 0 };

/** What a run of the comparison brought. */
interface Comparison {
  readonly engines: readonly string[];
  readonly rows: readonly Row[];
  readonly bars: readonly BarResult[];
  readonly ceilings: readonly Ceiling[];
}

/** This library and the peers that can be had; says which cannot. */
async function loadEngines(): Promise<Engine[]> {
  const engines = [zenith()];
  for (const [name, load] of [["@jax-js/jax", jaxJs], ["tfjs-webgpu", tfjs]] as const) {
    try {
      engines.push(await load());
    } catch (error) {
      console.log(`${name} is left out: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  return engines;
}

async function measureTasks(
  { only, smoke }: PeersFlags,
  engines: readonly Engine[],
): Promise<Row[]> {
  const timing = smoke ? SMOKE : FULL;
  const progress = showProgress(only.length * timing.rounds);
  const rows: Row[] = [];
  try {
    for (const name of only) {
      progress.begin(name);
      const task = TASKS.get(name)!(smoke);
      let done = 0;
      const afterRound = (round: number) => {
        progress.advance(1);
        done = round;
      };
      rows.push(...await measureTask(task, engines, { ...timing, afterRound }));
      progress.advance(timing.rounds - done);
    }
  } finally {
    await progress.stop();
  }
  return rows;
}

function tables({ rows, bars, ceilings }: Comparison) {
  return [rowTable(rows), ...bars.length > 0 ? [barTable(bars)] : [], ceilingTable(ceilings)];
}

async function keep(
  flags: PeersFlags,
  environment: Environment,
  data: Comparison,
): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  if (flags.json) await Deno.writeTextFile(flags.json, toJson({ environment, date, data }));
  if (flags.save) {
    const markdown = composeMarkdown(
      `Beside ${data.engines.slice(1).join(" and ")}`,
      [`${date}.`, ...describe(environment)],
      tables(data).map(({ columns, rows }) => markdownTable(columns, rows)),
      METHOD,
    );
    await saveReport("peers", { environment, date, data }, markdown);
  }
}

/** Reads the flags; prints what is wrong with them and ends the program where something is. */
function readFlags(): PeersFlags {
  const names = [...TASKS.keys()];
  try {
    return readPeersFlags(Deno.args, names);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    console.error(`${error.message}\n\n${peersUsage(names)}`);
    Deno.exit(2);
  }
}

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags.help) return console.log(peersUsage([...TASKS.keys()]));
  const environment = await openSession();
  console.log(describe(environment).join("\n"));
  if (environment.backend === "cpu") {
    console.log("Without a WebGPU adapter there is nothing to compare.");
    return;
  }
  const engines = await loadEngines();
  const names = engines.map(({ name, version }) => `${name} ${version}`);
  console.log(`beside ${names.slice(1).join(" and ") || "no peer"}\n`);
  const rows = await measureTasks(flags, engines);
  const ceilings = await measureCeilings(flags.smoke);
  // At a small size the speeds to reach mean nothing.
  const bars = flags.smoke ? [] : judge(rows);
  const comparison = { engines: names, rows, bars, ceilings };
  for (const { columns, rows } of tables(comparison)) console.log(`${plainTable(columns, rows)}\n`);
  if (flags.smoke) console.log("A smoke run: its figures mean nothing.\n");
  console.log(METHOD.flatMap((line) => wrap(line, 120)).join("\n"));
  await keep(flags, environment, comparison);
  // The peers' devices would keep the process alive.
  Deno.exit(0);
}

if (import.meta.main) await main();
