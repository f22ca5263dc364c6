// Deep equality with @std/assert's rules, which differ from node:assert's in one way that matters
// for numeric code: 0 equals -0. NaN equals NaN in both.

function constructorsMatch(a: object, b: object): boolean {
  const plain = (x: object) => x.constructor === Object || x.constructor === undefined;
  return a.constructor === b.constructor || (plain(a) && plain(b));
}

function collectionsEqual(
  a: Map<unknown, unknown> | Set<unknown>,
  b: Map<unknown, unknown> | Set<unknown>,
  compare: (x: unknown, y: unknown) => boolean,
): boolean {
  if (a.size !== b.size) return false;
  const unmatched = [...b.entries()];
  for (const entry of a.entries()) {
    const at = unmatched.findIndex((other) =>
      compare(entry[0], other[0]) && compare(entry[1], other[1])
    );
    if (at < 0) return false;
    unmatched.splice(at, 1);
  }
  return true;
}

/** Tells whether two values are deeply equal: same constructors, keys and values. */
export function equal(c: unknown, d: unknown): boolean {
  const seen = new Map<unknown, unknown>();
  const compare = (a: unknown, b: unknown): boolean => {
    if (typeof a === "number" && typeof b === "number") {
      return a === b || (Number.isNaN(a) && Number.isNaN(b));
    }
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (!constructorsMatch(a, b)) return false;
    if (a instanceof Date && b instanceof Date) return compare(a.getTime(), b.getTime());
    if (
      (a instanceof RegExp && b instanceof RegExp) || (a instanceof URL && b instanceof URL)
    ) return String(a) === String(b);
    if (seen.get(a) === b) return true;
    seen.set(a, b);
    if (
      (a instanceof Map && b instanceof Map) || (a instanceof Set && b instanceof Set)
    ) return collectionsEqual(a, b, compare);
    const keys = Reflect.ownKeys(a).filter((key) =>
      Object.prototype.propertyIsEnumerable.call(a, key)
    );
    const others = Reflect.ownKeys(b).filter((key) =>
      Object.prototype.propertyIsEnumerable.call(b, key)
    );
    return keys.length === others.length &&
      keys.every((key) =>
        Object.hasOwn(b, key) && compare(Reflect.get(a, key), Reflect.get(b, key))
      );
  };
  return compare(c, d);
}
