// Which policy holds at a module's path.

import { assertEquals, assertThrows } from "@std/assert";
import { checkOverrides, contains, ModulePolicies } from "../../src/precision/module_policies.ts";
import { pathGlob } from "../../src/precision/path_glob.ts";
import { resolvePolicy } from "../../src/precision/policy.ts";

const half = resolvePolicy("mixed_float16");

function policiesOf(overrides: Record<string, string>): ModulePolicies {
  return new ModulePolicies(half, checkOverrides("test", overrides));
}

Deno.test("a star stands for a part of a name, two stars for any number of names", () => {
  const cases: [pattern: string, matching: string[], others: string[]][] = [
    ["norm", ["norm"], ["norm1", "a/norm", ""]],
    ["norm*", ["norm", "norm1"], ["a/norm", "norm/a"]],
    ["*/norm", ["a/norm"], ["norm", "a/b/norm"]],
    ["encoder/**/norm*", ["encoder/norm", "encoder/a/norm2", "encoder/a/b/norm"], [
      "norm",
      "decoder/norm",
      "encoder/a/norm/b",
      "encoders/norm",
    ]],
    ["**", ["a", "a/b"], []],
    ["a/**", ["a/b", "a/b/c"], ["a", "ab/c"]],
    ["layers_*/mlp", ["layers_0/mlp", "layers_10/mlp"], ["layers_0/a/mlp"]],
    ["a.b", ["a.b"], ["axb"]],
    ["**/(x)", ["(x)", "a/(x)"], ["x"]],
  ];
  for (const [pattern, matching, others] of cases) {
    const matches = pathGlob(pattern);
    assertEquals(matching.filter((path) => !matches(path)), [], pattern);
    assertEquals(others.filter((path) => matches(path)), [], pattern);
  }
});

Deno.test("the rule of the innermost module decides, for all inside of it", () => {
  const policies = policiesOf({ encoder: "mixed_bfloat16", "encoder/**/norm*": "float32" });
  const names = ["", "head", "encoder", "encoder/mlp/out", "encoder/b/norm1", "encoder/b/norm1/x"]
    .map((path) => policies.at(path).policy.name);
  assertEquals(names, [
    "mixed_float16",
    "mixed_float16",
    "mixed_bfloat16",
    "mixed_bfloat16",
    "float32",
    "float32",
  ]);
});

Deno.test("an exact path comes before patterns, and two patterns for one module are an error", () => {
  const exact = policiesOf({ "a/*": "float32", "**/norm": "float32", "a/norm": "bfloat16" });
  assertEquals(exact.at("a/norm").policy.name, "bfloat16");
  assertThrows(
    () => policiesOf({ "a/*": "float32", "**/norm": "bfloat16" }).at("a/norm/x"),
    TypeError,
    'one rule of overrides must decide for "a/norm", got "a/*" and "**/norm"',
  );
});

Deno.test("rules that named no module are told", () => {
  const policies = policiesOf({ "a/*": "float32", "b": "float32", "a/x": "bfloat16" });
  assertEquals(policies.unused, ["a/*", "b", "a/x"]);
  policies.at("a/x/y");
  assertEquals(policies.unused, ["b"]);
});

Deno.test("a module contains itself and what is inside, and not what its name begins", () => {
  const at = (module: string) => ({ policy: half, module });
  assertEquals(contains(at(""), at("a")), true);
  assertEquals(contains(at("a"), at("a")), true);
  assertEquals(contains(at("a"), at("a/b")), true);
  assertEquals(contains(at("a"), at("ab")), false);
  assertEquals(contains(at("a"), at("")), false);
});

Deno.test("overrides that are not an object of policies are errors", () => {
  assertThrows(() => checkOverrides("f", ["float32"]), TypeError, "must be an object of policies");
  assertThrows(() => checkOverrides("f", { a: "float8" }), TypeError, "float8");
});
