/**
 * `parseArgs` with the real package's options and results: long and short flags, `--a=b`, `--no-a`,
 * `--`, string, boolean, collected, negatable and aliased flags, defaults, and a hook for unknown ones.
 * Dotted names are not nested here; this project uses none.
 *
 * @module
 */

type Name<T> = T extends string ? T : never;

type Values<
  B extends string | boolean | undefined,
  S extends string | undefined,
  C extends string | undefined,
  D extends Record<string, unknown> | undefined,
> =
  & { [K in Exclude<Name<S>, Name<C> | keyof D>]?: string }
  & { [K in Extract<Name<S>, keyof D>]: string | NonNullable<D>[K] }
  & { [K in Exclude<Name<B>, Name<S>>]: boolean }
  & { [K in Name<C>]: K extends Name<S> ? string[] : unknown[] }
  & { [K in Exclude<keyof NonNullable<D>, Name<S> | Name<B> | Name<C>>]: NonNullable<D>[K] };

/** What `parseArgs` returns: the flags, and in `_` whatever is not a flag. */
export type Args<TArgs = Record<never, never>> =
  & TArgs
  & Record<string, unknown>
  & { _: (string | number)[]; "--"?: string[] };

/** How `parseArgs` reads each flag. */
export interface ParseOptions<
  B extends string | boolean | undefined = string | boolean | undefined,
  S extends string | undefined = string | undefined,
  C extends string | undefined = string | undefined,
  D extends Record<string, unknown> | undefined = Record<string, unknown> | undefined,
> {
  /** When true, what follows `--` goes to the result's `--` and not to `_`. */
  "--"?: boolean;
  /** Other names of a flag. */
  alias?: Record<string, string | readonly string[]>;
  /** Flags that take no value; `true` makes every long flag one. */
  boolean?: B | readonly Extract<B, string>[];
  /** Values of flags that are not given. */
  default?: D;
  /** When true, everything after the first non-flag goes to `_`. */
  stopEarly?: boolean;
  /** Flags whose value stays text even if it looks like a number. */
  string?: S | readonly Extract<S, string>[];
  /** Flags that may be given more than once; their values become an array. */
  collect?: C | readonly Extract<C, string>[];
  /** Flags that `--no-NAME` sets to false. */
  negatable?: string | readonly string[];
  /** Called for every argument that the options do not name; `false` leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

function names(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

function isNumber(text: string): boolean {
  return /\S/.test(text) && Number.isFinite(Number(text));
}

/** Every name's other names, in both directions. */
function aliasTable(alias: Record<string, string | readonly string[]>): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const [name, others] of Object.entries(alias)) {
    const group = [name, ...names(others)];
    for (const member of group) table.set(member, group.filter((other) => other !== member));
  }
  return table;
}

class Reader {
  readonly result: Record<string, unknown> & { _: (string | number)[] } = { _: [] };
  readonly #aliases: Map<string, string[]>;
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #options: ParseOptions;

  constructor(options: ParseOptions) {
    this.#options = options;
    this.#aliases = aliasTable(options.alias ?? {});
    const withAliases = (value: unknown) =>
      new Set(names(value).flatMap((name) => [name, ...(this.#aliases.get(name) ?? [])]));
    this.#booleans = withAliases(options.boolean);
    this.#strings = withAliases(options.string);
    this.#collected = withAliases(options.collect);
    this.#negatable = withAliases(options.negatable);
  }

  #store(key: string, value: unknown): void {
    for (const name of [key, ...(this.#aliases.get(key) ?? [])]) this.result[name] = value;
  }

  /** Records one flag, unless the hook for unknown flags turns it away. */
  set(arg: string, key: string, value: string | boolean): void {
    const known = this.#booleans.has(key) || this.#strings.has(key) || this.#aliases.has(key) ||
      (this.#options.boolean === true && /^--[^=]+$/.test(arg));
    if (!known && this.#options.unknown?.(arg, key, value) === false) return;
    const read = typeof value === "string" && !this.#strings.has(key) && isNumber(value)
      ? Number(value)
      : value;
    if (!this.#collected.has(key)) return this.#store(key, read);
    const earlier = this.result[key];
    this.#store(key, Array.isArray(earlier) ? [...earlier, read] : [read]);
  }

  takesNoValue(key: string): boolean {
    return this.#booleans.has(key);
  }

  /** Reads `--name`, `--name=value`, `--name value` or `--no-name`; returns how many words it took. */
  long(arg: string, next: string | undefined): number {
    const [, key, value] = arg.match(/^--(.+?)(?:=(.*))?$/s) ?? [];
    if (value !== undefined && value !== "") {
      this.set(arg, key, this.#booleans.has(key) ? value !== "false" : value);
      return 1;
    }
    if (key.startsWith("no-") && this.#negatable.has(key.slice(3))) {
      this.set(arg, key.slice(3), false);
      return 1;
    }
    const isBoolean = this.#booleans.has(key) || this.#options.boolean === true;
    if (!isBoolean && next !== undefined && !next.startsWith("-")) {
      this.set(arg, key, next);
      return 2;
    }
    if (next === "true" || next === "false") {
      this.set(arg, key, next === "true");
      return 2;
    }
    this.set(arg, key, this.#strings.has(key) ? "" : true);
    return 1;
  }

  /** Reads `-a`, `-abc`, `-n5`, `-a=b` or `-a value`; returns how many words it took. */
  short(arg: string, next: string | undefined): number {
    const letters = arg.slice(1);
    for (let at = 0; at < letters.length - 1; at++) {
      const rest = letters.slice(at + 1);
      if (rest.startsWith("=") || isNumber(rest) || /^\W/.test(rest)) {
        this.set(arg, letters[at], rest.replace(/^=/, ""));
        return 1;
      }
      this.set(arg, letters[at], this.#strings.has(letters[at]) ? "" : true);
    }
    const last = letters.at(-1) ?? "";
    if (!this.#booleans.has(last) && next !== undefined && !/^--?[^-]/.test(next)) {
      this.set(arg, last, next);
      return 2;
    }
    this.set(arg, last, this.#strings.has(last) ? "" : true);
    return 1;
  }

  positional(arg: string): void {
    if (this.#options.unknown?.(arg) === false) return;
    this.result._.push(!this.#strings.has("_") && isNumber(arg) ? Number(arg) : arg);
  }

  /** Fills in what was not given: the defaults, false for booleans, [] for collected flags. */
  finish(): void {
    for (const [key, value] of Object.entries(this.#options.default ?? {})) {
      if (!(key in this.result)) this.#store(key, value);
    }
    for (const key of this.#booleans) {
      if (!(key in this.result)) this.result[key] = this.#collected.has(key) ? [] : false;
    }
    for (const key of this.#strings) {
      if (!(key in this.result) && this.#collected.has(key)) this.result[key] = [];
    }
  }
}

/**
 * Reads command line arguments into a record.
 *
 * ```ts
 * import { parseArgs } from "@std/cli/parse-args";
 * const args = parseArgs(["--policy", "float32", "--json"], { string: ["policy"], boolean: ["json"] });
 * console.log(args.policy, args.json);
 * ```
 */
export function parseArgs<
  B extends string | boolean | undefined = undefined,
  S extends string | undefined = undefined,
  C extends string | undefined = undefined,
  D extends Record<string, unknown> | undefined = undefined,
>(args: string[], options: ParseOptions<B, S, C, D> = {}): Args<Values<B, S, C, D>> {
  const reader = new Reader(options);
  const end = args.indexOf("--");
  const words = end < 0 ? args : args.slice(0, end);
  const rest = end < 0 ? [] : args.slice(end + 1);
  for (let at = 0; at < words.length;) {
    const arg = words[at];
    if (/^--./.test(arg)) at += reader.long(arg, words[at + 1]);
    else if (/^-./.test(arg)) at += reader.short(arg, words[at + 1]);
    else {
      reader.positional(arg);
      at++;
      if (options.stopEarly) {
        reader.result._.push(...words.slice(at));
        break;
      }
    }
  }
  reader.finish();
  if (options["--"]) reader.result["--"] = rest;
  else reader.result._.push(...rest);
  return reader.result as Args<Values<B, S, C, D>>;
}
