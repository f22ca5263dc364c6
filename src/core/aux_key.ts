// Text keys for the data that a registered class keeps beside its children.
import { isPlainObject } from "./errors.ts";

const identities = new WeakMap<object, number>();
const symbolIdentities = new Map<symbol, number>();
let lastIdentity = 0;

function identityOf(value: object | symbol): string {
  const known = typeof value === "symbol" ? symbolIdentities.get(value) : identities.get(value);
  if (known !== undefined) return `@${known}`;
  const fresh = ++lastIdentity;
  if (typeof value === "symbol") symbolIdentities.set(value, fresh);
  else identities.set(value, fresh);
  return `@${fresh}`;
}

function containerKey(value: object, ancestors: readonly object[]): string {
  // What contains itself has no finite text.
  if (ancestors.includes(value)) return identityOf(value);
  const within = [...ancestors, value];
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item) => keyWithin(item, within)).join(", ")}]`;
  }
  if (!isPlainObject(value)) return identityOf(value);
  const entries = Object.keys(value).sort().map((name) =>
    `${JSON.stringify(name)}: ${keyWithin(value[name], within)}`
  );
  return `{${entries.join(", ")}}`;
}

function keyWithin(value: unknown, ancestors: readonly object[]): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "function":
    case "symbol":
      return identityOf(value);
    case "object":
      return value === null ? "null" : containerKey(value, ancestors);
    default:
      return String(value);
  }
}

/**
 * Text that two values share if they are equal plain data (numbers, strings, booleans, null, arrays and
 * plain objects of such, NaN equal to itself and 0 apart from -0), or one and the same object.
 */
export function auxKey(value: unknown): string {
  return keyWithin(value, []);
}
