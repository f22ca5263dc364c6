// Where the user's program stands: the innermost call that is not the library's own.

const library = new URL("../", import.meta.url).href;

const frame = /((?:file|https?|data|blob):[^()\s]*:\d+:\d+)\)?$/;

/** File, line and column of the innermost call from outside of the library: `/app/model.ts:12:7`. */
export function callerLine(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 200;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = limit;
  for (const line of stack.split("\n")) {
    const [, place] = frame.exec(line) ?? [];
    if (place && !place.startsWith(library)) return place.replace(/^file:\/\//, "");
  }
  return undefined;
}
