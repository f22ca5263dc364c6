// Where the user's program stands: the innermost call that is not the library's own.

const library = new URL("../", import.meta.url).href;

const frame = /((?:file|https?|data|blob):[^()\s]*:\d+:\d+)\)?$/;

/** Calls of the library between an operation and the user's program, at most. */
const depth = 256;

/** The place that was called from when it was made; told when it is asked for, since that is what takes time. */
export class SourceLine {
  #stack: Error | undefined;
  #text = "";

  /** Remembers the calls that led here. */
  constructor() {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = depth;
    this.#stack = new Error();
    Error.stackTraceLimit = limit;
  }

  /** File, line and column of the innermost call from outside of the library: `/app/model.ts:12:7`. */
  toString(): string {
    if (this.#stack) this.#text = callerIn(this.#stack.stack ?? "");
    this.#stack = undefined;
    return this.#text;
  }
}

function callerIn(stack: string): string {
  for (const line of stack.split("\n")) {
    const [, place] = frame.exec(line) ?? [];
    if (place && !place.startsWith(library)) return place.replace(/^file:\/\//, "");
  }
  return "";
}
