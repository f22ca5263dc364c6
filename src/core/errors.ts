// How error messages name what they got, and the check of an options object. Nothing here may throw
// on a hostile value: a message about a bad argument must not fail before it is written.

/** Writes a shape the way every message of this library does: `[32, 64]`, and `[]` for a scalar. */
export function showShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

const longestText = 40;
const longestList = 8;

function quote(text: string): string {
  return JSON.stringify(text.length > longestText ? `${text.slice(0, longestText)}...` : text);
}

function describeList(list: readonly unknown[]): string {
  const primitive = (item: unknown) =>
    item === null || (typeof item !== "object" && typeof item !== "function");
  if (list.length <= longestList && list.every(primitive)) {
    return `[${list.map(describe).join(", ")}]`;
  }
  return `an array of ${list.length}`;
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return describeList(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (isPlainPrototype(prototype)) {
    const keys = Object.keys(value);
    if (keys.length === 0) return "{}";
    const shown = keys.slice(0, longestList).join(", ");
    return keys.length > longestList ? `{ ${shown}, ... }` : `{ ${shown} }`;
  }
  const name: unknown = value.constructor?.name;
  const className = typeof name === "string" && name !== "" ? name : "object";
  if (ArrayBuffer.isView(value) && "length" in value) {
    return `a ${className} of ${String(value.length)}`;
  }
  // Arrays of the layers above are told apart by what they carry: this layer cannot import them.
  if ("shape" in value && "dtype" in value && Array.isArray(value.shape)) {
    return `${className} ${String(value.dtype)}${showShape(value.shape)}`;
  }
  return `${/^[AEIOU]/i.test(className) ? "an" : "a"} ${className}`;
}

function isPlainPrototype(prototype: unknown): boolean {
  // A prototype without a prototype of its own is Object.prototype of this realm or of another one.
  return prototype === null ||
    (typeof prototype === "object" && Object.getPrototypeOf(prototype) === null);
}

/** True for `{}`, `Object.create(null)` and objects of another realm, false for class instances. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return isPlainPrototype(Object.getPrototypeOf(value));
}

/**
 * Describes any value in a few words for an error message. It never calls the value's own conversions
 * and never throws, also not for proxies and getters that do.
 */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "symbol":
      return "a symbol";
    case "function":
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  try {
    if (typeof value === "object") return describeObject(value);
    const name: unknown = value.name;
    return typeof name === "string" && name !== "" ? `function ${name}` : "a function";
  } catch {
    return typeof value === "function" ? "a function" : "an object";
  }
}

/**
 * Checks the last argument of a public function: absent, or a plain object with no other keys than
 * the allowed ones.
 *
 * @throws TypeError for anything else: `Cannot sum: unknown option "axes"; allowed are axis, keepdims`.
 */
export function checkOptions(what: string, options: unknown, allowed: readonly string[]): void {
  if (options === undefined) return;
  if (!isPlainObject(options)) {
    const example = allowed.length > 0 ? ` such as { ${allowed[0]} }` : "";
    throw new TypeError(
      `Cannot ${what}: options must be an object${example}, got ${describe(options)}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) {
      const way = allowed.length > 0 ? `allowed are ${allowed.join(", ")}` : "it takes no options";
      throw new TypeError(`Cannot ${what}: unknown option ${quote(key)}; ${way}`);
    }
  }
}
