/**
 * `Spinner` as the real package has it: a turning sign and a message while something loads.
 *
 * @module
 */

const LINE_CLEAR = "\r\u001b[K";
const COLOR_RESET = "\u001b[0m";
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const COLOR_NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** How a `Spinner` looks and where it is written. */
export interface SpinnerOptions {
  /** The signs to turn through. */
  spinner?: string[];
  /** The text beside the sign. */
  message?: string;
  /** Milliseconds between signs, 75. */
  interval?: number;
  /** A colour's name. */
  color?: string;
  /** Where it is written; stdout unless told otherwise. */
  output?: typeof Deno.stdout | typeof Deno.stderr;
}

/** A sign that turns from `start()` to `stop()`. */
export class Spinner {
  /** The text beside the sign; may change while it turns. */
  message: string;
  /** The colour's name; may change while it turns. */
  color: string | undefined;
  readonly #frames: string[];
  readonly #interval: number;
  readonly #output: typeof Deno.stdout | typeof Deno.stderr;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Makes a spinner that does not turn yet. */
  constructor(options: SpinnerOptions = {}) {
    this.message = options.message ?? "";
    this.color = options.color;
    this.#frames = options.spinner ?? FRAMES;
    this.#interval = options.interval ?? 75;
    this.#output = options.output ?? Deno.stdout;
  }

  #write(text: string): void {
    this.#output.writeSync(new TextEncoder().encode(text));
  }

  /** Starts turning; does nothing when it turns already. */
  start(): void {
    if (this.#timer !== undefined) return;
    let at = 0;
    const draw = () => {
      const sign = this.#frames[at++ % this.#frames.length] ?? "";
      const color = COLOR_NAMES.indexOf(this.color ?? "");
      const shown = color < 0 || Deno.noColor ? sign : `\u001b[${30 + color}m${sign}${COLOR_RESET}`;
      this.#write(`${LINE_CLEAR}${shown} ${this.message}`);
    };
    this.#timer = setInterval(draw, this.#interval);
    draw();
  }

  /** Stops turning and removes the line. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#write(LINE_CLEAR);
  }
}
