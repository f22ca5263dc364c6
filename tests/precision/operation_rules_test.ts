// The options that move operations between the lists.

import { assertEquals, assertThrows } from "@std/assert";
import { checkMovedOperations } from "../../src/precision/operation_rules.ts";

const known = ["dotGeneral", "exp", "reduce_sum", "geluTanh", "geluErf"];

Deno.test("operations are moved by their names or those of the functions made of them", () => {
  const moved = checkMovedOperations("f", { half: ["exp", "gelu"], full: ["matmul"] }, known);
  assertEquals([...moved], [
    ["exp", "half"],
    ["geluTanh", "half"],
    ["geluErf", "half"],
    ["dotGeneral", "full"],
  ]);
  assertEquals(checkMovedOperations("f", {}, known).size, 0);
});

Deno.test("an unknown name is an error that lists those that there are", () => {
  const error = assertThrows(
    () => checkMovedOperations("f", { full: ["expo"] }, known),
    TypeError,
    'Cannot f: full must name operations, got "expo"; there are ',
  );
  for (const name of [...known, "matmul", "sum"]) {
    assertEquals(error.message.split(/, | are /).includes(name), true, name);
  }
  assertThrows(() => checkMovedOperations("f", { half: ["toString"] }, known), TypeError);
});

Deno.test("lists that are no lists of names, and an operation in both, are errors", () => {
  assertThrows(
    () => checkMovedOperations("f", { half: "exp" }, known),
    TypeError,
    'half must be an array of names of operations, got "exp"',
  );
  assertThrows(
    () => checkMovedOperations("f", { half: ["matmul"], full: ["dotGeneral"] }, known),
    TypeError,
    'an operation is either in half or in full, got "dotGeneral" in both',
  );
});
