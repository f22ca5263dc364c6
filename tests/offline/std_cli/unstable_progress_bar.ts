/**
 * `ProgressBar` as the real package has it: it redraws one line on a stream until it is stopped.
 *
 * @module
 */

/** What a formatter is given at each redraw. */
export interface ProgressBarFormatter {
  /** Time since the start as `mm:ss`. */
  styledTime: string;
  /** Progress as `value/max` in binary units of bytes. */
  styledData: (fractions?: number) => string;
  /** The bar itself, `###-------`. */
  progressBar: string;
  /** Milliseconds since the start. */
  time: number;
  /** Milliseconds since the start at the redraw before. */
  previousTime: number;
  /** Progress now. */
  value: number;
  /** Progress at the redraw before. */
  previousValue: number;
  /** Progress at the end. */
  max: number;
}

/** How a `ProgressBar` looks and where it is written. */
export interface ProgressBarOptions {
  /** Where it is written; stderr unless told otherwise. */
  writable?: WritableStream<Uint8Array>;
  /** Progress at the start, 0. */
  value?: number;
  /** Progress at the end. */
  max: number;
  /** Columns of the bar, 50. */
  barLength?: number;
  /** Drawn for what is done, `#`. */
  fillChar?: string;
  /** Drawn for what is left, `-`. */
  emptyChar?: string;
  /** Whether the line is removed at the end. */
  clear?: boolean;
  /** Composes the line. */
  formatter?: (formatter: ProgressBarFormatter) => string;
  /** Whether the stream stays open at the end, true. */
  keepOpen?: boolean;
  /** Milliseconds between redraws, 1000. */
  refreshMilliseconds?: number;
}

const LINE_CLEAR = "\r\u001b[K";

function inBinaryUnits(value: number, max: number, fractions = 2): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(max || 1) / 10)));
  const scale = 2 ** (10 * power);
  return `${(value / scale).toFixed(fractions)}/${(max / scale).toFixed(fractions)} ${
    units[power]
  }`;
}

/** A line on a stream that shows how far a job has come: set `value`, then `await stop()`. */
export class ProgressBar {
  /** Progress now. */
  value: number;
  /** Progress at the end. */
  max: number;
  readonly #options: ProgressBarOptions;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #started: number = Date.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #previousTime = 0;
  #previousValue: number;

  /** Starts drawing at once. */
  constructor(options: ProgressBarOptions) {
    this.#options = options;
    this.max = options.max;
    this.value = options.value ?? 0;
    this.#previousValue = this.value;
    this.#writer = (options.writable ?? Deno.stderr.writable).getWriter();
    this.#timer = setInterval(() => this.#draw(), options.refreshMilliseconds ?? 1000);
    this.#draw();
  }

  #line(): string {
    const { barLength = 50, fillChar = "#", emptyChar = "-" } = this.#options;
    const time = Date.now() - this.#started;
    const share = Math.min(Math.max(this.value / this.max, 0), 1);
    const filled = Math.trunc(share * barLength);
    const two = (count: number) => String(Math.trunc(count)).padStart(2, "0");
    const formatted: ProgressBarFormatter = {
      styledTime: `${two(time / 60000)}:${two(time / 1000 % 60)}`,
      styledData: (fractions) => inBinaryUnits(this.value, this.max, fractions),
      progressBar: fillChar.repeat(filled) + emptyChar.repeat(barLength - filled),
      time,
      previousTime: this.#previousTime,
      value: this.value,
      previousValue: this.#previousValue,
      max: this.max,
    };
    this.#previousTime = time;
    this.#previousValue = this.value;
    return this.#options.formatter?.(formatted) ??
      `[${formatted.styledTime}] [${formatted.progressBar}] [${formatted.styledData()}]`;
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#writer.write(new TextEncoder().encode(text));
    } catch {
      // A closed stream must not end the job whose progress it shows.
    }
  }

  #draw(): Promise<void> {
    return this.#write(LINE_CLEAR + this.#line());
  }

  /** Draws the last state, or removes the line where `clear` was asked for, and lets the stream go. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#options.clear) await this.#write(LINE_CLEAR);
    else {
      await this.#draw();
      await this.#write("\n");
    }
    if (this.#options.keepOpen ?? true) this.#writer.releaseLock();
    else await this.#writer.close();
  }
}
