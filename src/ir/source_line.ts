// Where the user's program stands: the innermost call that is not the library's own.

const library = new URL("../", import.meta.url).href;

const frame = /((?:file|https?|data|blob):[^()\s]*:\d+:\d+)\)?$/;

/** How many frames to look at, first and at last: each takes some 10 us, and most operations are called from near. */
const depths = [12, 256];

/** File, line and column of the innermost call from outside of the library: `/app/model.ts:12:7`. */
export function callerLine(): string | undefined {
  for (const depth of depths) {
    for (const line of stackLines(depth)) {
      const [, place] = frame.exec(line) ?? [];
      if (place && !place.startsWith(library)) return place.replace(/^file:\/\//, "");
    }
  }
  return undefined;
}

function stackLines(depth: number): string[] {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = depth;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = limit;
  return stack.split("\n");
}
