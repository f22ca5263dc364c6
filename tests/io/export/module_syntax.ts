// A small reader of StableHLO modules: what is wrong with a text, without any other program. It knows MLIR's
// generic form as far as the library writes it, and that every name is defined once and before it is used, with
// the type that it is used with.

/** A reader's place in a text. */
class Cursor {
  #at = 0;
  constructor(readonly text: string) {}

  /** Skips blanks, then takes what the pattern matches here. */
  take(pattern: RegExp): string | undefined {
    this.#at += /^\s*/.exec(this.text.slice(this.#at))![0].length;
    const sticky = new RegExp(pattern.source, "y");
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.text);
    if (!found) return undefined;
    this.#at = sticky.lastIndex;
    return found[0];
  }

  expect(pattern: RegExp): string {
    const found = this.take(pattern);
    if (found !== undefined) return found;
    const line = this.text.slice(0, this.#at).split("\n").length;
    const shown = this.text.slice(this.#at, this.#at + 60);
    throw new SyntaxError(
      `line ${line}: ${pattern.source} is required at ${JSON.stringify(shown)}`,
    );
  }

  /** A list in brackets of any length, its parts apart by commas. */
  list<T>(open: RegExp, close: RegExp, part: () => T): T[] {
    this.expect(open);
    const parts: T[] = [];
    while (this.take(close) === undefined) {
      if (parts.length) this.expect(/,/);
      parts.push(part());
    }
    return parts;
  }
}

const type = /tensor<(?:\d+x)*(?:f32|f16|bf16|i32|ui32|i1|i64)>/;
const name = /%(?:arg)?\d+/;
const string = /"(?:[^"\\\n]|\\[0-9A-F]{2})*"/;

/** What may stand behind the equals sign of an attribute. */
const attribute = new RegExp([
  string.source,
  /array<i64(?:: -?\d+(?:, -?\d+)*)?>/.source,
  /dense<(?:"0x[0-9A-F]*"|0x[0-9A-F]+|-?\d+|true|false|\[[-\d, [\]]*\])?> : tensor<[\dx]*[a-z]+\d+>/
    .source,
  /\[#stablehlo<precision \w+>, #stablehlo<precision \w+>\]/.source,
  /#stablehlo(?:\.\w+)?<(?:->|[^<>])*>/.source,
  /-?\d+ : i(?:32|64)/.source,
  /true|false/.source,
].join("|"));

/** The types of the values that can be used here, by name; a body sees those around it too. */
type Scope = Map<string, string>;

function define(scope: Scope, id: string, of: string): void {
  if (scope.has(id)) throw new SyntaxError(`${id} is defined twice`);
  scope.set(id, of);
}

function use(scope: Scope, id: string, as: string, where: string): void {
  const known = scope.get(id);
  if (known !== as) {
    throw new SyntaxError(`${where}: ${id} is ${known ?? "unknown"}, used as ${as}`);
  }
}

function readAttributes(cursor: Cursor): void {
  cursor.list(/\{/, /\}/, () => {
    cursor.expect(/[\w.]+/);
    cursor.expect(/=/);
    cursor.expect(attribute);
  });
}

function readOperation(cursor: Cursor, scope: Scope): string | undefined {
  const results: string[] = [];
  let id = cursor.take(name);
  while (id !== undefined) {
    results.push(id);
    id = cursor.take(/,/) && cursor.expect(name);
  }
  if (results.length) cursor.expect(/=/);
  const operation = cursor.take(/"stablehlo\.[a-z_0-9]+"/);
  if (operation === undefined && results.length === 0) return undefined;
  const operands = cursor.list(/\(/, /\)/, () => cursor.expect(name));
  if (cursor.take(/\(\{/)) readBody(cursor, new Map(scope));
  if (cursor.take(/(?=\{)/) !== undefined) readAttributes(cursor);
  cursor.expect(/:/);
  const taken = cursor.list(/\(/, /\)/, () => cursor.expect(type));
  cursor.expect(/->/);
  const single = cursor.take(type);
  const given = single ? [single] : cursor.list(/\(/, /\)/, () => cursor.expect(type));
  if (cursor.take(/loc\(/)) {
    cursor.expect(string);
    cursor.expect(/\)/);
  }
  if (taken.length !== operands.length || given.length !== results.length) {
    throw new SyntaxError(`${operation} has ${operands.length} operands and ${taken.length} types`);
  }
  operands.forEach((operand, i) => use(scope, operand, taken[i]!, operation!));
  results.forEach((result, i) => define(scope, result, given[i]!));
  return operation;
}

function readBody(cursor: Cursor, scope: Scope): void {
  cursor.expect(/\^bb0/);
  cursor.list(/\(/, /\)/, () => {
    const id = cursor.expect(name);
    cursor.expect(/:/);
    define(scope, id, cursor.expect(type));
  });
  cursor.expect(/:/);
  let last: string | undefined;
  while (cursor.take(/\}\)/) === undefined) last = readOperation(cursor, scope);
  if (last !== '"stablehlo.return"') throw new SyntaxError(`a body ends with ${last}`);
}

/**
 * Reads a module and returns how many operations its function has.
 *
 * @throws SyntaxError that says what is wrong.
 */
export function checkModule(text: string): number {
  const cursor = new Cursor(text);
  const scope: Scope = new Map();
  cursor.expect(/module @\w+ attributes/);
  readAttributes(cursor);
  cursor.expect(/\{\s*func\.func public @main/);
  cursor.list(/\(/, /\)/, () => {
    const id = cursor.expect(name);
    cursor.expect(/:/);
    define(scope, id, cursor.expect(type));
    readAttributes(cursor);
  });
  cursor.expect(/->/);
  const returned = cursor.list(/\(/, /\)/, () => {
    const own = cursor.expect(type);
    readAttributes(cursor);
    return own;
  });
  cursor.expect(/\{/);
  let operations = 0;
  while (cursor.take(/func\.return/) === undefined) {
    if (readOperation(cursor, scope) === undefined) cursor.expect(/func\.return/);
    operations++;
  }
  returned.forEach((of, i) => {
    if (i) cursor.expect(/,/);
    use(scope, cursor.expect(name), of, "func.return");
  });
  if (returned.length) {
    cursor.expect(/:/);
    returned.forEach((of, i) => {
      if (i) cursor.expect(/,/);
      if (cursor.expect(type) !== of) throw new SyntaxError(`result ${i} is not ${of}`);
    });
  }
  cursor.expect(/\}\s*\}\s*$/);
  return operations;
}
