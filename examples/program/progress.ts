// Progress on the console.

/** Shows how far a program is: on a terminal in one line that changes, elsewhere only the lines to be kept. */
export function showProgress(line: string, { keep, last }: { keep: boolean; last: boolean }): void {
  if (Deno.stdout.isTerminal()) {
    Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[K${line}${last ? "\n" : ""}`));
  } else if (keep || last) console.log(line);
}
