// Messages about values that are anything but what was asked for.
import { assertEquals, assertThrows } from "@std/assert";
import { checkOptions, describe, showShape } from "../../src/core/errors.ts";

Deno.test("shapes are shown as lists", () => {
  assertEquals([showShape([32, 64]), showShape([])], ["[32, 64]", "[]"]);
});

Deno.test("describe() says in a few words what a value is", () => {
  class Thing {
    size = 1;
  }
  class Grid {
    shape = [2, 3];
    dtype = "float16";
  }
  const cases: [unknown, string][] = [
    [1.5, "1.5"],
    [-0, "-0"],
    [3n, "3n"],
    ["text", '"text"'],
    ["x".repeat(50), `"${"x".repeat(40)}..."`],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [Symbol("s"), "a symbol"],
    [[2, "a", null], '[2, "a", null]'],
    [[[1], [2]], "an array of 2"],
    [new Array(100).fill(0), "an array of 100"],
    [new Float32Array(4), "a Float32Array of 4"],
    [{}, "{}"],
    [{ axis: 1, keep: true }, "{ axis, keep }"],
    [Object.create(null), "{}"],
    [new Thing(), "a Thing"],
    [new Error("no"), "an Error"],
    [new Grid(), "Grid float16[2, 3]"],
    [function relu() {}, "function relu"],
    [() => 0, "a function"],
  ];
  for (const [value, words] of cases) assertEquals(describe(value), words);
});

Deno.test("describe() survives values that throw at every touch", () => {
  const refuse = (): never => {
    throw new Error("touched");
  };
  const hostile = new Proxy({}, { getPrototypeOf: refuse, ownKeys: refuse, get: refuse });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const coerced = {
    [Symbol.toPrimitive]: refuse,
    toString: refuse,
    valueOf: refuse,
  };
  assertEquals(describe(hostile), "an object");
  assertEquals(describe(proxy), "an object");
  assertEquals(describe(coerced), "{ toString, valueOf }");
  assertEquals(describe(Object.defineProperty(() => 0, "name", { get: refuse })), "a function");
});

Deno.test("checkOptions() passes absent options and those it knows", () => {
  checkOptions("sum", undefined, ["axis"]);
  checkOptions("sum", {}, ["axis"]);
  checkOptions("sum", { axis: 1 }, ["axis", "keepdims"]);
  checkOptions("sum", Object.assign(Object.create(null), { axis: 1 }), ["axis"]);
});

Deno.test("checkOptions() names an unknown option and what is allowed", () => {
  const allowed = ["axis", "keepdims"];
  assertEquals(
    assertThrows(() => checkOptions("sum", { axes: 1 }, allowed), TypeError).message,
    'Cannot sum: unknown option "axes"; allowed are axis, keepdims',
  );
  assertThrows(() => checkOptions("exp", { a: 1 }, []), TypeError, "it takes no options");
});

Deno.test("checkOptions() refuses what is not a plain object", () => {
  const allowed = ["axis", "keepdims"];
  assertEquals(
    assertThrows(() => checkOptions("sum", 1, allowed), TypeError).message,
    "Cannot sum: options must be an object such as { axis }, got 1",
  );
  for (const options of [null, "axis", [], () => 0, new Map(), new Float32Array(1)]) {
    assertThrows(() => checkOptions("sum", options, allowed), TypeError, "must be an object");
  }
});
