// How far a measurement has come: a bar on a terminal, a line a step elsewhere. All of it goes to stderr,
// so that stdout is the table alone.

import { ProgressBar } from "@std/cli/unstable-progress-bar";

/** Shows the steps of a job. */
export interface Progress {
  /** Says what is done now. */
  begin(what: string): void;
  /** Counts this many steps as done. */
  advance(steps: number): void;
  stop(): Promise<void>;
}

class Lines implements Progress {
  #last = "";

  begin(what: string): void {
    if (what !== this.#last) console.error(what);
    this.#last = what;
  }

  advance(): void {}

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

class Bar implements Progress {
  readonly #bar: ProgressBar;
  #what = "";

  constructor(steps: number) {
    this.#bar = new ProgressBar({
      max: steps,
      barLength: 30,
      fillChar: "=",
      emptyChar: " ",
      clear: true,
      refreshMilliseconds: 200,
      writable: Deno.stderr.writable,
      formatter: ({ styledTime, progressBar }) => `[${styledTime}] [${progressBar}] ${this.#what}`,
    });
  }

  begin(what: string): void {
    this.#what = what;
  }

  advance(steps: number): void {
    this.#bar.value += steps;
  }

  stop(): Promise<void> {
    return this.#bar.stop();
  }
}

/** Progress of a job of so many steps, in the form that fits where stderr goes. */
export function showProgress(
  steps: number,
  isTerminal: boolean = Deno.stderr.isTerminal(),
): Progress {
  return isTerminal ? new Bar(steps) : new Lines();
}
