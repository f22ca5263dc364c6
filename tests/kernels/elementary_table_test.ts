// The text of elementary functions: complete, without repetition, callees first.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { elementaryFunctions, elementarySource } from "../../kernels/elementary/table.ts";
import { binaryOracles, unaryOracles } from "./elementary_oracle.ts";

/** Names of functions and structures in the order in which a text declares them. */
function declarations(text: string): string[] {
  return [...text.matchAll(/^(?:fn|struct) (\w+)/gm)].map(([, name]) => name);
}

Deno.test("elementarySource() declares every function it calls, before the call", () => {
  for (const key of elementaryFunctions.keys()) {
    const text = elementarySource([key]);
    const declared = declarations(text);
    for (const call of text.matchAll(/\b((?:accurate|integer|unsigned)_\w+|Accurate\w+)\b/g)) {
      const before = declarations(text.slice(0, call.index + call[0].length));
      assert(before.includes(call[0]), `${key} uses ${call[0]} before it is declared`);
    }
    assert(declared.includes(elementaryFunctions.get(key)?.name ?? ""), key);
  }
});

Deno.test("elementarySource() writes a function once however many functions call it", () => {
  const declared = declarations(elementarySource([...elementaryFunctions.keys(), "exp", "log"]));
  assertEquals(declared.length, new Set(declared).size);
});

Deno.test("elementarySource() writes nothing for no names", () => {
  assertEquals(elementarySource([]), "");
});

Deno.test("elementarySource() refuses a name that is not in the table", () => {
  assertThrows(
    () => elementarySource(["exp", "gamma"]),
    RangeError,
    'Cannot write elementary functions: each name must be a key of elementaryFunctions, got "gamma"',
  );
});

Deno.test("every function that the accuracy tests know is in the table", () => {
  for (const key of [...Object.keys(unaryOracles), ...Object.keys(binaryOracles)]) {
    assert(elementaryFunctions.has(key), key);
  }
});
