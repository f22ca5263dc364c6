// Timing that holds up on a busy machine: contenders take turns, and are compared round by round.

/** Something whose calls are timed. */
export interface Contender {
  /** Starts this many calls and resolves when the device has done them all. */
  run(calls: number): Promise<void>;
}

/** How long and how often to measure. */
export interface TimingOptions {
  /** Samples of every contender. */
  readonly rounds: number;
  /** A sample takes as many calls as fill this many milliseconds, so that starting and waiting weigh little. */
  readonly sampleMs: number;
  /** A number of calls a sample in place of that. */
  readonly calls?: number;
  /** Once a group took this many milliseconds it ends after the round, but not before the third. */
  readonly budgetMs: number;
  /** Called after every round with the number of rounds done. */
  readonly afterRound?: (round: number) => void;
}

/** What came out for one contender, in milliseconds a call. */
export interface Timing {
  /** The first call, which traces and compiles. */
  readonly firstMs: number;
  readonly medianMs: number;
  /** One entry a round. */
  readonly samples: readonly number[];
}

const MOST_CALLS = 500;
const FEWEST_ROUNDS = 3;

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take a median: there are no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * How many times one contender's time is another's: the median over the rounds of the ratio within a round.
 * Load that comes and goes falls on both samples of a round alike, but would shift medians against each other.
 */
export function medianRatio(over: Timing, under: Timing): number {
  return median(over.samples.map((ms, round) => ms / under.samples[round]));
}

/** Calls that fill a sample, when one takes `callMs`. */
export function callsFor(sampleMs: number, callMs: number): number {
  return Math.min(MOST_CALLS, Math.max(1, Math.ceil(sampleMs / callMs)));
}

async function timed(contender: Contender, calls: number): Promise<number> {
  const started = performance.now();
  await contender.run(calls);
  return (performance.now() - started) / calls;
}

/** Lets timers run: waiting for a device without the event loop never does, and progress would stand still. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Times contenders against one another. All are warmed up first; then in every round each takes its turn,
 * so that whatever else the machine does falls on all of them alike.
 */
export async function timeInterleaved(
  contenders: readonly Contender[],
  { rounds, sampleMs, calls, budgetMs, afterRound }: TimingOptions,
): Promise<Timing[]> {
  const first: number[] = [];
  const perSample: number[] = [];
  for (const contender of contenders) {
    first.push(await timed(contender, 1));
    perSample.push(calls ?? callsFor(sampleMs, await timed(contender, 1)));
  }
  const samples: number[][] = contenders.map(() => []);
  const started = performance.now();
  for (let round = 1; round <= rounds; round++) {
    // Every other round goes backwards, so that nobody always comes after the same one: who follows a long
    // job finds caches full of it and, on a shared machine, a processor's allowance spent.
    const order = [...contenders.keys()];
    for (const i of round % 2 ? order : order.reverse()) {
      samples[i].push(await timed(contenders[i], perSample[i]));
    }
    afterRound?.(round);
    await nextTask();
    if (round >= FEWEST_ROUNDS && performance.now() - started > budgetMs) break;
  }
  return samples.map((own, i) => ({ firstMs: first[i], medianMs: median(own), samples: own }));
}
